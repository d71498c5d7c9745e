import json
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts

SPACE = {
    "lr": ts.Float(1e-5, 1e-1, log=True),
    "depth": ts.Int(1, 12),
    "act": ts.Categorical(["relu", "gelu"]),
}
FINITE = {"depth": ts.Int(1, 12), "act": ts.Categorical(["relu", "gelu"])}


def asked(study: ts.Study[dict[str, Any]], n: int) -> list[ts.Trial[dict[str, Any]]]:
    """Trials, as long as the sampler has any: `Queue` has but the queue's."""
    try:
        return study.ask(n)
    except ts.StudyFinished:
        return []


def worked(study: ts.Study[dict[str, Any]]) -> ts.Study[dict[str, Any]]:
    """Ask in batches of changing size, with reports, notes, failures and a partial queue."""
    study.enqueue({"act": "gelu"})
    study.enqueue({"depth": 3})
    for n in (1, 3, 1, 4, 2):
        for trial in asked(study, n):
            trial.report(1, loss=1.0)
            trial.note("seen")
            if trial.number == 5:
                study.fail(trial, "no luck")
            elif trial.number != 7:
                study.tell(trial, 1 / (1 + trial.number))
        study.note("a batch is done")
    return study


@pytest.mark.parametrize("name", sorted(ts.samplers.registry))
def test_every_sampler_is_verified(name: str) -> None:
    """Suggestions are recomputed from the log, whatever else stands between."""
    sampler = ts.samplers.registry.get(name)()
    study = worked(ts.Study(FINITE, minimize="loss", seed=4, sampler=sampler))

    verification = study.verify()

    assert verification, verification.difference
    n = 2 if name == "queue" else 11
    assert (verification.checked, verification.close, verification.skipped) == (n, 0, 0)
    assert str(verification) == f"{n} decisions agree"


@pytest.mark.parametrize("what", ["params", "seed of the study"])
def test_a_log_that_was_changed_does_not_verify(what: str, tmp_path: Path) -> None:
    """A changed suggestion, or another seed, is found and named."""
    study = worked(ts.Study(SPACE, minimize="loss", seed=4))
    path = tmp_path / "s.db"
    study.save(path, "s")
    storage = ts.storage.connect(path)
    events = [json.loads(line) for line in storage.read("s")]
    if what == "params":
        started = [event for event in events if event["event"] == "started"]
        started[6]["params"]["depth"] = 13 - started[6]["params"]["depth"]
    else:
        events[0]["seed"] = 5
    storage.append("changed", [json.dumps(event) for event in events])

    verification = ts.load(path, "changed").verify()

    assert not verification
    assert (
        "its seed is" if what == "seed of the study" else "the log has"
    ) in verification.difference
    assert "(written with tunesmith" in verification.difference


@pytest.mark.parametrize(
    "field, value",
    [
        ("seed", 1),
        ("batch", [-1, 1]),
        ("batch", [7, 8]),
        ("basis", 500),
        ("basis", 0),
        ("configured", 77),
        ("item", "nothing"),
        ("params", {"lr": 0.01, "depth": 3, "act": "relu"}),
    ],
)
def test_every_part_of_a_start_is_verified(field: str, value: Any, tmp_path: Path) -> None:
    """Whatever is changed in a start, verification says so and does not fall over it."""
    storage = ts.storage.connect(tmp_path / "s.db")
    study = worked(ts.Study(SPACE, minimize="loss", seed=4))
    study.save(storage, "s")
    events = [json.loads(line) for line in storage.read("s")]
    started = [event for event in events if event["event"] == "started"]
    started[6][field] = value
    storage.append("changed", [json.dumps(event) for event in events])

    verification = ts.load(storage, "changed").verify()

    assert not verification
    assert verification.difference.startswith("trial 6 differs")


def test_a_study_replayed_is_the_study_that_ran(tmp_path: Path) -> None:
    """Folding the log again gives the same history as the one that grew with it."""
    study = worked(ts.Study(SPACE, minimize="loss", seed=4))
    study.save(tmp_path / "s.db", "s")

    loaded = ts.load(tmp_path / "s.db", "s")

    assert list(loaded.history) == list(study.history)
    assert loaded.notes == study.notes
    assert [t.params for t in loaded.ask(3)] == [
        t.params for t in worked(ts.Study(SPACE, minimize="loss", seed=4)).ask(3)
    ]

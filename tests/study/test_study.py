import math
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts

X = {"x": ts.Float(-10, 10)}


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=1, **options)


@pytest.mark.parametrize(
    "result, values",
    [
        (0.5, {"loss": 0.5}),
        (3, {"loss": 3.0}),
        (np.float32(0.5), {"loss": 0.5}),
        (np.array(0.5), {"loss": 0.5}),
        ({"loss": 0.5, "seconds": 7}, {"loss": 0.5, "seconds": 7.0}),
    ],
)
def test_results_of_every_form(result: Any, values: dict[str, float]) -> None:
    """A number, anything with __float__, or a mapping whose extra names are kept."""
    study = study_of()

    assert study.tell(study.ask(), result).values == values


@pytest.mark.parametrize(
    "result, sentence",
    [
        ((0.5, 0.6), r'a number or a mapping of metrics, got the tuple .*; return {"loss": ...}'),
        ("0.5", "must be a number, got '0.5'"),
        (None, "the objective 'loss' is missing"),
        ({"accuracy": 0.5}, r"the objective 'loss' is missing in the result \(accuracy\)"),
        ({1: 0.5}, "metrics are named by strings"),
        ([], "a number or a mapping"),
    ],
)
def test_results_that_are_refused(result: Any, sentence: str) -> None:
    """Each gets a sentence that names the fix, and the trial stays open."""
    study = study_of()
    trial = study.ask()

    with pytest.raises(ts.ResultError, match=sentence):
        study.tell(trial, result)

    assert study.tell(trial, 0.5).state == "complete"


def test_tell_by_number_and_twice() -> None:
    """A trial can be told by its number, once."""
    study = study_of()
    study.ask()
    study.tell(0, loss=0.25)

    assert study.best.value == 0.25
    with pytest.raises(ts.StudyError, match="trial 0 has finished already"):
        study.tell(0, loss=0.5)
    with pytest.raises(ts.StudyError, match="there is no trial 7; the study has 1"):
        study.tell(7, loss=0.5)


def test_ask_for_several() -> None:
    """ask(4) is a list of different open trials, numbered on."""
    study = study_of()
    trials = study.ask(4)

    assert [t.number for t in trials] == [0, 1, 2, 3]
    assert len({t["x"] for t in trials}) == 4
    assert study.ask(0) == []
    assert [r.state for r in study.history] == ["running"] * 4


def test_a_trial_of_a_dict_space_is_a_mapping() -> None:
    """It gives the active parameters by name, and unpacks."""
    space = {"kind": ts.Categorical(["a", "b"]), "depth": ts.Int(1, 3, when={"kind": "a"})}
    study = ts.Study(space, minimize="loss", seed=0)
    study.enqueue({"kind": "b"})
    study.ask()
    trial = study.ask()

    assert dict(**trial) == {"kind": "b"}
    assert list(trial) == ["kind"]
    assert len(trial) == 1


def test_the_baseline_is_the_default_or_the_centre() -> None:
    """Trial 0 is the default configuration, or the centre where a parameter has none."""
    whole = ts.Study({"x": ts.Float(0, 8, default=1.0), "y": ts.Int(1, 5, default=5)}, minimize="l")
    centre = ts.Study({"x": ts.Float(0, 8), "y": ts.Int(1, 5, default=5)}, minimize="l")

    assert whole.ask().params == {"x": 1.0, "y": 5}
    assert centre.ask().params == {"x": 4.0, "y": 5}
    assert whole.history[0].source == "default"


def test_queued_params_come_next_and_are_completed() -> None:
    """What is enqueued is tried before suggestions; what it leaves open is completed."""
    space = {"x": ts.Float(0, 1), "y": ts.Float(0, 1)}
    study = ts.Study(space, minimize="loss", seed=1)
    study.ask()
    study.enqueue({"x": 0.25}, note="a guess")
    study.enqueue({"x": 0.5, "y": 0.75}, parent=0)

    partial, whole = study.ask(2)

    assert partial["x"] == 0.25
    assert 0 <= partial["y"] <= 1
    assert whole.params == {"x": 0.5, "y": 0.75}
    assert [r.source for r in study.history] == ["default", "queue", "queue"]
    with pytest.raises(ts.SpaceError):
        study.enqueue({"x": 2.0})
    with pytest.raises(ts.SpaceError):
        study.enqueue({"z": 2.0})


def test_a_finite_space_is_tried_once_and_then_finished() -> None:
    """Every configuration comes once, whatever the order of ask and tell, then StudyFinished."""
    space = {"a": ts.Int(1, 3), "b": ts.Categorical(["x", "y"])}
    study = ts.Study(space, minimize="loss", seed=3)
    trials = [study.ask() for _ in range(6)]

    assert {(t["a"], t["b"]) for t in trials} == {(a, b) for a in (1, 2, 3) for b in ("x", "y")}
    with pytest.raises(ts.StudyFinished, match="all configurations"):
        study.ask()
    ran = ts.Study(space, minimize="loss", seed=3).run(lambda t: t["a"], progress=False)
    assert len(ran.history) == 6


def test_the_empty_space_is_one_trial() -> None:
    """A space without parameters has one configuration."""
    study = ts.Study({}, minimize="loss").run(lambda t: 1.0, trials=5, progress=False)

    assert len(study.history) == 1
    assert study.best.params == {}


def test_a_stopped_trial_never_wins_by_an_early_value() -> None:
    """Best is taken among completed trials; without any, among those that went furthest."""
    study = ts.Study(
        X, minimize="loss", resource=ts.Resource("epoch", max=9), scheduler=None, seed=0
    )
    a, b, c = study.ask(3)
    a.report(1, loss=0.1)
    b.report(1, loss=0.9)
    b.report(2, loss=0.8)
    study.tell(c, loss=0.5)

    assert study.best.number == 2


def test_several_objectives_have_a_front_and_no_best() -> None:
    """`front` holds what no other trial beats in every objective; `best` names it."""
    study = ts.Study(X, minimize="latency", maximize="accuracy", seed=0)
    for latency, accuracy in [(3, 0.9), (1, 0.5), (2, 0.4), (3, 0.8)]:
        study.tell(study.ask(), latency=latency, accuracy=accuracy)

    assert [r.number for r in study.front] == [0, 1]
    with pytest.raises(ts.StudyError, match=r"has no single best trial; see \.front"):
        _ = study.best
    with pytest.raises(ts.ResultError, match="has the objectives latency, accuracy"):
        study.tell(study.ask(), 0.5)


def test_limits_decide_who_may_be_best() -> None:
    """A trial that breaks a limit is not best; none left says so."""
    study = study_of(subject_to=["latency_ms <= 20"])
    study.tell(study.ask(), loss=0.1, latency_ms=30)
    study.tell(study.ask(), loss=0.2, latency_ms=21)
    with pytest.raises(ts.NoTrials, match="none of 2 completed trials keeps latency_ms <= 20"):
        _ = study.best

    study.tell(study.ask(), loss=0.3, latency_ms=20)

    assert study.best.number == 2
    with pytest.raises(ts.SettingError, match="a limit compares a metric with a number"):
        study_of(subject_to=["latency"])


def test_steps_count_up() -> None:
    """Steps are whole, from 1, strictly increasing."""
    study = study_of()
    trial = study.ask()
    trial.report(2, 0.5)

    for step in (2, 1, 0, -1):
        with pytest.raises(ts.ResultError, match="steps count up"):
            trial.report(step, 0.5)
    with pytest.raises(ts.ResultError, match="whole number of steps"):
        trial.report(2.5, 0.5)  # type: ignore[arg-type]  # what a user may do
    with pytest.raises(ts.ResultError, match="says nothing"):
        trial.report(3)
    with pytest.raises(ts.SettingError, match=r"steps\(\) needs the study's resource"):
        trial.steps()


def test_a_kept_study_is_opened_again(tmp_path: Path) -> None:
    """The same line goes on; load, studies and delete find it by name."""
    path = tmp_path / "s.db"
    first = ts.Study(X, minimize="loss", name="a", storage=path, seed=1)
    first.tell(first.ask(), loss=0.5)
    again = ts.Study(X, minimize="loss", name="a", storage=path)

    assert again.seed == 1
    assert again.history == first.history
    assert ts.studies(path) == ["a"]
    assert ts.load(path, "a").best.params == {"x": 0.0}
    with pytest.raises(ts.StudyNotFound, match=r"there is no study 'b' .* it holds 'a'"):
        ts.load(path, "b")
    ts.delete(path, "a")
    assert ts.studies(path) == []
    with pytest.raises(ts.StudyNotFound):
        ts.delete(path, "a")


def test_another_default_is_the_same_study(tmp_path: Path) -> None:
    """A default says what is tried first, not what may be: a changed one opens the study."""
    for default in (1.0, 2.0):
        ts.Study(
            {"x": ts.Float(-10, 10, default=default)},
            minimize="loss",
            name="a",
            storage=tmp_path / "s.db",
        )

    assert ts.load(tmp_path / "s.db", "a").ask().params == {"x": 1.0}


@pytest.mark.parametrize(
    "make, difference",
    [
        (lambda p: ts.Study({"x": ts.Float(-10, 9)}, minimize="loss", name="a", storage=p), "x: "),
        (lambda p: ts.Study(X, maximize="loss", name="a", storage=p), "objectives"),
        (
            lambda p: ts.Study(X, minimize="loss", name="a", storage=p, seed=2),
            "seed: 2 here, 1 there",
        ),
        (
            lambda p: ts.Study(
                X, minimize="loss", name="a", storage=p, resource=ts.Resource("epoch", 3)
            ),
            "resource",
        ),
    ],
)
def test_another_study_of_the_same_name_is_refused(
    tmp_path: Path, make: Any, difference: str
) -> None:
    """The sentence has the difference and the ways out; nothing is changed."""
    path = tmp_path / "s.db"
    ts.Study(X, minimize="loss", name="a", storage=path, seed=1)

    with pytest.raises(ts.StudyError, match=difference) as caught:
        make(path)

    assert "Give this one another name" in str(caught.value)
    assert len(ts.load(path, "a").history) == 0


def test_another_sampler_goes_on_and_is_logged(tmp_path: Path) -> None:
    """Opening with another sampler is allowed; each suggestion is verified with its own."""
    path = tmp_path / "s.db"
    first = ts.Study(X, minimize="loss", name="a", storage=path, seed=1)
    for _ in range(3):
        first.tell(first.ask(), 0.5)
    second = ts.Study(X, minimize="loss", name="a", storage=path, sampler=ts.samplers.QuasiRandom())
    for _ in range(3):
        second.tell(second.ask(), 0.5)

    loaded = ts.load(path, "a")
    assert isinstance(loaded.sampler, ts.samplers.QuasiRandom)
    assert loaded.verify()
    assert loaded.verify().checked == 6


def test_a_study_in_memory_is_saved_and_goes_on_there(tmp_path: Path) -> None:
    """`save` keeps everything so far and everything that follows."""
    study = study_of()
    study.tell(study.ask(), 0.5)
    study.save(tmp_path / "s.db", "kept")
    study.tell(study.ask(), 0.4)

    assert [r.value for r in ts.load(tmp_path / "s.db", "kept").history] == [0.5, 0.4]


def test_a_storage_needs_a_name(tmp_path: Path) -> None:
    """A path without a name is refused with the fix."""
    with pytest.raises(ts.SettingError, match=r'add name="\.\.\."'):
        study_of(storage=tmp_path / "s.db")


def test_the_environment_says_where_named_studies_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without storage=, $TUNESMITH_STORAGE is the place, else ./tunesmith.db."""
    monkeypatch.chdir(tmp_path)
    study_of(name="here")
    monkeypatch.setenv("TUNESMITH_STORAGE", str(tmp_path / "other.db"))
    study_of(name="there")

    assert ts.studies() == ["there"]
    assert ts.studies(tmp_path / "tunesmith.db") == ["here"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({}, "needs something to minimize or maximize"),
        ({"minimize": ["a", "a"]}, "objectives need different names"),
        ({"minimize": "a", "maximize": "a"}, "objectives need different names"),
        ({"minimize": ""}, "an objective needs a name"),
        ({"minimize": "a", "value": "first"}, 'value is "last", "best" or "mean"'),
        ({"minimize": "a", "sampler": "random"}, r"ts\.samplers\.Random\(\)"),
        ({"minimize": "a", "seed": -1}, "seed= is a whole number"),
        ({"minimize": "a", "seed": "7"}, "seed= is a whole number"),
        ({"maximize": True}, 'maximize= is a text or a list of texts, such as "loss", got True'),
        ({"minimize": "a", "resource": 30}, r'ts\.Resource\("epoch", max=30\), got 30'),
        ({"minimize": "a", "subject_to": [3]}, "subject_to= is a text or a list of texts"),
        ({"minimize": "a", "name": 3}, "name= is a text, got 3"),
        ({"minimize": "a", "storage": 3, "name": "s"}, "a storage is a path or a URL"),
    ],
)
def test_settings_that_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    """Each gets one sentence."""
    with pytest.raises(ts.SettingError, match=sentence):
        ts.Study(X, **arguments)


def test_tables_have_a_column_for_everything() -> None:
    """to_dict, to_pandas and to_polars agree; inactive parameters are empty."""
    space = {"kind": ts.Categorical(["a", "b"]), "depth": ts.Int(1, 3, when={"kind": "a"})}
    study = ts.Study(space, minimize="loss", seed=0)
    study.enqueue({"kind": "b"})
    study.tell(study.ask(), 0.5)
    study.fail(study.ask(), "no luck")
    table = study.history.to_dict()

    assert table["number"] == [0, 1]
    assert table["state"] == ["complete", "failed"]
    assert table["params.depth"] == [2, None]
    assert table["values.loss"][0] == 0.5
    assert math.isnan(table["values.loss"][1])
    assert table["failure"] == [None, "error"]
    assert list(study.history.to_pandas().columns) == list(table)
    assert study.history.to_polars().columns == list(table)


def test_notes_are_kept_and_change_nothing() -> None:
    """Notes on trials and the study are read back; verification does not see them."""
    study = study_of()
    trial = study.ask()
    trial.note("looks odd", tags=["odd"], seconds=1.5)
    study.note("first look")
    study.tell(trial, 0.5)
    study.tell(study.ask(), 0.25)

    assert [(n.target, n.text, n.tags, n.values) for n in study.notes] == [
        (trial.uid, "looks odd", ["odd"], {"seconds": 1.5}),
        ("", "first look", [], {}),
    ]
    assert study.verify()


def test_handed_back_trials_come_before_the_queue() -> None:
    """Order of service: what was interrupted, what was queued, then the sampler."""
    study = study_of()

    def broken(trial: ts.Trial[dict[str, Any]]) -> float:
        raise ValueError("a typo")

    with pytest.raises(ValueError, match="a typo"):
        study.run(broken, trials=1, progress=False)
    study.enqueue({"x": 3.0})

    assert [(t.number, t.attempt) for t in study.ask(3)] == [(0, 2), (1, 1), (2, 1)]
    assert study.history[1].logged == {"x": 3.0}


def test_a_trials_seed_depends_on_study_seed_and_number_alone() -> None:
    """The same study seed gives the same seeds, another one others; attempts keep theirs."""
    seeds = [[t.seed for t in study_of().ask(5)] for _ in range(2)]

    assert seeds[0] == seeds[1]
    assert len(set(seeds[0])) == 5
    assert ts.Study(X, minimize="loss", seed=2).ask().seed != seeds[0][0]
    assert all(0 <= seed < 2**32 for seed in seeds[0])


def two_openers(path: Path) -> list[ts.Study[dict[str, Any]]]:
    return [ts.Study(X, minimize="loss", name="s", storage=path, seed=1) for _ in range(2)]


def test_own_reports_count_although_others_append(tmp_path: Path) -> None:
    """A report is part of the result even if somebody else wrote to the log just before."""
    one, other = two_openers(tmp_path / "s.db")
    trial = one.ask()
    other.note("hello")
    trial.report(1, loss=0.5)

    assert one.tell(trial).value == 0.5


def test_a_deleted_study_is_gone_for_all_who_had_it_open(tmp_path: Path) -> None:
    """Asking and telling say so; nothing is written to a study made anew under its name."""
    path = tmp_path / "s.db"
    one, other = two_openers(path)
    trial = one.ask()
    ts.delete(path, "s")
    for use in (one.ask, lambda: one.tell(trial, 0.5), lambda: other.note("hello")):
        with pytest.raises(ts.StudyNotFound, match="was deleted meanwhile"):
            use()
    assert ts.studies(path) == []

    anew = ts.Study(X, minimize="loss", name="s", storage=path, seed=2)
    mine = anew.ask()
    stale: list[Any] = [one.ask, lambda: one.tell(trial, -123.0), lambda: other.history]
    for use in stale:
        with pytest.raises(ts.StudyNotFound, match="was deleted meanwhile"):
            use()

    assert anew.tell(mine, 0.5).value == 0.5


def test_an_open_trial_follows_a_study_that_is_saved(tmp_path: Path) -> None:
    """What it reports and tells after `save` is in the file; a taken name is refused."""
    study = study_of()
    trial = study.ask()
    study.save(tmp_path / "s.db", "kept")
    trial.report(1, loss=0.5)
    study.tell(trial)

    assert ts.load(tmp_path / "s.db", "kept").best.value == 0.5
    with pytest.raises(ts.StudyError, match=r"has a study 'kept' already; .*name=\"...\""):
        study_of().save(tmp_path / "s.db", "kept")


def test_a_sampler_stays_its_own_when_another_opens_with_another(tmp_path: Path) -> None:
    """Who goes on with its sampler is verified with it, whoever configured the study since."""
    path = tmp_path / "s.db"
    one = ts.Study(X, minimize="loss", name="s", storage=path, seed=1)
    one.tell(one.ask(), 1.0)
    other = ts.load(path, "s", sampler=ts.samplers.QuasiRandom())
    other.tell(other.ask(), 1.0)
    one.tell(one.ask(), 1.0)
    one.save(tmp_path / "t.db", "t")
    one.tell(one.ask(), 1.0)

    verification = one.verify()
    assert verification, verification.difference
    assert verification.checked == 4


def test_a_batch_repeats_nothing_of_a_finite_space() -> None:
    """Queued configurations and suggestions of one ask(n) are all different."""
    for seed in range(20):
        space = {"c": ts.Categorical(["a", "b", "c"], default="a")}
        study = ts.Study(space, minimize="loss", seed=seed)
        study.enqueue({"c": "b"})

        assert sorted(t["c"] for t in study.ask(10)) == ["a", "b", "c"]


def test_what_was_enqueued_is_remembered() -> None:
    """Note and parent of a queued item are in the record of its trial."""
    study = study_of()
    study.tell(study.ask(), 1.0)
    study.enqueue({"x": 0.5}, note="a guess", parent=0)
    study.ask()

    assert study.history[1].note == "a guess"
    assert study.history[1].parent == study.history[0].uid
    assert study.history[0].note == "centre"


@pytest.mark.parametrize(
    "use, sentence",
    [
        (lambda s: s.enqueue({"x": 0.5}, parent=9), "parent=9 is no trial; the study has 1"),
        (lambda s: s.enqueue({"x": 0.5}, parent=-1), "parent= is a whole number from 0 on"),
        (lambda s: s.enqueue({"x": 0.5}, note=4), "note= is a text, got 4"),
        (lambda s: s.enqueue(s.history[0]), r"enqueue takes params, such as record\.params"),
        (lambda s: s.note(5), "the text of a note is a text, got 5"),
        (lambda s: s.note("a", tags=3), "tags= is a text or a list of texts"),
        (lambda s: s.fail(0, 3), "fail takes an exception or a text, got 3"),
        (lambda s: s.ask(-1), r"n in ask\(n\) is a whole number from 0 on"),
        (lambda s: s.save(3), "a storage is a path or a URL"),
    ],
)
def test_what_verbs_refuse(use: Any, sentence: str) -> None:
    """Each with one sentence, and nothing of it is in the log."""
    study = study_of()
    study.ask()

    with pytest.raises(ts.SettingError, match=sentence):
        use(study)

    assert study.ask().number == 1
    assert study.notes == []


def test_numpy_numbers_are_numbers() -> None:
    """Seeds, counts and steps may be NumPy's."""
    three: Any = np.int64(3)
    study = ts.Study(X, minimize="loss", seed=three, resource=ts.Resource("epoch", three + 2))
    (trial,) = study.ask(three - 2)
    trial.report(three - 1, np.float32(0.5))

    assert study.tell(0).step == 2
    assert list(study.ask().steps()) == [1, 2, 3, 4, 5]


def test_threads_share_a_study() -> None:
    """Four threads ask and tell: numbers are whole, every decision is verified."""
    study = study_of()

    def work(_: int) -> None:
        trial = study.ask()
        trial.report(1, loss=1.0)
        study.tell(trial, trial["x"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(100)))

    assert [r.state for r in study.history] == ["complete"] * 100
    verification = study.verify()
    assert verification, verification.difference


def test_a_trial_says_what_it_has() -> None:
    """An unknown or inactive name gets the active ones; a group its members."""
    space = {"o": {"lr": ts.Float(0, 1)}, "k": ts.Int(1, 3)}
    trial = ts.Study(space, minimize="loss").ask()

    assert trial.get("m", 0) == 0
    assert dict(trial.items()) == trial.params
    assert list(trial.values()) == list(trial.params.values())
    with pytest.raises(KeyError, match=r"'m' is no active parameter; there are 'o.lr', 'k'"):
        trial["m"]
    with pytest.raises(KeyError, match=r"'o' is no active parameter; there are 'o.lr'"):
        trial["o"]
    assert ts.Study({}, minimize="loss").ask()


def test_a_signature_study_is_loaded_with_its_function(tmp_path: Path) -> None:
    """Objects of the choices are back when the function is run or given."""

    class Kind(Enum):
        A = 1
        B = 2

    def fit(kind: Kind = Kind.A) -> float:
        given: object = kind  # a label, if the objects were not at hand
        return given.value if isinstance(given, Kind) else 99

    ts.minimize(fit, trials=1, name="s", storage=tmp_path / "s.db", progress=False)
    ts.load(tmp_path / "s.db", "s").run(fit, more=1, progress=False)

    history = ts.load(tmp_path / "s.db", "s", space=fit).history
    assert sorted(r.value for r in history) == [1.0, 2.0]
    assert history[0].params == {"kind": Kind.A}


def test_a_study_of_objects_is_not_run_on_their_labels(tmp_path: Path) -> None:
    """Loaded without its space it can be read; run, it asks for the space, and goes on with it."""
    space = {"f": ts.Categorical([abs, max])}
    ts.Study(space, minimize="loss", name="s", storage=tmp_path / "s.db")

    with pytest.raises(ts.StudyError, match=r"labels in the place of the objects of f; .*space="):
        ts.load(tmp_path / "s.db", "s").run(lambda t: 1.0, trials=1, progress=False)
    loaded = ts.load(tmp_path / "s.db", "s", space=space)
    assert loaded.run(lambda t: 1.0, trials=1, progress=False).best.params == {"f": abs}

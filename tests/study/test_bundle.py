import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.samplers import registry as samplers
from tunesmith.schedulers import registry as schedulers
from tunesmith.study import methods

EPOCHS = ts.Resource("epoch", 4)


def train(trial: ts.Trial[dict[str, float]]) -> None:
    def save(folder: Path) -> None:
        (folder / "in").mkdir()
        (folder / "in" / "x.txt").write_text(str(trial["x"]))

    trial.resumable(save=save, load=lambda _: None)
    for epoch in trial.steps():
        trial.report(epoch, loss=trial["x"] / epoch)


@pytest.fixture
def study(tmp_path: Path) -> ts.Study[dict[str, Any]]:
    """A kept study of six trials."""
    space = {
        "x": ts.Float(0.1, 1, log=True, default=0.5),
        "act": ts.Categorical(["relu", "gelu"], default="relu"),
    }
    study = ts.Study(
        space, minimize="loss", resource=EPOCHS, name="digits", storage=tmp_path / "s.db", seed=1
    )
    return study.run(train, trials=6, progress=False)


def test_a_bundle_is_the_study(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """Loaded, it has the same trials, provenance and notes; every decision can be verified."""
    study.note("as it was")
    path = tmp_path / "digits.tunesmith"

    assert study.bundle(path) == 0
    loaded = ts.load(path)
    assert loaded.name == "digits"
    assert loaded.history == study.history
    assert [r.provenance for r in loaded.history] == [r.provenance for r in study.history]
    assert loaded.notes == study.notes
    assert loaded.verify()
    assert loaded.best.checkpoint is None
    assert list(tmp_path.glob(".digits*")) == []


def test_a_bundle_has_a_table_a_summary_and_words(
    study: ts.Study[dict[str, Any]], tmp_path: Path
) -> None:
    """For people who have no tunesmith."""
    study.bundle(tmp_path / "s.tunesmith")
    with zipfile.ZipFile(tmp_path / "s.tunesmith") as packed:
        text = {name: packed.read(name).decode() for name in packed.namelist()}

    head = json.loads(text["study.json"])
    assert head["best"][0]["number"] == study.best.number
    assert head["trials"] == len(text["trials.csv"].splitlines()) - 1 == 6
    assert json.loads(text["provenance.json"])[0]["trials"] == 6
    assert "tunesmith show --storage s.tunesmith" in text["README.txt"]
    said = text["methods.txt"]
    assert "2 hyperparameters (listed below) were tuned: loss was minimised." in said
    assert "x: real, 0.1 to 1, logarithmic" in said
    assert "act: one of relu, gelu" in said
    assert "after the default" in said
    assert "asynchronous successive halving [3]" in said
    assert "[3] L. Li et al." in said
    assert "The seed of the search was 1" in said
    assert "optimistic" in said
    assert "<title>digits · Tuning report</title>" in text["report.html"]


def test_checkpoints_come_along_if_wanted(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """Those of the best, or all that are kept, wherever the study kept them."""
    best, all_ = tmp_path / "best.tunesmith", tmp_path / "all.tunesmith"
    kept = sum(record.checkpoint is not None for record in study.history)

    assert study.bundle(best, checkpoints="best") == 1
    assert study.bundle(all_, checkpoints="all") >= kept
    folder = ts.load(best).best.checkpoint
    assert folder is not None
    assert (folder / "in" / "x.txt").read_text() == str(study.best.params["x"])


def test_attachments_come_along_if_wanted(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """Those of the best, or all; whose files were left out, of them the names are there."""
    file = tmp_path / "a.log"
    for record in study.history:
        file.write_text(str(record.number))
        study.attach(record.number, file, "../a log")
    n = study.bundle(tmp_path / "none.tunesmith", checkpoints="all")
    for which in ("none", "best", "all"):
        path = tmp_path / f"{which}.tunesmith"
        study.bundle(path, attachments=which)
        read = ts.load(path)
        for record in read.history:
            assert list(record.attachments) == ["../a log"]
            if which == "all" or (which == "best" and record.number == read.best.number):
                assert record.attachments["../a log"].read_text() == str(record.number)
            else:
                with pytest.raises(ts.StorageError, match="left out of a bundle"):
                    record.attachments["../a log"]

    assert n == study.bundle(tmp_path / "n.tunesmith", checkpoints="all", attachments="all")
    read.save(tmp_path / "new.db")
    assert ts.load(tmp_path / "new.db").best.attachments["../a log"].exists()
    with pytest.raises(ts.SettingError, match='attachments= is "none", "best" or "all"'):
        study.bundle(tmp_path / "n.tunesmith", attachments="some")  # type: ignore[arg-type]


def test_a_bundle_is_read_and_not_written(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """It says how to go on with it; kept elsewhere, it goes on, and others start from its best."""
    path = tmp_path / "s.tunesmith"
    study.bundle(path)
    before = path.read_bytes()

    with pytest.raises(ts.StorageError, match=r'ts.load\("s.tunesmith"\).save\("tunesmith.db"\)'):
        ts.load(path).run(train, more=1, progress=False)
    with pytest.raises(ts.StorageError, match="read and not written"):
        ts.delete(path, "digits")
    own = ts.load(path)
    own.save(tmp_path / "own.db")
    own.run(train, more=1, progress=False)
    warm = ts.Study(study.space, minimize="loss", resource=EPOCHS, seed=2)
    warm.enqueue(ts.load(path).best.params, note="the best of digits")
    warm.run(train, trials=2, progress=False)
    assert len(ts.load(tmp_path / "own.db").history) == 7
    assert warm.history[1].params == study.best.params
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["../../evil", "/evil", "key/../../../evil", "key/./x", "key//x", "..\\evil", ""]
)
def test_names_that_lead_elsewhere_are_refused(
    study: ts.Study[dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """Nothing is unpacked then."""
    path = tmp_path / "s.tunesmith"
    study.bundle(path)
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(f"checkpoints/{name}", "x")

    with pytest.raises(ts.StorageError, match="may lead elsewhere"):
        ts.load(path)
    assert list(tmp_path.parent.rglob("evil")) == []


def test_a_bundle_has_its_files_in_itself(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """One whose log says that they are elsewhere might have files of its reader's shown, or deleted with it."""
    path, other = tmp_path / "s.tunesmith", tmp_path / "other.tunesmith"
    study.bundle(path)
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(other, "w") as changed:
        for name in packed.namelist():
            text = packed.read(name).decode()
            if name == "log.jsonl":
                created, rest = text.split("\n", 1)
                text = f"{json.dumps({**json.loads(created), 'files': str(tmp_path)})}\n{rest}"
            changed.writestr(name, text)

    with pytest.raises(ts.StorageError, match="it has its files elsewhere"):
        ts.load(other)


def test_links_are_refused(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """A link could have a later file written through it."""
    path = tmp_path / "s.tunesmith"
    study.bundle(path)
    link = zipfile.ZipInfo("checkpoints/key/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(link, "/etc")

    with pytest.raises(ts.StorageError, match="may lead elsewhere"):
        ts.load(path)


def test_what_would_unpack_to_too_much_is_refused(tmp_path: Path) -> None:
    """Two megabytes of nothing in place of the head."""
    path = tmp_path / "bomb.tunesmith"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("study.json", " " * (1 << 21))
        packed.writestr("log.jsonl", "")

    with pytest.raises(ts.StorageError, match="more than 1,048,576 bytes"):
        ts.load(path)


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({}, "study.json"),
        ({"study.json": "{", "log.jsonl": ""}, "is no bundle that can be read"),
        ({"study.json": '{"format": 2, "name": "s"}', "log.jsonl": ""}, "it has format 2"),
        ({"study.json": '{"format": 1}', "log.jsonl": ""}, "which study"),
        ({"study.json": '{"format": 1, "name": "s"}', "log.jsonl": "{}\n"}, "line 0"),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    """In a sentence; so is a file that is no zip, and one that is not there."""
    path = tmp_path / "s.tunesmith"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)

    with pytest.raises((ts.StorageError, ts.LogError), match=sentence):
        ts.load(path)
    path.write_text("nothing of this kind")
    with pytest.raises(ts.StorageError, match="is no bundle that can be read"):
        ts.load(path)
    with pytest.raises(ts.StorageError, match="`tunesmith bundle` makes one"):
        ts.load(tmp_path / "none.tunesmith")


def test_a_bundle_has_its_ending(study: ts.Study[dict[str, Any]], tmp_path: Path) -> None:
    """By which it is known again."""
    with pytest.raises(ts.SettingError, match=r"ends in \.tunesmith"):
        study.bundle(tmp_path / "s.zip")


def test_the_methods_know_every_part() -> None:
    """Each registered sampler and scheduler has words, and each paper that they name is there."""
    known = {**methods.SAMPLERS, **methods.SCHEDULERS}

    assert sorted(methods.SAMPLERS) == list(samplers)
    assert sorted(methods.SCHEDULERS) == list(schedulers)
    assert {name for _, cited in known.values() for name in cited} == methods.PAPERS.keys()


def test_a_study_that_is_alone_needs_no_name(
    study: ts.Study[dict[str, Any]], tmp_path: Path
) -> None:
    """Of several, one must be named."""
    path = tmp_path / "s.db"
    assert ts.load(path).history == study.history
    study.save(path, "again")

    with pytest.raises(ts.StudyNotFound, match="holds 2 studies; name one of again, digits"):
        ts.load(path)
    with pytest.raises(ts.StudyNotFound, match="is empty"):
        ts.load(tmp_path / "other.db")


def test_a_confirmation_comes_along(tmp_path: Path) -> None:
    """In a bundle, in its words, and where the study is saved; the bundle still holds one study by name."""

    def noisy(trial: ts.Trial[dict[str, float]]) -> float:
        return float(trial["x"]) + random.Random(f"{trial.seed} {trial.uid}").gauss(0, 0.1)

    space = {"x": ts.Float(0, 1, default=0.9)}
    study = ts.minimize(noisy, space, trials=20, seed=1, progress=False)
    outcome = study.confirm(noisy, progress=False)
    study.bundle(tmp_path / "one.tunesmith")
    loaded = ts.load(tmp_path / "one.tunesmith")

    assert ts.studies(tmp_path / "one.tunesmith") == [loaded.name]
    assert loaded.confirmation is not None
    assert str(loaded.confirmation) == str(outcome)
    with zipfile.ZipFile(tmp_path / "one.tunesmith") as packed:
        words = packed.read("methods.txt").decode()
    assert "evaluated again on seeds that the search had not used (6 evaluations in all)" in words
    assert "that of the default was" in words
    loaded.save(tmp_path / "s.db", name="mine")
    kept = ts.load(tmp_path / "s.db", "mine")
    assert str(kept.confirmation) == str(outcome)
    assert str(kept.confirm(noisy, progress=False)) == str(outcome)


def test_a_study_that_has_the_name_of_a_confirmation_is_none(tmp_path: Path) -> None:
    """What `confirm` did not make says nothing of the study."""
    for name in ("a", "a-confirm"):
        study = ts.Study(
            {"x": ts.Float(0, 1)},
            minimize="loss",
            name=name,
            storage=tmp_path / "s.db",
            replicates=2,
        )
        study.run(lambda trial: float(trial["x"]), trials=3, progress=False)

    assert ts.load(tmp_path / "s.db", "a").confirmation is None


def test_a_study_beside_its_confirmation_is_found_without_a_name(tmp_path: Path) -> None:
    """Its name need not be said because its best was confirmed."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="a", storage=tmp_path / "s.db")
    study.run(lambda trial: float(trial["x"]), trials=3, progress=False)
    study.confirm(lambda trial: float(trial["x"]), progress=False)

    assert ts.studies(tmp_path / "s.db") == ["a", "a-confirm"]
    assert ts.load(tmp_path / "s.db").name == "a"


def compared(folder: Path) -> ts.analysis.Confirmation[Any]:
    """A study `a`, kept there and confirmed against what is in no space."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", name="a", storage=folder / "s.db", seed=1
    )
    study.run(lambda trial: float(trial["x"]), trials=9, progress=False)
    return study.confirm(
        lambda trial: float(trial["x"]), baseline=lambda trial: -1.0, progress=False
    )


def test_a_baseline_comes_along(tmp_path: Path) -> None:
    """A bundle and a study kept elsewhere have what the best was compared with."""
    outcome = compared(tmp_path)
    ts.load(tmp_path / "s.db").bundle(tmp_path / "a.tunesmith")
    loaded = ts.load(tmp_path / "a.tunesmith")
    loaded.save(tmp_path / "t.db", name="mine")

    assert outcome.params == {}
    assert str(loaded.confirmation) == str(outcome)
    assert str(ts.load(tmp_path / "t.db", "mine").confirmation) == str(outcome)
    with zipfile.ZipFile(tmp_path / "a.tunesmith") as packed:
        words = " ".join(packed.read("methods.txt").decode().split())
    assert "Of these the baseline was chosen, and its loss estimated as" in words


def test_what_confirms_a_study_goes_with_it(tmp_path: Path) -> None:
    """Deleted, it can be begun anew, of another seed; what only has such a name stays."""
    compared(tmp_path)
    for name in ("a-confirm-confirm", "b", "b-confirm"):
        ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name=name, storage=tmp_path / "s.db")
    ts.delete(tmp_path / "s.db", "a")
    ts.delete(tmp_path / "s.db", "b")

    assert ts.studies(tmp_path / "s.db") == ["a-confirm-confirm", "b-confirm"]
    assert compared(tmp_path).choice.number is None

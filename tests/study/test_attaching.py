"""Files that are kept with a trial."""

import os
import resource
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tunesmith as ts
from tunesmith._core.errors import SettingError, StorageError, StudyError
from tunesmith.storage import Folder, Memory
from tunesmith.storage.storage import Storage
from tunesmith.study.ledger import Ledger

T = ts.Trial[dict[str, Any]]
SPACE = {"x": ts.Float(0, 1)}


def study_at(path: Path, **options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(SPACE, minimize="loss", name="s", storage=path / "s.db", seed=1, **options)


def keys(path: Path) -> set[str]:
    return Folder(path / "s.db.files" / "s").keys()


def written(path: Path, text: str = "text") -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("workers", [None, 2])
def test_what_is_attached_is_read_in_another_process(workers: int | None, tmp_path: Path) -> None:
    """Files and folders, whoever runs the trial; the place that they were attached from may be gone."""

    def train(trial: T) -> float:
        with tempfile.TemporaryDirectory() as gone:
            trial.attach(written(Path(gone, "a.log"), str(trial.number)))
            written(Path(gone, "model", "deep", "w.txt"), "weights")
            trial.attach(os.fspath(Path(gone, "model")), "the model")
        return float(trial["x"])

    study_at(tmp_path).run(train, trials=3, workers=workers, progress=False)
    for record in ts.load(tmp_path / "s.db", "s").history:
        assert list(record.attachments) == ["a.log", "the model"]
        assert record.attachments["a.log"].read_text() == str(record.number)
        assert (record.attachments["the model"] / "deep" / "w.txt").read_text() == "weights"
        with pytest.raises(KeyError):
            record.attachments["b.log"]


def test_of_one_name_the_latest_counts(tmp_path: Path) -> None:
    """What was attached before is removed."""
    study = study_at(tmp_path)
    trial = study.ask()
    for text in ("one", "two"):
        trial.attach(written(tmp_path / "a.log", text))

    assert study.history[0].attachments["a.log"].read_text() == "two"
    assert len(keys(tmp_path)) == 1


def test_a_trial_that_does_not_run_takes_attachments_by_its_number(tmp_path: Path) -> None:
    """One that runs, or is not there, does not."""
    study = study_at(tmp_path)
    first, _ = study.ask(2)
    first.attach(written(tmp_path / "a.log", "one"))
    study.tell(first, 1.0)
    study.attach(0, written(tmp_path / "a.log", "two"))
    study.attach(0, tmp_path / "a.log", "b.log")

    record = ts.load(tmp_path / "s.db", "s").history[0]
    assert {name: path.read_text() for name, path in record.attachments.items()} == {
        "a.log": "two",
        "b.log": "two",
    }
    assert len(keys(tmp_path)) == 2
    for number, said in ((1, "trial 1 is running"), (2, "no trial 2"), ("0", "a trial's number")):
        with pytest.raises(StudyError, match=said):
            study.attach(number, tmp_path / "a.log")  # type: ignore[arg-type]


def test_an_attempt_that_was_superseded_changes_nothing(tmp_path: Path) -> None:
    """Nor does one whose trial has ended; what it put is removed."""
    study = study_at(tmp_path)
    trial = study.ask()
    again = study_at(tmp_path)
    study.tell(trial, 1.0)
    late = written(tmp_path / "late.log")
    with pytest.raises(StudyError, match="has finished already"):
        trial.attach(late)
    lost = again.ask(lease=False)
    resumed = ts.load(tmp_path / "s.db", "s", SPACE)
    resumed.fail(lost.number, "gone")
    with pytest.raises(StudyError):
        lost.attach(late)

    assert [len(record.attachments) for record in again.history] == [0, 0]
    assert keys(tmp_path) == set()


def test_checkpoints_come_and_go_and_attachments_stay(tmp_path: Path) -> None:
    """Whatever `keep_checkpoints` says; what was put and never told goes, and the study takes all along."""
    study = study_at(tmp_path, keep_checkpoints="needed")
    for number in range(3):
        trial = study.ask()
        for step in (1, 2):
            with trial.save() as folder:
                written(folder / "w")
            trial.report(step, loss=float(number))
            trial.attach(written(tmp_path / "a.log"), f"{step}.log")
        with Folder(tmp_path / "s.db.files" / "s").put(f"{trial.uid}-1-untold"):
            pass
        study.tell(trial, 1.0)
    again = study_at(tmp_path)  # it looks at everything that lies there
    trial = again.ask()
    with trial.save() as folder:
        written(folder / "w")
    trial.report(1, loss=1.0)
    again.tell(trial, 2.0)

    attached = {path.parent.name for r in again.history for path in r.attachments.values()}
    assert len(attached) == 6
    assert keys(tmp_path) == attached

    ts.delete(tmp_path / "s.db", "s")
    assert keys(tmp_path) == set()


def test_a_later_attempt_has_what_an_earlier_one_attached(tmp_path: Path) -> None:
    """A worker that is killed leaves what was told, and nothing of what was not."""

    def dying(trial: T) -> float:
        if trial.number == 1 and trial.attempt == 1:
            trial.attach(written(tmp_path / "a.log", "first"))
            trial.attach(tmp_path / "a.log", "kept")
            os.kill(os.getpid(), signal.SIGKILL)
        trial.attach(written(tmp_path / "a.log", f"attempt {trial.attempt}"))
        return float(trial["x"])

    study = study_at(tmp_path)
    study.run(dying, trials=2, workers=1, progress=False)

    attachments = study.history[1].attachments
    assert {name: path.read_text() for name, path in attachments.items()} == {
        "a.log": "attempt 2",
        "kept": "first",
    }
    assert len(keys(tmp_path)) == 3


def test_what_cannot_be_attached_is_said_in_one_sentence(tmp_path: Path) -> None:
    """And leaves nothing: no file, a name that is none, a folder that holds the study, a dangling link."""
    trial = study_at(tmp_path).ask()
    file = written(tmp_path / "a.log")
    links = tmp_path / "links"
    links.mkdir()
    (links / "nowhere").symlink_to("nothing")
    cases: list[tuple[Any, Any, type[Exception], str]] = [
        (tmp_path / "b.log", None, SettingError, "there is no .*b.log to attach"),
        (7, None, SettingError, "takes the path of a file or folder, got 7"),
        (file, "", SettingError, "a name of 1 to 255 bytes"),
        (file, "x" * 256, SettingError, "a name of 1 to 255 bytes"),
        (file, "é" * 128, SettingError, "a name of 1 to 255 bytes"),
        (file, 7, SettingError, "is a text"),
        (file, "\ud800", SettingError, "UTF-8"),
        (tmp_path, None, SettingError, "holds the study's own files"),
        (links, None, StorageError, "could not be kept in .*No such file"),
        (
            Path(os.devnull),
            None,
            SettingError,
            "a file or folder, and .*null is a device or a pipe",
        ),
    ]
    for path, name, kind, said in cases:
        with pytest.raises(kind, match=said) as caught:
            trial.attach(path, name)
        assert "\n" not in str(caught.value)

    assert keys(tmp_path) == set()


def test_a_folder_may_have_links(tmp_path: Path) -> None:
    """What they lead to is copied; one to a folder that it lies in, which would never end, is left out."""
    study = study_at(tmp_path)
    trial = study.ask()
    folder = written(tmp_path / "run" / "a.log").parent
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to("..")
    (folder / "latest.log").symlink_to("a.log")
    trial.attach(folder)

    found = study.history[0].attachments["run"]
    names = {path.relative_to(found).as_posix() for path in found.rglob("*")}
    assert names == {"a.log", "inner", "latest.log"}
    assert not (found / "latest.log").is_symlink()


def test_a_disk_that_is_full_is_said_and_the_trial_goes_on(tmp_path: Path) -> None:
    """Nothing is kept of what did not fit (here: of a file above the largest that may be written)."""
    study = study_at(tmp_path)
    trial = study.ask()
    large = written(tmp_path / "large", "x" * 2**22)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, hard))
    try:
        with pytest.raises(StorageError, match=r"could not be kept in .*File too large"):
            trial.attach(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert keys(tmp_path) == set()
    assert study.tell(trial, 1.0).state == "complete"


def test_a_storage_without_a_place_for_files_says_what_to_do(tmp_path: Path) -> None:
    """Such as a database on another machine."""
    study = ts.Study(SPACE, minimize="loss", name="s", storage=Bare())
    with pytest.raises(SettingError, match=r"no place for files .* files="):
        study.ask().attach(written(tmp_path / "a.log"))
    kept = ts.Study(SPACE, minimize="loss", name="t", storage=Bare(), files=tmp_path / "files")
    trial = kept.ask()
    trial.attach(tmp_path / "a.log")

    assert kept.history[0].attachments["a.log"].read_text() == "text"


def test_files_that_are_gone_are_named(tmp_path: Path) -> None:
    """The log still has their names."""
    study = study_at(tmp_path)
    study.ask().attach(written(tmp_path / "a.log"))
    Folder(tmp_path / "s.db.files" / "s").clear()
    attachments = study.history[0].attachments

    assert list(attachments) == ["a.log"]
    with pytest.raises(StorageError, match=r"'a.log' was attached, and its files are not"):
        attachments["a.log"]


@given(
    st.lists(
        st.text( min_size=1, max_size=255)
        | st.sampled_from(["../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "\0", "x" * 255]),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_any_text_is_a_name(names: list[str]) -> None:
    """It stands in the log alone and leads nowhere; a blank one is refused."""
    with tempfile.TemporaryDirectory() as folder:
        source = written(Path(folder, "a.log"))
        storage = Memory()
        study = ts.Study(SPACE, minimize="loss", name="s", storage=storage)
        trial = study.ask()
        good = [name for name in names if name.strip() and len(name.encode()) <= 255]
        for name in names:
            if name in good:
                trial.attach(source, name)
            else:
                with pytest.raises(SettingError):
                    trial.attach(source, name)
        found = Ledger[Any](storage, "s").fold.history[0].attachments

        assert list(found) == list(dict.fromkeys(good))
        assert {path.name for path in found.values()} <= {"a.log"}


def test_attachments_decide_nothing(tmp_path: Path) -> None:
    """Samplers and `verify` pass them over, and a study is the same with them as without."""

    def train(trial: T) -> float:
        if switch[len(found)]:
            trial.attach(file)
        return float(trial["x"])

    switch = (False, True)
    file = written(tmp_path / "a.log")
    found = []
    for _ in switch:
        study = ts.Study(SPACE, minimize="loss", seed=4)
        study.run(train, trials=8, progress=False)
        found.append([record.logged for record in study.history])
        assert study.verify()
    assert found[0] == found[1]


class Bare(Memory):  # type: ignore[misc]  # final
    """A storage that has no place for files, as a database on another machine."""

    @property
    def files(self) -> None:
        return None


assert issubclass(Bare, Storage)

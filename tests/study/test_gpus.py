import json
import os
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import tunesmith as ts
from tunesmith._core.errors import SettingError

X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


@pytest.fixture(autouse=True)
def nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=1, sampler=ts.samplers.Random(), **options)


def until(*paths: Path) -> None:
    """Wait for files; a test that hangs here has failed."""
    for _ in range(3000):
        if all(path.exists() for path in paths):
            return
        Event().wait(0.01)
    raise TimeoutError(f"{paths} did not come")


def test_each_trial_sees_its_own_gpu(tmp_path: Path) -> None:
    """As many workers as GPUs, if not said otherwise; the log says which trial ran where."""

    def train(trial: T) -> float:
        assert trial.device == "cuda:0"
        (tmp_path / f"{trial.number}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
        if trial.number < 2:
            until(tmp_path / "0", tmp_path / "1")  # they run at once
        return float(trial["x"])

    study = study_of(name="s", storage=tmp_path / "s.db")
    study.run(train, trials=6, gpus=[0, 3], progress=False)

    seen = [f"GPU {(tmp_path / str(r.number)).read_text()}" for r in study.history]
    assert [r.device for r in study.history] == seen
    assert seen[:2] == ["GPU 0", "GPU 3"]
    assert {r.worker for r in study.history} == {""}
    loaded = ts.load(tmp_path / "s.db", "s")
    assert [(r.device, r.cost) for r in loaded.history] == [
        (r.device, r.cost) for r in study.history
    ]


def test_trials_say_what_memory_they_used() -> None:
    """The highest of a trial is that of its attempts, the highest of a study that of its trials."""

    def train(trial: T) -> float:
        block = bytearray(100_000_000 * (trial.number + 1))
        block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])
        return float(trial["x"])

    study = study_of()
    study.run(train, trials=3, workers=1, progress=False)
    peaks = [record.cost["peak_memory_bytes"] for record in study.history]

    assert all(peak > 100_000_000 * number for number, peak in enumerate(peaks, 1))
    assert study.spending().cost == {"peak_memory_bytes": peaks[2]}


def test_one_that_ran_out_of_memory_beside_others_is_tried_again_alone(tmp_path: Path) -> None:
    """It keeps number, params and seed; nothing runs beside it, and no retry is taken for it."""
    busy = tmp_path / "busy"
    busy.mkdir()

    def train(trial: T) -> float:
        mine = busy / f"{trial.number}"
        mine.touch()
        here = [trial.seed, trial["x"], len(list(busy.iterdir()))]
        (tmp_path / f"{trial.number}-{trial.attempt}").write_text(json.dumps(here))
        try:
            if (trial.number, trial.attempt) == (1, 1):
                until(tmp_path / "0-1")
                (tmp_path / "full").touch()
                raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
            if trial.number == 0:
                until(tmp_path / "full")
        finally:
            mine.unlink()
        return float(trial["x"])

    study = study_of()
    study.run(train, trials=6, workers=2, gpus=[0], retries=0, progress=False)

    first, second = (json.loads((tmp_path / f"1-{n}").read_text()) for n in (1, 2))
    assert first[:2] == second[:2]
    assert second[2] == 1
    record = study.history[1]
    assert (record.state, record.attempt, record.lost) == ("complete", 2, 0)
    assert [why for _, _, why in record.spells] == ["out of memory"]
    assert study.history.count("complete") == 6
    assert study.verify()


@pytest.mark.parametrize("workers", [1, 2])
def test_one_that_runs_out_of_memory_alone_has_failed(workers: int, tmp_path: Path) -> None:
    """On a GPU that it shares it is tried once more, alone; then it is its own failure."""

    def train(trial: T) -> float:
        if trial.number == 0:
            (tmp_path / f"{trial.attempt}").touch()
            if workers == 2 and trial.attempt == 1:
                until(tmp_path / "other")
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        (tmp_path / "other").touch()
        return float(trial["x"])

    study = study_of()
    study.run(train, trials=3, workers=workers, gpus=[0], progress=False)

    record = study.history[0]
    assert record.failure is not None
    assert (record.state, record.failure.kind) == ("failed", "out of memory")
    assert record.attempt == workers
    assert study.history.count("complete") == 3


def test_another_process_tries_it_alone_too(tmp_path: Path) -> None:
    """What a log says of a trial is enough: one handed back before its turn is alone later."""

    def train(trial: T) -> float:
        if trial.number == 1 and trial.attempt == 1:
            until(tmp_path / "0")
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB")
        (tmp_path / f"{trial.number}").touch()
        if trial.number == 0:
            until(tmp_path / "left")
        return float(trial["x"])

    class Leaves(ts.stop.StopRule):
        """Ends the run while the trial waits."""

        def reason(self, history: ts.records.History[Any], elapsed_s: float) -> str:
            waits = len(history) > 1 and history[1].alone
            if waits:
                (tmp_path / "left").touch()
            return "it waits" if waits else ""

    path = tmp_path / "s.db"
    study = study_of(name="s", storage=path)
    study.run(train, trials=2, workers=2, gpus=[0], until=Leaves(), progress=False)
    assert study.history[1].state == "paused"
    again = ts.load(path, "s")
    again.run(train, trials=3, workers=2, gpus=[0], progress=False)

    record = again.history[1]
    assert record.alone
    assert (record.state, record.attempt) == ("complete", 2)


def test_it_is_done_where_no_gpus_are_shared(tmp_path: Path) -> None:
    """A later run in this process alone has nothing to keep apart."""

    def train(trial: T) -> float:
        return float(trial["x"])

    def full(trial: T) -> float:
        if trial.number == 1:
            until(tmp_path / "0")
            raise MemoryError
        (tmp_path / "0").touch()
        return float(trial["x"])

    study = study_of()
    study.run(full, trials=2, workers=2, gpus=[0], max_failures=5, progress=False)
    failed = study.history[1]
    study.run(train, trials=4, progress=False)

    assert failed.failure is not None
    assert (failed.failure.kind, failed.attempt) == ("out of memory", 2)
    assert study.history.count("complete") == 4


@pytest.mark.parametrize(
    "running, message",
    [
        ({"workers": 3, "gpus": [0, 1]}, r"2 GPUs do not go evenly into workers=3; take 1 or 2"),
        ({"executor": ts.executors.Threads(2), "gpus": [0]}, r"executor= brings its own .*gpus="),
        ({"gpus": []}, r"'all' or a list of numbers"),
    ],
)  # fmt: skip
def test_gpus_that_cannot_be_given_are_refused(running: dict[str, Any], message: str) -> None:
    """Before anything begins."""
    study = study_of()

    with pytest.raises(SettingError, match=message):
        study.run(lambda trial: 0.0, trials=1, progress=False, **running)
    assert not len(study.history)


def test_async_trials_share_their_process() -> None:
    """There is no environment of their own to be set."""

    async def train(trial: T) -> float:
        return 0.0

    with pytest.raises(SettingError, match="gpus= "):
        study_of().run(train, trials=1, gpus=[0], progress=False)

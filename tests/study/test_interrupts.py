import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import tunesmith as ts


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Ctrl-C after so many seconds, wherever the program is then."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    # once more a second later: Python drops what a handler raises within a destructor, say
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    for step in trial.steps():
        trial.report(step, loss=trial["x"] / step)


# what is raised while something is being dropped, Python reports and forgets: no fault of ours
dropped = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def interrupt_again_and_again(path: Path, times: int) -> None:
    """Interrupt a run at random moments and go on with the same object; nothing is out of place."""
    luck = random.Random(times)
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("epoch", 3),
        name="s", storage=path, seed=0,
    )  # fmt: skip
    for _ in range(times):
        try:
            with interrupted_after(luck.uniform(1e-4, 5e-3)):
                study.run(train, more=10**6, progress=False)
        except KeyboardInterrupt:
            pass
    trials = len(study.history) + 5
    study.run(train, trials=trials, progress=False)

    assert len(study.history) == trials
    assert {r.state for r in study.history} <= {"complete", "stopped"}
    assert study.verify()
    assert list(ts.load(path, "s").history) == list(study.history)
    verification = study.verify()
    assert verification, verification.difference


@dropped
def test_a_run_goes_on_after_30_interrupts(tmp_path: Path) -> None:
    """Ctrl-C anywhere leaves no trial behind, and what is in memory is what the log says."""
    interrupt_again_and_again(tmp_path / "s.db", 30)


@dropped
@pytest.mark.slow
def test_a_run_goes_on_after_300_interrupts(tmp_path: Path) -> None:
    """The same, 300 times."""
    interrupt_again_and_again(tmp_path / "s.db", 300)

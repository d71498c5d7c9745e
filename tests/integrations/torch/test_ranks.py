"""One trial on all ranks that `torchrun` has started: real processes, a real process group."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.testing.executors import ExecutorConformance, Make
from tunesmith.torch import Torchrun

pytest.importorskip("torch", reason="`make test-torch` installs it")
pytestmark = pytest.mark.torch
PROGRAM = Path(__file__).with_name("ddp.py")


class TestTorchrun(ExecutorConformance):
    """Without `torchrun` it is one rank, and runs works in this process."""

    @pytest.fixture
    def make(self) -> Make:
        return lambda n: Torchrun()


TWICE = """
import sys
from pathlib import Path
import tunesmith as ts

def fit(trial):
    trial.note("x" * 400_000)
    return (trial["x"] - 0.3) ** 2 + 0.01 * (trial.seed % 7)

study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
study.run(fit, trials=24, progress=False)
found = study.confirm(fit, 3, replicates=4, progress=False)
study.run(fit, trials=26, progress=False, confirm=True)
said = [r.logged["x"] for r in study.history], study.best.number, found.estimate, str(study.confirmation)
Path(sys.argv[2], f"{__import__('os').environ['RANK']}.txt").write_text(repr(said))
"""


def started(
    what: str, folder: Path, restarts: int = 0, program: Path = PROGRAM
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    return subprocess.Popen(
        [*command, f"--max-restarts={restarts}", str(program), what, str(folder)],
        # a store of its own for each restart: else Gloo may find addresses of the ranks before
        env={"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1", **os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def ran(what: str, folder: Path, restarts: int = 0, program: Path = PROGRAM) -> str:
    """Run the program on two ranks to its end, and return what it printed."""
    process = started(what, folder, restarts, program)
    try:
        printed, _ = process.communicate(timeout=100)
    finally:
        process.terminate()  # which ends the ranks
    assert process.returncode == 0, printed
    return printed


def said(what: str, folder: Path, *keys: str) -> tuple[list[Any], list[Any]]:
    """What each rank has noted that has one of these keys."""
    first, second = (
        [
            line
            for line in map(json.loads, (folder / f"{what}-{rank}.jsonl").read_text().splitlines())
            if line.keys() & set(keys)
        ]
        for rank in (0, 1)
    )
    return first, second


def records(folder: Path) -> ts.History[Any]:
    return ts.load(folder / "s.db", "s").history


def test_all_ranks_run_the_same_trials_and_stop_at_the_same_steps(tmp_path: Path) -> None:
    """A study in memory under ASHA: params, seeds, steps, loads and weights agree; rank 0 saves, and all know the best."""
    ran("memory", tmp_path)
    first, second = said("memory", tmp_path, "trial", "loaded", "best")
    saved, unsaved = said("memory", tmp_path, "saved")

    assert first == second
    assert len({line["step"] for line in first if "step" in line}) > 1  # some were stopped
    assert any("loaded" in line for line in first)
    assert {line["trial"] for line in first if "trial" in line} == set(range(6))
    assert (bool(saved), unsaved) == (True, [])
    assert first[-1]["trials"] == 6
    assert first[-1]["there"]
    assert first[-1]["log"] == "0"  # rank 0 attaches and notes, once


@pytest.mark.parametrize("what, rank", [("raise", 1), ("first", 0)])
def test_a_rank_that_raises_fails_the_trial(what: str, rank: int, tmp_path: Path) -> None:
    """Whichever it is; the failure has its traceback, and all go on with the next trial."""
    ran(what, tmp_path)
    first, second = said(what, tmp_path, "trial", "best")
    failed = [record for record in records(tmp_path) if record.state == "failed"]

    assert [record.number for record in failed] == [2]
    assert failed[0].failure is not None
    assert f"ValueError: no luck on rank {rank}" in failed[0].failure.text
    assert records(tmp_path).count("complete") == 6
    assert [line.get("trial") for line in first] == [line.get("trial") for line in second]


def test_ranks_that_hang_begin_anew(tmp_path: Path) -> None:
    """Rank 1 raises before a collective for which rank 0 waits: the trial fails, and the study goes on."""
    printed = ran("hang", tmp_path, restarts=3)
    history = records(tmp_path)

    assert "ValueError: no luck on rank 1" in printed
    assert history.count("complete") == 6
    assert history[2].state == "failed"


def test_a_rank_that_is_killed_costs_no_trial(tmp_path: Path) -> None:
    """What it ran goes on from its checkpoint, or anew, when all have begun again."""
    ran("die", tmp_path, restarts=3)
    first, second = said("die", tmp_path, "best")

    assert records(tmp_path).count("complete") == 6
    assert records(tmp_path)[1].attempt == 2
    assert first == second


@pytest.mark.parametrize("told", ["torchrun", "rank 1"])
def test_who_is_told_to_leave_hands_the_trial_back(told: str, tmp_path: Path) -> None:
    """SIGTERM to all or to one rank: the trial is saved at its next report, and all ranks end."""
    process = started("slow", tmp_path)
    begun = tmp_path / "slow-1.jsonl"
    while process.poll() is None and not (begun.exists() and begun.read_text().count("step") > 3):
        time.sleep(0.1)
    number = process.pid
    if told == "rank 1":
        number = json.loads(begun.read_text().splitlines()[0])["pid"]
    os.kill(number, signal.SIGTERM)
    process.communicate(timeout=120)
    (record,) = records(tmp_path)

    assert (record.state, record.why) == ("paused", "pre-empted")
    assert record.saved == record.step > 3


def test_a_program_may_run_and_confirm_and_run_on(tmp_path: Path) -> None:
    """All ranks know the same after each, of a study in memory, whose log is longer than what the store takes at a time."""
    program = tmp_path / "twice.py"
    program.write_text(TWICE)
    ran("twice", tmp_path, program=program)
    first, second = ((tmp_path / f"{rank}.txt").read_text() for rank in (0, 1))

    assert first == second
    assert len(first.split(",")) > 26


ABSENT = """
import os, sys
import tunesmith as ts
from tunesmith.integrations.torch import talk

talk.HELLO_S = 1.0
if os.environ["RANK"] != sys.argv[1]:
    try:
        ts.minimize(lambda t: t["x"], {"x": ts.Float(0, 1)}, trials=1, progress=False)
    except ts.StudyError as error:
        print(error)
"""


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_rank_that_does_not_come_is_not_waited_for_for_ever(
    rank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is told which it is, rank 0 or not."""
    # the store is of `torchrun` itself: where it is rank 0's, PyTorch waits for that, and says so
    monkeypatch.setenv("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "0")
    program = tmp_path / "absent.py"
    program.write_text(ABSENT)

    assert f"rank {rank} has not begun this run for 1 s" in ran(rank, tmp_path, program=program)


QUICK = """
import os
import tunesmith as ts

study = ts.minimize(lambda t: t["x"], {"x": ts.Float(0, 1)}, trials=3, progress=False)
print(len(study.history), "trials", flush=True)
if os.environ["RANK"] == "0":
    os._exit(0)
"""


def test_rank_0_leaves_when_all_have_heard_the_end(tmp_path: Path) -> None:
    """Where the store is its own, which ends with it."""
    program = tmp_path / "quick.py"
    program.write_text(QUICK)

    assert ran("", tmp_path, program=program).count("3 trials") == 2

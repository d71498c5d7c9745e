import random
import subprocess
import sys
from pathlib import Path

import pytest

import tunesmith as ts

WORKER = Path(__file__).with_name("worker.py")


def start(path: Path, trials: int, sampler: str = "random") -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, str(WORKER), str(path), str(trials), sampler],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.mark.parametrize("sampler", ["random", "quasirandom"])
def test_processes_share_one_study(tmp_path: Path, sampler: str) -> None:
    """Four processes: numbers are whole, no configuration twice, every decision verified."""
    path = tmp_path / "s.db"
    workers = [start(path, 25, sampler) for _ in range(4)]
    for worker in workers:
        go(worker)
    told: dict[int, float] = {}
    for worker in workers:
        out, _ = worker.communicate()
        assert worker.returncode == 0
        told |= {int(line.split()[0]): float(line.split()[2]) for line in out.splitlines()}

    study = ts.load(path, "s")
    assert [r.number for r in study.history] == list(range(100))
    assert {r.number: r.value for r in study.history} == told
    assert len({r.logged["x"] for r in study.history}) == 100
    verification = study.verify()
    assert verification, verification.difference
    assert verification.checked == 100
    assert {r.handle for r in study.history} <= {0, 1, 2, 3}


def kill_again_and_again(path: Path, kills: int) -> None:
    """Kill a worker at random moments; after each, everything it had been promised is there."""
    luck = random.Random(kills)
    promised: dict[int, float] = {}
    for _ in range(kills):
        worker = start(path, 10_000)
        go(worker)
        assert worker.stdout is not None
        for _ in range(luck.randrange(1, 20)):
            number, _, x = worker.stdout.readline().split()
            promised[int(number)] = float(x)
        worker.kill()
        rest, _ = worker.communicate()
        for line in rest.splitlines(keepends=True):
            if line.endswith("\n"):  # a torn last line is no promise
                number, _, x = line.split()
                promised[int(number)] = float(x)

    history = ts.load(path, "s").history
    values = {r.number: r.value for r in history if r.state == "complete"}
    assert {number: values[number] for number in promised} == promised
    assert [r.number for r in history] == list(range(len(history)))
    # every process was handle 0 again, went on with the orphan, and left at most one behind
    assert {r.handle for r in history} == {0}
    assert history.count("running") <= 1
    uninterrupted = ts.Study(
        {"x": ts.Float(0, 1), "k": ts.Int(1, 10_000)},
        minimize="loss",
        seed=0,
        sampler=ts.samplers.Random(),
    ).run(lambda t: t["x"], trials=len(history), progress=False)
    assert [(r.logged, r.seed) for r in history] == [
        (r.logged, r.seed) for r in uninterrupted.history
    ]


def test_nothing_acknowledged_is_lost_in_10_kills(tmp_path: Path) -> None:
    """kill -9 loses no told trial, and the study goes on as if it had not been."""
    kill_again_and_again(tmp_path / "s.db", 10)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_100_kills(tmp_path: Path) -> None:
    """The same, 100 times."""
    kill_again_and_again(tmp_path / "s.db", 100)


def test_an_orphan_is_handed_out_first(tmp_path: Path) -> None:
    """A trial whose process was killed is resumed with the next attempt, same params and seed."""
    path = tmp_path / "s.db"
    worker = start(path, 0)
    worker.kill()
    worker.communicate()
    script = (
        "import sys, os, signal; import tunesmith as ts\n"
        f"study = ts.load({str(path)!r}, 's')\n"
        "study.ask()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    study = ts.load(path, "s")
    before = study.history[0]
    assert before.state == "running"

    trial = study.ask()

    assert (trial.number, trial.attempt) == (0, 2)
    assert (trial.seed, study.history[0].logged) == (before.seed, before.logged)
    assert study.history[0].lost == 1


def test_a_trial_without_a_lease_is_nobodys_orphan(tmp_path: Path) -> None:
    """ask(lease=False) survives its process; another one tells it by number."""
    path = tmp_path / "s.db"
    worker = start(path, 0)
    worker.communicate("go\n")
    script = f"import tunesmith as ts; ts.load({str(path)!r}, 's').ask(lease=False)"
    subprocess.run([sys.executable, "-c", script], check=True)
    study = ts.load(path, "s")

    assert study.ask().number == 1
    study.tell(0, loss=0.5)
    assert study.history[0].state == "complete"


def test_a_living_process_tells_its_own_trials(tmp_path: Path) -> None:
    """Telling by number what another living process runs is refused."""
    path = tmp_path / "s.db"
    worker = start(path, 0)
    worker.communicate("go\n")
    script = (
        f"import sys; import tunesmith as ts; ts.load({str(path)!r}, 's').ask(); "
        "print('asked', flush=True); sys.stdin.readline()"
    )
    asker = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert asker.stdout is not None
    asker.stdout.readline()
    study = ts.load(path, "s")
    with pytest.raises(ts.StudyError, match="is being run by another process"):
        study.tell(0, loss=0.5)
    assert study.ask().number == 1

    asker.communicate("done\n")

    study.tell(0, loss=0.5)
    assert study.history[0].state == "complete"

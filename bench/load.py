"""Hundreds of workers on one PostgreSQL study, each of which reports once a second.

    python bench/load.py [--seconds 60] [--only asha none] [--workers N]

A worker is a process of its own: this one imports everything, then forks them, and each opens the study by itself.
The objective sleeps. The server is one of our own, with room for as many connections.
"""

import argparse
import gc
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts
from measure import columns, header
from storage import cpu_s, postgresql

T = ts.Trial[dict[str, Any]]
STEPS = 30  # of a trial that goes to its end
BAR_MS = 200

CASES = (("ASHA", 100), ("no scheduler", 500))


def opened(url: str, scheduler: ts.schedulers.Scheduler[Any] | None) -> ts.Study[Any]:
    """The study, made if need be."""
    return ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", name="s", storage=url, seed=0,
        resource=ts.Resource("step", max=STEPS), sampler=ts.samplers.Random(), scheduler=scheduler,
    )  # fmt: skip


def work(
    url: str, scheduler: ts.schedulers.Scheduler[Any] | None, seconds: float, out: int
) -> None:
    """What a worker does: join, and train until the time is over; it writes down what it met."""
    begun = time.perf_counter()
    waits: list[float] = []
    said: dict[str, Any] = {"error": ""}

    def train(trial: T) -> None:
        said.setdefault("joined", time.perf_counter() - begun)
        trial.resumable()
        for step in trial.steps():
            time.sleep(max(0.0, 1 - (waits[-1] if waits else 0.0)))
            before = time.perf_counter()
            try:
                trial.report(step, loss=trial["x"] + 1 / step)
            finally:
                waits.append(time.perf_counter() - before)

    try:
        opened(url, scheduler).run(train, trials=10**6, timeout=seconds, progress=False)
    except Exception:  # noqa: BLE001 - it is counted
        said["error"] = traceback.format_exc()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    said |= {"waits": waits, "cpu": spent.ru_utime + spent.ru_stime}
    with os.fdopen(out, "w") as file:
        json.dump(said, file)


@contextmanager
def workers(n: int, *given: Any) -> Iterator[list[Path]]:
    """Fork `n` workers; give the files into which they write, once all have ended."""
    from measure import folder

    gc.collect()
    gc.freeze()  # else each collection copies what they share
    with folder() as place:
        files, children = [Path(place) / str(i) for i in range(n)], []
        null = os.open(os.devnull, os.O_WRONLY)
        for file in files:
            out = os.open(file, os.O_WRONLY | os.O_CREAT)
            child = os.fork()
            if not child:
                os.dup2(null, 2)
                work(*given, out)
                os._exit(0)
            os.close(out)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        yield files


def measure(name: str, n: int, seconds: float) -> tuple[str, ...]:
    """A row: what `n` workers met."""
    scheduler = ts.schedulers.ASHA() if name == "ASHA" else None
    with postgresql(max_connections=n + 20) as (url, server):
        opened(url, scheduler)  # and what this imports need not be imported by each worker
        before = cpu_s(server)
        with workers(n, url, scheduler, seconds) as files:
            said = [json.loads(file.read_text() or '{"error": "killed"}') for file in files]
        spent = cpu_s(server) - before
        errors = [one["error"] for one in said if one["error"]]
        for error in errors[:3]:
            print(error, file=sys.stderr)
        waits = 1000 * np.array([wait for one in said for wait in one.get("waits", ())])
        joined = [one["joined"] for one in said if "joined" in one]
        p50, p95, p99 = np.quantile(waits, [0.5, 0.95, 0.99])
        clients = sum(one.get("cpu", 0.0) for one in said)
        return (
            f"{n}, {name}", f"{len(waits):,}", f"{len(errors)}", f"{p50:.1f}", f"{p95:.0f}", f"{p99:.0f}",
            f"{waits.max():.0f}", f"{1000 * clients / len(waits):.1f}", f"{1000 * spent / len(waits):.1f}",
            f"{np.median(joined):.1f} / {max(joined):.1f}",
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long each case takes")
    parser.add_argument("--only", nargs="*", default=["asha", "none"], choices=["asha", "none"])
    parser.add_argument("--workers", type=int, help="instead of 100 and 500")
    options = parser.parse_args()
    header("psycopg")
    titles = (
        "workers", "reports", "errors (bar 0)", "p50, ms", "p95", f"p99 (bar {BAR_MS})", "max",
        "CPU of clients, ms a report", "of the server", "join, median / last, s",
    )  # fmt: skip
    chosen = [case for case, key in zip(CASES, ("asha", "none"), strict=True) if key in options.only]
    columns(titles, (measure(name, options.workers or n, options.seconds) for name, n in chosen))


if __name__ == "__main__":
    main()

"""Hundreds of workers on one PostgreSQL study, each of which reports once a second.

    python bench/load.py [--seconds 60] [--only asha none] [--workers N]

A worker is a process of its own: this one imports everything, then forks them, and each opens the study by itself.
The objective sleeps. The server is one of our own, with room for as many connections.
"""

import argparse
import gc
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts
from measure import columns, folder, header
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
    url: str, scheduler: ts.schedulers.Scheduler[Any] | None, seconds: float, here: int, out: int
) -> None:
    """What a worker does: join, and train until the time is over; it writes down what it met."""
    begun = time.monotonic()
    reports: list[tuple[float, float, float]] = []  # when, how long it took, CPU seconds until then
    said: dict[str, Any] = {"error": "", "reports": reports}

    def train(trial: T) -> None:
        if "joined" not in said:
            said["joined"] = time.monotonic() - begun
            os.write(here, b".")
        trial.resumable()
        for step in trial.steps():
            time.sleep(max(0.0, 1 - (reports[-1][1] if reports else 0.0)))
            now = time.monotonic()
            try:
                trial.report(step, loss=trial["x"] + 1 / step)
            finally:
                reports.append((now, time.monotonic() - now, time.process_time()))

    try:
        opened(url, scheduler).run(train, trials=10**6, timeout=seconds, progress=False)
    except Exception:  # noqa: BLE001 - it is counted
        said["error"] = traceback.format_exc()
        if "joined" not in said:
            os.write(here, b".")
    with os.fdopen(out, "w") as file:
        json.dump(said, file)


def told(
    n: int, server: int, url: str, scheduler: ts.schedulers.Scheduler[Any] | None, seconds: float
) -> tuple[list[dict[str, Any]], float, float]:
    """What `n` forked workers met, when the last had joined, and the server's CPU seconds since then."""
    gc.collect()
    gc.freeze()  # else each collection copies what they share
    with folder() as place:
        null = os.open(os.devnull, os.O_WRONLY)
        joined, here = os.pipe()
        for i in range(n):
            if not os.fork():
                os.dup2(null, 2)
                out = os.open(f"{place}/{i}", os.O_WRONLY | os.O_CREAT)
                work(url, scheduler, seconds, here, out)
                os._exit(0)
        os.close(here)
        for _ in range(n):
            os.read(joined, 1)  # nothing, if one is killed before
        since, before = time.monotonic(), cpu_s(server)
        for _ in range(n):
            os.wait()
        spent = cpu_s(server) - before
        files = [file.read_text() for file in Path(place).iterdir()]
        return [json.loads(file or '{"error": "killed"}') for file in files], since, spent


def measure(name: str, n: int, seconds: float) -> tuple[str, ...]:
    """A row: what `n` workers met, once all had joined."""
    scheduler = ts.schedulers.ASHA() if name == "ASHA" else None
    with postgresql(max_connections=n + 20) as (url, server):
        opened(url, scheduler)  # and what this imports need not be imported by each worker
        said, since, spent = told(n, server, url, scheduler, seconds)
    errors = [one["error"] for one in said if one["error"]]
    for error in errors[:3]:
        print(error, file=sys.stderr)
    joined = [one["joined"] for one in said if "joined" in one]
    later = [[r for r in one.get("reports", ()) if r[0] > since] for one in said]
    waits = 1000 * np.array([took for reports in later for _, took, _ in reports])
    p50, p95, p99 = np.quantile(waits, [0.5, 0.95, 0.99])
    clients = sum(reports[-1][2] - reports[0][2] for reports in later if reports)
    return (
        f"{n}, {name}", f"{len(waits):,}", f"{len(errors)}", f"{p50:.1f}", f"{p95:.0f}", f"{p99:.0f}",
        f"{waits.max():.0f}", f"{1000 * clients / len(waits):.1f}", f"{1000 * spent / len(waits):.1f}",
        f"{np.median(joined):.1f} / {max(joined):.1f}",
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long each worker works")
    parser.add_argument("--only", nargs="*", default=["asha", "none"], choices=["asha", "none"])
    parser.add_argument("--workers", type=int, help="instead of 100 and 500")
    options = parser.parse_args()
    header("psycopg")
    titles = (
        "workers", "reports", "errors (bar 0)", "p50, ms", "p95", f"p99 (bar {BAR_MS})", "max",
        "CPU of clients, ms a report", "of the server", "join, median / last, s",
    )  # fmt: skip
    chosen = [
        case for case, key in zip(CASES, ("asha", "none"), strict=True) if key in options.only
    ]
    columns(titles, (measure(name, options.workers or n, options.seconds) for name, n in chosen))


if __name__ == "__main__":
    main()

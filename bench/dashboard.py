"""The dashboard: how soon a page is there, and how soon an open page hears of what happened.

python bench/dashboard.py                        # 10,000 and 100,000 trials in a SQLite file
python bench/dashboard.py --optuna PYTHON        # beside Optuna's dashboard, in that interpreter
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

import measure
import tunesmith as ts

OPEN = 50  # pages
EVENTS = 20


def filled(folder: Path, n: int) -> Path:
    """Return a file with a study of `n` trials of 10 parameters, made by the study's own verbs."""
    path = folder / f"{n}.db"
    study = ts.Study(
        measure.space(10), minimize="loss", name="s", storage=path, seed=1,
        sampler=ts.samplers.Random(), scheduler=None,
    )  # fmt: skip
    while len(study.history) < n:
        for trial in study.ask(min(500, n - len(study.history))):
            study.tell(trial, trial["p0"] + trial["p1"] * trial["p2"])
    return path


@contextmanager
def served(path: Path) -> Iterator[tuple[str, float]]:
    """Serve a file by the command; yields where, and when it was begun."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from tunesmith.cli import main; main()", "dashboard", str(path), "--port", "0", "--json"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    text = ""
    for line in process.stdout or ():
        text += line
        if line.startswith("}"):
            break
    try:
        yield json.loads(text)["url"].rstrip("/"), begun
    finally:
        process.terminate()
        process.wait()


def fetched(url: str) -> tuple[float, int]:
    """Return how long an answer takes in seconds, and its bytes."""
    begun = time.perf_counter()
    with urllib.request.urlopen(url, timeout=600) as answer:
        return time.perf_counter() - begun, len(answer.read())


def painted(url: str, times: int) -> list[float]:
    """Return the seconds to the first contentful paint in Chromium, each in a context of its own."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(times):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            page.goto(url, timeout=600_000)
            page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length", timeout=60_000)  # fmt: skip
            found.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)  # fmt: skip
            context.close()
        browser.close()
    return found


def pages(path: Path, n: int) -> list[tuple[str, str, str]]:
    """Measure pages of one file."""
    bar = {10_000: "0.5 s", 100_000: "1 s"}.get(n, "")
    rows = []
    with served(path) as (url, begun):
        study = f"{url}/studies/s"
        fetched(study)
        cold = time.perf_counter() - begun
        rows.append(("command to the study's page, cold", "", f"{cold:.2f} s"))
        time.sleep(10)  # analyses that the first look has asked for are made
        paints = painted(study, 5)
        rows.append(("first contentful paint in Chromium, warm (median of 5; worst)", bar, f"{statistics.median(paints):.2f} s; {max(paints):.2f} s"))  # fmt: skip
        for what, path_ in (
            ("all trials, first page", "/trials"),
            ("filtered and sorted", "/trials?where=p0%3C0.01+and+log10(p1)%3E-3&sort=loss"),
            ("one trial", "/trials/77"),
            ("parallel coordinates as a picture, first time", "/pictures/parallel.json"),
        ):
            seconds, size = fetched(study + path_)
            rows.append((what, "", f"{seconds:.2f} s, {size / 1000:.0f} kB"))
    return rows


def heard(path: Path) -> list[tuple[str, str, str]]:
    """Measure from an append to the new page in each of many open ones."""
    study = ts.load(path, "s")
    late: list[float] = []
    said: dict[int, float] = {}
    ready = threading.Barrier(OPEN + 1)

    def follow(url: str) -> None:
        with httpx.Client(timeout=60) as client, client.stream("GET", f"{url}/studies/s/events") as events:  # fmt: skip
            ready.wait()
            for line in events.iter_lines():
                if line.startswith("id: "):
                    position = int(line[4:].split("-")[0])
                    client_page.get(f"{url}/studies/s")
                    now = time.perf_counter()
                    late.extend(now - said[p] for p in (position,) if p in said)
                    if position >= last:
                        return

    with served(path) as (url, _):
        fetched(f"{url}/studies/s")
        time.sleep(10)
        start = httpx.get(f"{url}/api/studies/s").json()["position"]
        last = start + EVENTS
        with httpx.Client(limits=httpx.Limits(max_connections=OPEN), timeout=60) as client_page:
            threads = [threading.Thread(target=follow, args=(url,)) for _ in range(OPEN)]
            for thread in threads:
                thread.start()
            ready.wait()
            for i in range(1, EVENTS + 1):
                said[start + i] = time.perf_counter()
                study.note(f"note {i}")
                time.sleep(1.0)
            for thread in threads:
                thread.join()
    ordered = sorted(late)
    text = f"{statistics.median(ordered):.2f} s; {ordered[int(0.95 * len(ordered))]:.2f} s; {ordered[-1]:.2f} s"
    return [(f"{OPEN} open pages: append to the new page, fetched anew (median; 95 %; worst)", "1 s", text)]  # fmt: skip


PEER = """
import random, sys
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
path, n = sys.argv[1], int(sys.argv[2])
url = f"sqlite:///{path}"
study = optuna.create_study(study_name="s", storage=url)
d = {f"p{i}": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=bool(i % 2)) for i in range(10)}
r = random.Random(1)
trials = []
for _ in range(n):
    p = {k: r.uniform(1e-5, 1e-1) for k in d}
    trials.append(optuna.trial.create_trial(params=p, distributions=d, value=p["p0"]))
study.add_trials(trials)
"""


def peer(python: str, folder: Path, n: int) -> list[tuple[str, str, str]]:
    """Measure Optuna's dashboard on as many trials."""
    path = folder / f"optuna-{n}.db"
    subprocess.run([python, "-c", PEER, str(path), str(n)], check=True)
    port = 18_321
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(Path(python).with_name("optuna-dashboard")), f"sqlite:///{path}", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:
            try:
                fetched(f"http://127.0.0.1:{port}/api/studies")
                break
            except OSError:
                time.sleep(0.05)
        up = time.perf_counter() - begun
        cold, size = fetched(f"http://127.0.0.1:{port}/api/studies/1?after=0")
        warm, _ = fetched(f"http://127.0.0.1:{port}/api/studies/1?after=0")
    finally:
        process.terminate()
        process.wait()
    return [(f"optuna-dashboard, {n:,} trials: start; the study's data that its page waits for, first; second time", "", f"{up:.1f} s; {cold:.1f} s; {warm:.1f} s, {size / 1e6:.1f} MB")]  # fmt: skip


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--optuna", metavar="PYTHON")
    parser.add_argument("--trials", type=int, nargs="+", default=[10_000, 100_000])
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    measure.header("fastapi", "uvicorn", "plotly")
    with measure.folder() as name:
        folder = Path(name)
        for n in given.trials:
            path = filled(folder, n)
            measure.table(f"{n:,} trials in a SQLite file", [*pages(path, n), *heard(path)])
        if given.optuna:
            measure.table("optuna-dashboard", peer(given.optuna, folder, given.trials[0]))


if __name__ == "__main__":
    main()

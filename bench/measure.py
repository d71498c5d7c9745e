"""Shared by the benchmarks: spaces, child processes with their CPU time and memory, tables."""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import tunesmith as ts


def space(n: int) -> dict[str, Any]:
    """Return a space of `n` parameters: floats, of which every second is logarithmic."""
    return {f"p{i}": ts.Float(1e-5, 1e-1, log=bool(i % 2)) for i in range(n)}


def child(code: str, *args: str, python: str = sys.executable) -> dict[str, Any]:
    """Run code in a fresh process; return what it prints as JSON, its CPU seconds and peak MB."""
    runner = (
        "import json, os, resource, sys\n"
        "out = {}\n" + code + "\n"
        "r = resource.getrusage(resource.RUSAGE_SELF)\n"
        # not ru_maxrss, which begins with the memory of the parent
        "status = dict(line.split(':') for line in open('/proc/self/status'))\n"
        "mb = int(status['VmHWM'].split()[0]) / 1024\n"
        "out |= {'cpu': r.ru_utime + r.ru_stime, 'mb': mb}\n"
        "print(json.dumps(out))\n"
    )
    # only bench/ is added to the path: `python -c` would add the working directory
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, "-c", runner, *args], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def columns(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    print("\n| " + " | ".join(titles) + " |\n|" + "---|" * len(titles))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def table(title: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Print measurements beside the bar that is set for them."""
    print(f"\n{title}")
    columns(("what", "bar", "measured"), rows)


def header(*peers: str) -> None:
    """Print what the numbers depend on, versions of packages measured beside ours included."""
    names = ("numpy", "msgspec", *peers, "tunesmith")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    load = os.getloadavg()[0]
    print(
        f"{time.strftime('%Y-%m-%d')} · `{' '.join(sys.argv)}` · Python "
        f"{platform.python_version()}, {versions} · {os.cpu_count()} cores, load {load:.1f}"
    )


def folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of its own on the disk of the working directory."""
    return tempfile.TemporaryDirectory(dir=".", prefix=".bench-")

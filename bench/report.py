"""How long a report takes to write, and how large it is beyond Plotly's script, by the number of trials.

    python bench/report.py [TRIALS ...]

A study of eight parameters, one objective and no reports, proposed at random: all trials complete, so that everything there is to be said is said.
Seconds are of the processor, and of the wall; the first report of the process is left out.
"""

import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts

TRIALS = (30, 1000, 10_000)
SPACE = ts.Space(
    {
        **{f"x{i}": ts.Float(0, 1, default=0.2) for i in range(5)},
        "lr": ts.Float(1e-5, 1, log=True, default=1e-3),
        "depth": ts.Int(1, 12, default=6),
        "act": ts.Categorical(["relu", "gelu", "tanh"], default="relu"),
    }
)


def study_of(n: int) -> ts.Study[Any]:
    """Return a study of `n` trials."""
    rng = np.random.default_rng(0)
    study = ts.Study(SPACE, minimize="loss", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(n):
        rate = np.log10(trial["lr"]) + 2
        loss = rate**2 + sum((i + 1) * (trial[f"x{i}"] - 0.5) ** 2 for i in range(5))
        study.tell(trial, loss + 0.3 * (trial["act"] == "tanh") + rng.normal(0, 0.1))
    return study


def main(counts: list[int]) -> None:
    """Print a table."""
    library = files("plotly").joinpath("package_data", "plotly.min.js")
    beyond = len(library.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        study_of(30).report(path)
        print("| trials | HTML: CPU s | s | MB beyond Plotly | Markdown: CPU s | characters |")
        print("|---|---|---|---|---|---|")
        for n in counts:
            cells = []
            for ending in (".html", ".md"):
                study = study_of(n)
                begun, busy = time.perf_counter(), time.process_time()
                study.report(path.with_suffix(ending))
                cells.append((time.process_time() - busy, time.perf_counter() - begun))
            size = (path.stat().st_size - beyond) / 1e6
            (html, wall), (markdown, _) = cells
            text = path.with_suffix(".md").read_text()
            print(
                f"| {n:,} | {html:.1f} | {wall:.1f} | {size:.2f} | {markdown:.1f} | {len(text):,} |",
                flush=True,
            )


if __name__ == "__main__":
    main([int(arg) for arg in sys.argv[1:]] or list(TRIALS))

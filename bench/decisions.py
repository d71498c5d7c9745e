"""What a report costs when 10,000 trials have been, under each scheduler: `python bench/decisions.py`.

A study in memory, asked and told by hand in one process; each trial reports a curve that falls towards a
random value over 9 steps. Of the last trials is measured, in microseconds of CPU: a report as a whole, from the
call to the answer; what of it is the scheduler's, as the difference of the means to a study without one;
and an `ask`, in which trials are revived.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

import tunesmith as ts
from measure import header
from tunesmith.schedulers import Scheduler, registry

LAST = 1_000  # trials that are measured
STEPS = 9
BAR_US = 200


def measure(
    scheduler: Scheduler[object] | None, trials: int, *, resumable: bool
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the microseconds of the last reports and asks of a study."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", value="mean", resource=ts.Resource("epoch", STEPS),
        sampler=ts.samplers.Random(), scheduler=scheduler, seed=0,
    )  # fmt: skip
    reports: list[float] = []
    asks: list[float] = []
    while True:
        begun = time.process_time()
        trial = study.ask()
        asks.append(1e6 * (time.process_time() - begun))
        if trial.number >= trials:
            return reports[-LAST:], asks[-LAST:]
        if resumable:
            trial.resumable()
        for step in trial.steps():
            begun = time.process_time()
            over = trial.decide(step, loss=trial["x"] + 1 / step)
            reports.append(1e6 * (time.process_time() - begun))
            if over:
                break
        study.tell(trial)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    options = parser.parse_args()
    header()
    print(
        f"\n| trials {options.trials:,} | report, µs (median, 99 %) | decision, µs (bar {BAR_US}) "
        "| ask, µs (median, 99 %) |\n|---|---|---|---|"
    )
    for resumable in (False, True):
        plain = 0.0
        for name in ("none", *registry):
            scheduler = None if name == "none" else registry.make(name, {})
            try:
                reports, asks = measure(scheduler, options.trials, resumable=resumable)
            except ts.NotSupported as error:
                print(f"| {name} | {error} |", flush=True)
                continue
            plain = plain or float(np.mean(reports))
            cells = [
                name + (", resumable" if resumable else ""),
                f"{np.median(reports):.0f}, {np.quantile(reports, 0.99):.0f}",
                "" if name == "none" else f"{np.mean(reports) - plain:.0f}",
                f"{np.median(asks):.0f}, {np.quantile(asks, 0.99):.0f}",
            ]
            print("| " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

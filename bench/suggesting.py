"""What a suggestion of a model costs: CPU milliseconds of ask and tell, and memory, by study length.

    python bench/suggesting.py [--sampler gp]

The first 100 trials are all the sampler's own. Of longer studies all but the last 100 trials were
random ones from the queue; the first suggestion after them, which fits a model from nothing, is left
out.
"""

import argparse

from measure import child, header, table

ASK_TELL = """
import time
import numpy as np
import tunesmith as ts
from measure import space
name, d, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
study = ts.Study(space(d), minimize="loss", seed=0, sampler=ts.samplers.registry.make(name, {}))
weights = np.arange(1, d + 1) / d
def turn():
    trial = study.ask()
    x = np.array(list(trial.params.values()))
    study.tell(trial, float(weights @ (np.log10(x) + 3) ** 2))
for params in study.history.problem.space.sample(np.random.default_rng(0), n - 100):
    study.enqueue(params)
for _ in range(n - 99):
    turn()
begun = time.process_time()
for _ in range(99):
    turn()
out["ms"] = 1e3 * (time.process_time() - begun) / 99
out["rss"] = int(next(line.split()[1] for line in open("/proc/self/status") if "VmRSS" in line)) / 1024
"""

CASES = [(5, 100, 5), (10, 100, 5), (20, 100, 5), (40, 100, 5), (10, 1_000, 10), (10, 10_000, 25)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sampler", default="gp", help="its registered name")
    options = parser.parse_args()
    header()
    rows = []
    for d, n, bar in CASES:
        found = child(ASK_TELL, options.sampler, str(d), str(n))
        rows.append(
            (
                f"{options.sampler}: ask+tell, {d} parameters, the 100 trials up to {n:,}",
                f"{bar} ms",
                f"{found['ms']:.1f} ms, {found['rss']:.0f} MB",
            )
        )
    table("Suggestions", rows)


if __name__ == "__main__":
    main()

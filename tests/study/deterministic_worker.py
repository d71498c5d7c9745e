"""A process that runs its share of a deterministic study."""

import random
import sys
import time
from typing import Any

import tunesmith as ts


def main() -> None:
    path, trials = sys.argv[1], int(sys.argv[2])
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", name="s", storage=path, seed=0, deterministic=4
    )

    def objective(trial: ts.Trial[dict[str, Any]]) -> float:
        time.sleep(random.SystemRandom().random() * 0.02)
        trial.report(1, loss=1.0)
        return float(trial["x"])

    study.run(objective, trials=trials, workers=2, progress=False)


if __name__ == "__main__":
    main()

"""How long each picture takes to make, and how large it is, by the number of trials.

    python bench/pictures.py [TRIALS ...]

Seconds are of the processor, from the history to the JSON; the first call of each library is left out.
"""

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

import tunesmith as ts
from tunesmith.plots import Plots, registry
from tunesmith.records import History, Objective, Problem, Resource
from tunesmith.testing.histories import history_of

SPACE = ts.Space(
    {
        "optimizer": ts.Choice(
            {
                "sgd": {
                    "lr": ts.Float(1e-4, 1, log=True, default=0.1),
                    "momentum": ts.Float(0, 0.99, default=0.9),
                },
                "adam": {"lr": ts.Float(1e-5, 0.1, log=True, default=1e-3)},
            },
            default="sgd",
        ),
        "batch_size": ts.Ordinal([16, 32, 64, 128, 256], default=64),
        "weight_decay": ts.Float(1e-6, 0.1, log=True, default=1e-4),
        "layers": ts.List(ts.Int(32, 512, log=True, default=128), length=(1, 3)),
        "dropout": ts.Float(0, 0.6, default=0.1),
        "activation": ts.Categorical(["relu", "gelu", "tanh"], default="relu"),
    }
)
ACCURACY, LATENCY = Objective("accuracy", "maximize"), Objective("latency_ms", "minimize")
TRIALS = (10, 1000, 10_000, 100_000)


def histories(n: int) -> dict[str, History[Any]]:
    """Return a history of each kind, of `n` trials."""
    return {
        "trainings": history_of(Problem(SPACE, (ACCURACY,), resource=Resource("epoch", max=27)), n),
        "whole": history_of(Problem(SPACE, (ACCURACY,)), n),
        "two objectives": history_of(Problem(SPACE, (ACCURACY, LATENCY)), n),
        "population": history_of(
            Problem(SPACE, (ACCURACY,), resource=Resource("epoch", max=27)), n, copies=3
        ),
    }


KINDS = {
    "curves": "trainings",
    "rungs": "trainings",
    "timeline": "trainings",
    "front": "two objectives",
    "hypervolume": "two objectives",
    "lineage": "population",
    "schedules": "population",
}


def cost(make: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds that a figure takes, and the megabytes of its JSON."""
    gc.collect()
    begun = time.process_time()
    text = make().to_json()
    return time.process_time() - begun, len(text) / 1e6


def main(counts: list[int]) -> None:
    """Print a table."""
    table: dict[str, list[str]] = {name: [] for name in registry}
    for n in counts:
        made = histories(n)
        for name, cells in table.items():
            history = made[KINDS.get(name, "whole")]
            make = getattr(Plots(history), name)
            try:
                if not cells:
                    make()
                seconds, size = cost(make)
                cells.append(f"{seconds:.2f} s, {size:.2f} MB")
            except ts.TunesmithError as error:
                cells.append(f"({type(error).__name__})")
    print("| picture |", " | ".join(f"{n:,}" for n in counts), "|")
    print("|---|" + "---|" * len(counts))
    for name, cells in table.items():
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main([int(arg) for arg in sys.argv[1:]] or list(TRIALS))

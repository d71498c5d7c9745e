"""Population-based training against fixed configurations, where the best learning rate changes.

A student learns a teacher by SGD from a stream of noisy samples: large steps get near, small ones settle, so no
fixed rate is right throughout (H. Robbins, S. Monro. A stochastic approximation method. 1951). Teacher and
student are linear, or networks with a hidden layer. Every method does the same number of epochs; what counts is
the loss of its best student after the last epoch, on samples by which nobody chose. The samples of an epoch follow
from the trial's seed, so forks see others than their parents; with "PBT, inherited luck" they see the same. What is
printed is a table over seeds, paired, and how many of the best schedules, trained again in one go, came out the same.

    python bench/pbt.py linear --picture docs/pictures/pbt.png
    python bench/pbt.py network
"""

import argparse
import math
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

import tunesmith as ts

EPOCHS, MEMBERS = 100, 16
BATCHES, BATCH = 30, 8  # of an epoch
INPUTS, UNITS, NOISE = 10, 8, 1.0
WORST = 1e3
SPACE = {
    "rate": ts.Float(1e-3, 1.0, log=True),
    "momentum": ts.Float(0.0, 0.95),
}
Config: TypeAlias = dict[str, Any]
Array: TypeAlias = np.ndarray[Any, Any]


class Task:
    """A teacher, and the samples by which students are judged.

    Args:
        seed: Of all of it.
        deep: Whether teacher and students are networks; else they are linear.
    """

    def __init__(self, seed: int, *, deep: bool) -> None:
        luck = np.random.default_rng([seed, 1])
        self.deep = deep
        self.scales = np.geomspace(1, 0.3, INPUTS)
        self.w = luck.normal(size=(INPUTS, UNITS)) / math.sqrt(INPUTS)
        self.v = luck.normal(size=UNITS if deep else INPUTS)
        self.valid, self.test = self.samples(luck, 2000), self.samples(luck, 2000)

    def samples(self, luck: np.random.Generator, n: int) -> Array:
        """Return samples (n, d), whose columns have different scales."""
        return luck.normal(size=(n, INPUTS)) * self.scales

    def features(self, X: Array, w: Array) -> Array:
        """Return what is added up: the samples (n, d) themselves, or the hidden units (n, u) of weights (d, u)."""
        return np.tanh(X @ w) if self.deep else X

    def answer(self, X: Array) -> Array:
        """Return what the teacher says (n,) to samples (n, d)."""
        return self.features(X, self.w) @ self.v


class Student:
    """A model of the teacher's kind.

    Args:
        task: Whom it learns from.
        seed: Of its first weights, and with the epoch of the samples it sees.
    """

    def __init__(self, task: Task, seed: int) -> None:
        self.task = task
        self.seed = seed
        luck = np.random.default_rng([seed, 0])
        self.w = luck.normal(size=(INPUTS, 2 * UNITS)) / math.sqrt(INPUTS)
        self.v = np.zeros(2 * UNITS if task.deep else INPUTS)
        self.speed_w, self.speed_v = np.zeros_like(self.w), np.zeros_like(self.v)

    def epoch(self, epoch: int, rate: float, momentum: float) -> None:
        """Learn from samples that come once; momentum averages gradients, and leaves the rate's meaning."""
        luck = np.random.default_rng([self.seed, epoch])
        with np.errstate(all="ignore"):  # a rate that is too high shows in the loss
            for _ in range(BATCHES):
                X = self.task.samples(luck, BATCH)
                y = self.task.answer(X) + NOISE * luck.normal(size=BATCH)
                seen = self.task.features(X, self.w)
                wrong = (seen @ self.v - y) / BATCH
                if self.task.deep:
                    slope = X.T @ (wrong[:, None] * self.v * (1 - seen**2))
                    self.speed_w = momentum * self.speed_w + (1 - momentum) * slope
                    self.w = self.w - rate * self.speed_w
                self.speed_v = momentum * self.speed_v + (1 - momentum) * wrong @ seen
                self.v = self.v - rate * self.speed_v

    def loss(self, X: Array) -> float:
        """Return the mean squared error on samples (n, d), without noise.

        It is never above `WORST`: a trial that failed would cost no budget, and the epochs be no longer equal.
        """
        with np.errstate(all="ignore"):
            said = self.task.features(X, self.w) @ self.v
            loss = np.mean((said - self.task.answer(X)) ** 2)
        return float(loss) if loss < WORST else WORST

    def save(self, folder: Path) -> None:
        """Write weights, speeds and seed."""
        parts = (self.w, self.v, self.speed_w, self.speed_v)
        np.savez(folder / "student.npz", *parts, seed=self.seed)

    def load(self, folder: Path) -> None:
        """Take them back."""
        with np.load(folder / "student.npz") as kept:
            self.w, self.v, self.speed_w, self.speed_v = (kept[f"arr_{i}"] for i in range(4))
            self.seed = int(kept["seed"])


def objective(
    task: Task, factor: Callable[[int], float] = lambda _: 1.0, *, inherited: bool = False
) -> Callable[..., None]:
    """Return a training: each epoch is at the trial's rate times a factor, a fork's luck its own or inherited."""

    def train(trial: ts.Trial[Config]) -> None:
        student = Student(task, trial.seed)
        trial.resumable(save=student.save, load=student.load)
        if not inherited:
            student.seed = trial.seed
        for epoch in trial.steps():
            student.epoch(epoch, trial["rate"] * factor(epoch), trial["momentum"])
            trial.report(epoch, loss=student.loss(task.valid), test=student.loss(task.test))

    return train


def study_of(
    seed: int, sampler: ts.samplers.Sampler[Any], scheduler: ts.schedulers.Scheduler[Any] | None
) -> ts.Study[Config]:
    """Return a study in memory."""
    return ts.Study(
        SPACE, minimize="loss", resource=ts.Resource("epoch", max=EPOCHS), sampler=sampler,
        scheduler=scheduler, seed=seed,
    )  # fmt: skip


def population(
    task: Task, seed: int, workers: int | None, *, inherited: bool = False
) -> ts.Study[Config]:
    """Run PBT as it comes."""
    study = study_of(seed, ts.samplers.Random(), ts.schedulers.PBT())
    training = objective(task, inherited=inherited)
    study.run(training, trials=MEMBERS, workers=workers, progress=False)
    return study


def heirs(task: Task, seed: int, workers: int | None) -> ts.Study[Config]:
    """Run PBT with forks that see what their parents see."""
    return population(task, seed, workers, inherited=True)


def random_search(task: Task, seed: int, workers: int | None) -> ts.Study[Config]:
    """Train as many random configurations to the end."""
    study = study_of(seed, ts.samplers.Random(), None)
    study.run(objective(task), trials=MEMBERS, workers=workers, progress=False)
    return study


def model_based(task: Task, seed: int, workers: int | None) -> ts.Study[Config]:
    """Let the default sampler choose them."""
    study = study_of(seed, ts.samplers.Auto(), None)
    study.run(objective(task), trials=MEMBERS, workers=workers, progress=False)
    return study


def grid_of(
    task: Task, seed: int, workers: int | None, factor: Callable[[int], float]
) -> ts.Study[Config]:
    """Train a grid of rates to the end."""
    study = study_of(seed, ts.samplers.Random(), None)
    for rate in np.geomspace(1e-3, 1.0, MEMBERS):
        study.enqueue({"rate": float(rate), "momentum": 0.0})
    study.run(objective(task, factor), trials=MEMBERS, workers=workers, progress=False)
    return study


def grid(task: Task, seed: int, workers: int | None) -> ts.Study[Config]:
    """Train a grid of fixed rates to the end."""
    return grid_of(task, seed, workers, lambda _: 1.0)


def cosine(task: Task, seed: int, workers: int | None) -> ts.Study[Config]:
    """Train a grid of first rates to the end, each of which falls to 0 along a cosine: what an expert knows."""
    return grid_of(task, seed, workers, lambda t: 0.5 + 0.5 * math.cos(math.pi * (t - 1) / EPOCHS))


METHODS: dict[str, Callable[[Task, int, int | None], ts.Study[Config]]] = {
    "PBT": population,
    "PBT, inherited luck": heirs,
    "fixed, random": random_search,
    "fixed, default": model_based,
    "fixed, grid": grid,
    "(cosine, grid)": cosine,
}


def replayed(task: Task, study: ts.Study[Config]) -> float:
    """Return the loss of a training in one go, under the schedule of the best trial."""
    line = study.history.lineage(study.best)
    student = Student(task, line[0].seed)
    for epoch in range(1, EPOCHS + 1):
        member = [record for record in line if record.fork_step < epoch][-1]
        student.seed = member.seed
        student.epoch(epoch, **member.params)
    return student.loss(task.valid)


def curve(study: ts.Study[Config], record: ts.Record[Config]) -> Array:
    """Return the losses of a trial, with those of the trials that it was forked from."""
    line = study.history.lineage(record)
    ends = [*(after.fork_step for after in line[1:]), EPOCHS]
    parts = [r.reported("loss") for r in line]
    return np.concatenate(
        [losses[steps <= end] for (steps, losses), end in zip(parts, ends, strict=True)]
    )


def rates(record: ts.Record[Config]) -> Array:
    """Return the rate at each epoch."""
    found = np.zeros(EPOCHS)
    for first, params in record.schedule:
        found[first - 1 :] = params["rate"]
    return found


def draw(path: Path, studies: dict[str, ts.Study[Config]], tests: dict[str, Array]) -> None:
    """Draw rates and losses of one seed, and the final losses of all."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    epochs = np.arange(1, EPOCHS + 1)
    blue, orange, gray = "tab:blue", "tab:orange", "gray"
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), width_ratios=(1, 1, 0.9))
    ours, fixed = studies["PBT"], studies["fixed, grid"]
    for study, color, label in ((fixed, orange, "best fixed rate"), (ours, blue, "PBT's best")):
        for record in study.history:
            if record.state == "complete":
                left.plot(epochs, rates(record), color=color, lw=0.6, alpha=0.5)
                middle.plot(epochs, curve(study, record), color=color, lw=0.6, alpha=0.5)
        left.plot(epochs, rates(study.best), color=color, lw=2.5, label=label)
        middle.plot(epochs, curve(study, study.best), color=color, lw=2.5, label=label)
    left.set(yscale="log", xlabel="epoch", title="learning rate, one seed (thin: the others)")
    middle.set(yscale="log", xlabel="epoch", title="validation loss, the same seed")
    middle.set_ylim(0.5 * ours.best.value, 1.0)
    middle.legend(framealpha=0.9, edgecolor="none", loc="upper right")
    names = list(METHODS)
    colors = [blue, blue, *[orange] * (len(names) - 3), gray]
    for place, (name, color) in enumerate(zip(names, colors, strict=True)):
        right.plot(
            tests[name], np.full(len(tests[name]), -place), "o", color=color, ms=4, alpha=0.5
        )
        right.plot(np.median(tests[name]), -place, "|", color=color, ms=24, mew=3)
    right.set(xscale="log", title=f"test loss, {len(tests['PBT'])} seeds")
    right.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3)))
    right.xaxis.set_major_formatter("{x:g}")
    right.xaxis.set_minor_formatter(ticker.NullFormatter())
    right.set_yticks(-np.arange(len(names)), names)
    right.set_ylim(-len(names) + 0.4, 0.6)
    figure.tight_layout(w_pad=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("task", choices=["linear", "network"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, help="processes; left out, none but this")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args(arguments)

    tests: dict[str, list[float]] = {name: [] for name in METHODS}
    shown: dict[str, ts.Study[Config]] = {}
    exact = 0
    for seed in range(args.first, args.first + args.seeds):
        task = Task(seed, deep=args.task == "network")
        studies = {name: method(task, seed, args.workers) for name, method in METHODS.items()}
        for name, study in studies.items():
            assert study.history.spent <= MEMBERS * EPOCHS, name
            tests[name].append(study.best.values["test"])
        exact += replayed(task, studies["PBT"]) == studies["PBT"].best.value
        shown = shown or studies
        print(seed, " ".join(f"{values[-1]:.5f}" for values in tests.values()), flush=True)

    found = {name: np.array(values) for name, values in tests.items()}
    print(
        f"\n{args.task}: Python {platform.python_version()}, NumPy {np.__version__}, {MEMBERS} x {EPOCHS} epochs"
    )
    fixed = [values for name, values in found.items() if name.startswith("fixed")]
    rows = {
        **found,
        "the best of all fixed ones, by test, at thrice the epochs": np.min(fixed, axis=0),
    }
    print("| | test loss, median | times that of PBT (95 %) | PBT better |\n|---|---|---|---|")
    for name, values in rows.items():
        ratio = np.log(values / found["PBT"])
        middle, half = ratio.mean(), 1.96 * ratio.std(ddof=1) / math.sqrt(len(ratio))
        low, high = np.exp([middle - half, middle + half])
        print(
            f"| {name} | {np.median(values):.5f} | {np.exp(middle):.2f} ({low:.2f} to {high:.2f}) | "
            f"{int((ratio > 0).sum())} of {len(ratio)} |"
        )
    print(
        f"\nschedules that, trained again in one go, gave the same loss to the last bit: {exact} of {args.seeds}"
    )
    if args.picture:
        draw(args.picture, shown, found)


if __name__ == "__main__":
    main()

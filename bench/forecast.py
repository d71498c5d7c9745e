"""Whether forecasts hold: `python bench/forecast.py report RUNS`; `fit RUNS` prints the constants of the model.

RUNS is a folder of recorded runs, `<optimiser>.jsonl`, each line with `task` ("family/instance"), `seed` and
`y`, the losses in order: what `bench/quality.py run --out RUNS` writes. The losses up to a trial are given
to the forecast, and what the following ones gained is compared with it. The report is of constants fitted to the
other families of tasks, so that no task has seen itself; `--shipped` takes those that are shipped.
"""

import argparse
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

import tunesmith as ts
from measure import columns, header
from tunesmith.models import gains
from tunesmith.numerics.arrays import Floats
from tunesmith.stop import NoWorthwhileGain

AT = (15, 25, 35, 50, 70, 100, 140)
MORE = (5, 10, 20, 50, 100)
SHOWN = ((25, 50), (50, 50), (50, 100), (100, 50), (100, 100))
OURS = "tunesmith"
WEIGHT = 5  # a run of ours counts so often in a fit: it is what is forecast
WORTH = 0.01  # of the way from the median trial to the best: a gain that is worth it


@dataclass(frozen=True)
class Case:
    """A moment of a run, and what came of it."""

    optimiser: str
    family: str
    n: int
    more: int
    losses: Floats
    left: float  # how many of the added trials come to a value, as it looks at that moment
    gain: float

    @property
    def worth(self) -> float:
        """A gain that is worth it."""
        return WORTH * float(np.median(self.losses) - self.losses.min())


@dataclass(frozen=True)
class Constants:
    """Those of `tunesmith.models.gains`."""

    any: Floats
    size: Floats
    spread: Floats

    def forecast(self, case: Case) -> gains.Gain:
        """Return what they make of a case."""
        unit, x = gains.standing(case.losses, case.left)
        chance = 1 / (1 + math.exp(-float(self.any @ x)))
        return gains.Gain(chance, unit * np.exp(float(self.size @ x) + self.spread))


def cases(folder: Path) -> list[Case]:
    """Return all moments of all recorded runs."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            run = json.loads(line)
            y = np.array(run["y"], dtype=float)
            if run.get("err"):
                continue
            for n, more in ((n, more) for n in AT for more in MORE if n / 10 <= more <= 3 * n):
                losses, added = (part[np.isfinite(part)] for part in (y[:n], y[n : n + more]))
                if len(y) < n + more or len(losses) < gains.LEAST:
                    continue
                best = float(losses.min())
                gain = best - float(min(best, added.min(initial=math.inf)))
                family = run["task"].split("/")[0]
                left = more * len(losses) / n
                found.append(Case(path.stem, family, n, more, losses, left, gain))
    return found


def fit(known: Sequence[Case]) -> Constants:
    """Return the constants that describe the cases best: a logistic and a robust linear regression."""
    known = [case for case in known for _ in range(WEIGHT if case.optimiser == OURS else 1)]
    stood = [gains.standing(case.losses, case.left) for case in known]
    X = np.array([x for _, x in stood])
    better = np.array([case.gain > 0 for case in known])

    def loss(c: Floats) -> tuple[float, Floats]:
        u = X @ c
        error = 1 / (1 + np.exp(-u)) - better
        return float((np.logaddexp(0, u) - better * u).sum() + c @ c / 2), X.T @ error + c

    some = minimize(loss, np.zeros(X.shape[1]), jac=True).x
    ratio = np.array(
        [math.log(c.gain / u) for c, (u, _) in zip(known, stood, strict=True) if c.gain > 0]
    )
    A = X[better]
    size = np.linalg.lstsq(A, ratio)[0]
    for _ in range(30):  # absolute errors, by weights
        w = (np.abs(ratio - A @ size) + 0.05) ** -0.5
        size = np.linalg.lstsq(A * w[:, None], ratio * w)[0]
    return Constants(some, size, np.quantile(ratio - A @ size, gains.LEVELS))


def report(known: Sequence[Case], by_family: dict[str, Constants]) -> None:
    """Print how often the intervals hold what came, and how often came what had a chance."""
    made = [(case, by_family[case.family].forecast(case)) for case in known]

    def row(name: str, **wanted: object) -> list[str]:
        those = [
            (case, gain)
            for case, gain in made
            if all(getattr(case, field) == value for field, value in wanted.items())
        ]
        if not those:
            return [name, "0", *["-"] * 5]
        inside = [low <= case.gain <= high for case, g in those for low, high in [g.interval()]]
        any_, worth = ([g.chance(w * c.worth) for c, g in those] for w in (0, 1))
        came, paid = ([c.gain > w * c.worth for c, _ in those] for w in (0, 1))
        shares = (f"{np.mean(x):.2f}" for x in (inside, any_, came, worth, paid))
        return [name, f"{len(those):,}", *shares]

    title = (
        "",
        "cases",
        "in the 90 % interval",
        "any gain: said",
        "came",
        "worth it: said",
        "came",
    )
    rows = []
    for n, more in SHOWN:
        rows.append(row(f"{n} -> {n + more}", n=n, more=more))
        rows.append(row("... ours", n=n, more=more, optimiser=OURS))
    columns(title, rows)
    rows = [row("all"), *(row(family, family=family) for family in by_family)]
    rows += [row(name, optimiser=name) for name in sorted({case.optimiser for case in known})]
    columns(title, rows)
    print("\nGains that are worth it, by what was said:")
    said = [(g.chance(c.worth), c.gain > c.worth, c.optimiser == OURS) for c, g in made]
    rows = []
    for low, high in pairwise((0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.01)):
        all_ = [paid for p, paid, _ in said if low <= p < high]
        own = [paid for p, paid, mine in said if low <= p < high and mine]
        shares_ = [f"{np.mean(x):.2f} of {len(x):,}" if x else "-" for x in (all_, own)]
        rows.append([f"{low:g} to {min(high, 1):g}", *shares_])
    columns(("said", "came", "came, ours"), rows)


def luck(constants: Constants) -> None:
    """Print how the intervals do where nothing is left but noise."""
    rng = np.random.default_rng(0)
    draws: dict[str, Callable[[int], Floats]] = {
        "normal": rng.standard_normal,
        "uniform": rng.random,
        "exponential": rng.standard_exponential,
        "Student's t, 3": lambda size: rng.standard_t(3, size),
    }
    rows = []
    for name, draw in draws.items():
        for n in (25, 50, 100):
            inside = []
            for _ in range(1000):
                y = np.asarray(draw(n + 50))
                case = Case("", "", n, 50, y[:n], 50, float(y[:n].min() - min(y)))
                low, high = constants.forecast(case).interval()
                inside.append(low <= case.gain <= high)
            rows.append([name, f"{n} -> {n + 50}", f"{np.mean(inside):.2f}"])
    columns(("noise alone", "", "in the 90 % interval"), rows)


def stopping(folder: Path, by_family: dict[str, Constants]) -> None:
    """Print what `NoWorthwhileGain` would have done to the recorded runs of ours."""
    rows = []
    for rule in (NoWorthwhileGain(), NoWorthwhileGain(chance=0.05), NoWorthwhileGain(chance=0.2)):
        ended, missed, kept = [], [], []
        runs = [json.loads(line) for line in (folder / f"{OURS}.jsonl").read_text().splitlines()]
        for run in runs:
            y = run["y"]
            known = by_family[run["task"].split("/")[0]]
            gains.ANY, gains.SIZE, gains.SPREAD = known.any, known.size, known.spread
            study = ts.Study(
                {"x": ts.Float(0, 1)}, minimize="loss", sampler=ts.samplers.Random(), seed=0
            )
            for n, loss in enumerate(y[: -rule.trials], 1):
                study.tell(study.ask(), loss)
                if not rule.reason(study.history, 0.0):
                    continue
                done = np.array([x for x in y[:n] if math.isfinite(x)])
                typical, best = float(np.median(done[:10])), float(done.min())
                later, last = (np.nanmin([best, *part]) for part in (y[n : n + rule.trials], y))
                ended.append(n)
                missed.append(best - later > WORTH * (typical - best))
                kept.append((typical - best) / (typical - last) if typical > last else 1.0)
                break
        spread = " / ".join(f"{q:.2f}" for q in np.quantile(kept, (0.05, 0.25, 0.5)))
        row = [f"{rule.chance:g}", f"{len(ended)} of {len(runs)}", f"{np.median(ended):.0f}"]
        rows.append([*row, f"{np.mean(missed):.2f}", spread])
    title = (
        "chance",
        "ended",
        "after, median",
        "worth it in the next 50",
        "of the gain of all, 5 % / 25 % / 50 %",
    )
    columns(title, rows)


def main() -> None:
    """Print the tables, or the constants."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("report", "fit"))
    parser.add_argument("runs", type=Path)
    parser.add_argument("--shipped", action="store_true")
    options = parser.parse_args()
    known = cases(options.runs)
    if options.what == "report":
        header()
        shipped = Constants(gains.ANY, gains.SIZE, gains.SPREAD)
        families = sorted({case.family for case in known})
        by_family = dict.fromkeys(families, shipped)
        if not options.shipped:
            by_family = {f: fit([c for c in known if c.family != f]) for f in families}
        report(known, by_family)
        luck(shipped)
        stopping(options.runs, by_family)
        return
    found = fit(known)
    for name in ("any", "size", "spread"):
        print(name.upper(), "=", np.round(getattr(found, name), 3).tolist())


if __name__ == "__main__":
    main()

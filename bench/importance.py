"""How near importances come to the truth, how often their intervals hold it, and how long they take.

    python bench/importance.py truth [--seeds 10] [--trials 30 100 300 1000] [--optuna PYTHON]
    python bench/importance.py time [--optuna PYTHON]
    python bench/importance.py advice [--seeds 100] [--trials 30 100]

`truth`: functions of which the shares are known (Sobol' indices), from random trials and from those of a search by
TPE; by variance and by density, and by Optuna's fANOVA and PED-ANOVA of the same trials.
`advice`: how often something is advised that is not so. `time`: 10,000 trials of 20 parameters, CPU seconds on one thread.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts
from measure import columns, header
from tunesmith.analysis import importance
from tunesmith.analysis.importance import Method
from tunesmith.numerics.arrays import Floats

PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
optuna.logging.set_verbosity(optuna.logging.ERROR)
evaluators = {"optuna fANOVA": FanovaImportanceEvaluator, "optuna PED-ANOVA": PedAnovaImportanceEvaluator}
for line in sys.stdin:
    asked = json.loads(line)
    study = optuna.create_study()
    kinds = {n: CategoricalDistribution(v) if v else FloatDistribution(0, 1) for n, v in asked["space"].items()}
    study.add_trials([optuna.trial.create_trial(params=p, distributions={n: kinds[n] for n in p}, value=v)
                      for p, v in zip(asked["params"], asked["values"])])
    out = {}
    for name in asked["by"]:
        begin = time.process_time()
        try:
            found = get_param_importances(study, evaluator=evaluators[name](**({"seed": 0} if "fA" in name else {})))
        except Exception as error:
            found = {}
        out[name] = {"shares": found, "s": time.process_time() - begin}
    print(json.dumps(out), flush=True)
"""


@dataclass(frozen=True)
class Function:
    """A function over [0, 1]^d, or over a conditional space, whose shares are known.

    Attributes:
        space: Where.
        f: Of a configuration.
        shares: Of each parameter.
        pairs: Beyond that, of two.
    """

    space: dict[str, Any]
    f: Callable[[dict[str, Any]], float]
    shares: dict[str, float]
    pairs: dict[tuple[str, str], float]


def cube(d: int, f: Callable[[Floats], Floats]) -> Function:
    """Return a function of units (n, d), its indices by pick and freeze (Saltelli, 2002) of a million points."""
    names = [f"x{j}" for j in range(d)]
    rng = np.random.default_rng(0)
    A, B = rng.random((500_000, d)), rng.random((500_000, d))
    ya = f(A)
    mean, total = ya.mean(), ya.var()

    def closed(kept: list[int]) -> float:
        mixed = B.copy()
        mixed[:, kept] = A[:, kept]
        return float(((ya - mean) * (f(mixed) - f(B))).mean() / total)

    single = [closed([j]) for j in range(d)]
    shares = {name: max(0.0, s) for name, s in zip(names, single, strict=True)}
    pairs = {
        (names[a], names[b]): max(0.0, closed([a, b]) - single[a] - single[b])
        for a, b in combinations(range(d), 2)
    }
    space = {name: ts.Float(0, 1) for name in names}
    return Function(space, lambda p: float(f(np.array([[p[n] for n in names]]))[0]), shares, pairs)


def ishigami(u: Floats) -> Floats:
    """T. Ishigami, T. Homma, 1990; and three parameters that do nothing."""
    x = (2 * u - 1) * np.pi
    return np.asarray(
        np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    )


def g(u: Floats) -> Floats:
    """I. M. Sobol', 1993; coefficients of Saltelli et al., 2000."""
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    return np.asarray(np.prod((np.abs(4 * u - 2) + a) / (1 + a), axis=1))


def branin(u: Floats) -> Floats:
    """F. H. Branin, 1972; and two parameters that do nothing."""
    x, y = 15 * u[:, 0] - 5, 15 * u[:, 1]
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    return np.asarray(valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


def hartmann(u: Floats) -> Floats:
    """J. K. Hartman, 1973, of six parameters; constants of Dixon and Szegö, 1978."""
    A = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    P = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    weights = np.array([1.0, 1.2, 3.0, 3.2])
    inner = (A * (u[:, None, :] - P) ** 2).sum(axis=2)
    return np.asarray(-np.exp(-inner) @ weights)


def conditional() -> Function:
    """Two branches; shares by hand, see `shares`: the variance within a branch counts half."""

    def f(p: dict[str, Any]) -> float:
        if p["kind"] == "a":
            return float(3 * p["kind.a.x"] + p["z"])
        return float(1 + 2 * p["kind.b.y"] + 2 * p["z"])

    space = {
        "kind": ts.Choice({"a": {"x": ts.Float(0, 1)}, "b": {"y": ts.Float(0, 1)}}),
        "z": ts.Float(0, 1),
        "w": ts.Float(0, 1),
    }
    kind = (2.0 - 3.0) ** 2 / 4  # means of the branches: 2 and 3
    x, y, z, both = 0.5 * 9 / 12, 0.5 * 4 / 12, 1.5**2 / 12, 0.5**2 / 12
    total = kind + x + y + z + both
    shares = {"kind": kind, "kind.a.x": x, "kind.b.y": y, "z": z, "w": 0.0}
    pairs = {("kind", "z"): both / total}
    return Function(space, f, {name: v / total for name, v in shares.items()}, pairs)


def functions() -> dict[str, Function]:
    """Return all of them by name."""
    return {
        "ishigami": cube(6, ishigami),
        "g": cube(8, g),
        "branin": cube(4, branin),
        "hartmann": cube(6, hartmann),
        "conditional": conditional(),
    }


def searched(
    function: Function, sampler: Any, n: int, seed: int, noise: float
) -> ts.Study[dict[str, Any]]:
    """Return a study of n trials, whose values have noise of so many of the function's deviations."""
    rng = np.random.default_rng(seed)
    study = ts.Study(function.space, minimize="loss", seed=seed, sampler=sampler)
    spread = float(np.std([function.f(p) for p in study.space.sample(rng, 1000)]))
    for _ in range(n):
        trial = study.ask()
        study.tell(trial, function.f(dict(trial.params)) + noise * spread * rng.normal())
    return study


def ranks(x: Floats) -> Floats:
    """Return ranks (n,), equal values sharing theirs."""
    return np.asarray((x[:, None] > x).sum(axis=1) + (x[:, None] == x).sum(axis=1) / 2)


def scores(function: Function, shares: dict[str, float]) -> dict[str, float]:
    """Return how near shares come: their mean error, Spearman's correlation, the top two."""
    truth = np.array(list(function.shares.values()))
    found = np.array([shares.get(name, 0.0) for name in function.shares])
    top = set(np.argsort(-truth)[:2].tolist())
    return {
        "error": float(np.abs(found - truth).mean()),
        "order": float(np.corrcoef(ranks(found), ranks(np.round(truth, 3)))[0, 1])
        if np.ptp(found)
        else 0.0,
        "top": len(top & set(np.argsort(-found)[:2].tolist())) / 2,
    }


def ours(function: Function, study: ts.Study[Any], method: Method) -> dict[str, float]:
    """Return scores of one of ours, and how often its intervals hold the truth."""
    begin = time.process_time()
    found = study.importance(method=method)
    seconds = time.process_time() - begin
    shares = {effect.parameter: effect.share for effect in found.effects}
    told = scores(function, shares) | {"s": seconds}
    if method == "anova":
        slack = 0.005  # shares that are 0 lie at the edge of what can be
        held = [
            e.interval[0] - slack <= function.shares[e.parameter] <= e.interval[1] + slack
            for e in found.effects
        ]
        truth = [function.pairs.get(i.parameters, 0.0) for i in found.interactions]
        told["cover"] = float(np.mean(held))
        told["width"] = float(np.mean([e.interval[1] - e.interval[0] for e in found.effects]))
        told["pairs"] = float(
            np.mean([abs(i.share - t) for i, t in zip(found.interactions, truth, strict=True)])
        )
        told["pairs cover"] = float(
            np.mean(
                [
                    i.interval[0] - slack <= t <= i.interval[1] + slack
                    for i, t in zip(found.interactions, truth, strict=True)
                ]
            )
        )
    return told


class Peer:
    """Optuna in another process, asked line by line."""

    def __init__(self, python: str) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False) as file:
            file.write(PEER)
        self._process = subprocess.Popen(
            [python, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._path = Path(file.name)

    def __call__(self, study: ts.Study[Any], by: list[str]) -> dict[str, Any]:
        parameters = study.space.parameters.items()
        asked = {
            "space": {n: list(p.labels) if hasattr(p, "labels") else None for n, p in parameters},
            "params": [r.logged for r in study.history],
            "values": [r.value for r in study.history],
            "by": by,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        self._process.communicate()
        self._path.unlink()


def truth(options: argparse.Namespace) -> None:
    """Measure how near all come to the truth."""
    peer = Peer(options.optuna) if options.optuna else None
    all_scores: dict[tuple[str, ...], list[dict[str, float]]] = defaultdict(list)
    samplers = {"random": ts.samplers.Random(), "TPE": ts.samplers.TPE()}
    for name, function in functions().items():
        if options.only and name not in options.only:
            continue
        for by, sampler in samplers.items():
            for n in options.trials:
                for seed in range(options.first, options.first + options.seeds):
                    noise = (0.0, 0.3)[seed % 2]
                    study = searched(function, sampler, n, seed, noise)
                    found = {
                        "anova": ours(function, study, "anova"),
                        "density": ours(function, study, "density"),
                    }
                    if peer is not None:
                        theirs = peer(study, ["optuna fANOVA", "optuna PED-ANOVA"])
                        for method, one in theirs.items():
                            found[method] = scores(function, one["shares"]) | {"s": one["s"]}
                    for method, score in found.items():
                        all_scores[name, by, str(n), method].append(score)
                        if options.out:
                            with Path(options.out).open("a") as file:
                                file.write(json.dumps([name, by, n, seed, method, score]) + "\n")
    if peer is not None:
        peer.close()
    report(all_scores)


MEASURES = ("error", "order", "top", "cover", "width", "pairs", "pairs cover", "s")


def report(all_scores: dict[tuple[str, ...], list[dict[str, float]]]) -> None:
    """Print means over functions and seeds, by sampler, number of trials and method; then by function."""
    for keep in ((1, 2, 3), (0, 1, 3)):
        grouped: dict[tuple[str, ...], list[dict[str, float]]] = defaultdict(list)
        for key, several in all_scores.items():
            grouped[tuple(key[i] for i in keep)] += several
        rows = []
        for group, several in grouped.items():
            means = [
                f"{np.mean([s[m] for s in several]):.3f}" if m in several[0] else ""
                for m in MEASURES
            ]
            rows.append([*group, str(len(several)), *means])
        columns(["", "", "", "studies", *MEASURES], rows)


def duration(options: argparse.Namespace) -> None:
    """Measure how long 10,000 trials of 20 parameters take; each study is looked at once, as nothing is kept of it then."""
    space = {f"x{j}": ts.Float(0, 1) for j in range(20)}
    spent: dict[tuple[int, str], list[float]] = defaultdict(list)
    for n in (1000, 10_000):
        for seed in range(3):
            study = ts.Study(space, minimize="loss", seed=seed, sampler=ts.samplers.Random())
            rng = np.random.default_rng(seed)
            for trial in study.ask(n):
                u = np.array([[trial.params[name] for name in space]])
                study.tell(trial, float(ishigami(u)[0] + rng.normal()))
            history = study.history
            methods: tuple[Method, ...] = ("anova", "density")
            for method in methods:
                begin = time.process_time()
                importance(history, method=method)
                spent[n, method].append(time.process_time() - begin)
            if options.optuna and not seed:
                peer = Peer(options.optuna)
                by = ["optuna PED-ANOVA"] + ["optuna fANOVA"] * (n <= 1000)
                for method_of_theirs, one in peer(study, by).items():
                    spent[n, method_of_theirs].append(one["s"])
                peer.close()
    rows = [
        [f"{method}, {n:,} trials", f"{np.median(seconds):.2f}"]
        for (n, method), seconds in spent.items()
    ]
    columns(["20 parameters", "CPU s, median"], rows)


def advised(options: argparse.Namespace) -> None:
    """Measure how often advice is false: on nothing but noise, and on a bowl whose middle lies well inside."""
    samplers: dict[str, ts.samplers.Sampler[Any]] = {
        "random": ts.samplers.Random(), "TPE": ts.samplers.TPE(), "GP": ts.samplers.GP(),
    }  # fmt: skip
    space = {f"x{j}": ts.Float(0, 1) for j in range(5)}
    rows = []
    for kind in ("noise", "bowl"):
        for by, sampler in samplers.items():
            for n in options.trials:
                false: list[int] = []
                right: list[int] = []
                for seed in range(options.first, options.first + options.seeds):
                    rng = np.random.default_rng(seed)
                    middle = rng.uniform(0.35, 0.65, 5)
                    weights = np.array([4.0, 2.0, 1.0, 0.5, 0.0]) * (kind == "bowl")
                    study = ts.Study(space, minimize="loss", seed=seed, sampler=sampler)
                    for _ in range(n):
                        trial = study.ask()
                        u = np.array([trial.params[name] for name in space])
                        study.tell(trial, float(weights @ (u - middle) ** 2 + rng.normal(0, 0.1)))
                    wrong = [
                        _wrong(
                            one, dict(zip(space, zip(weights, middle, strict=True), strict=True))
                        )
                        for one in study.advice()
                    ]
                    false.append(sum(wrong))
                    right.append(len(wrong) - sum(wrong))
                share = float(np.mean(np.array(false) > 0))
                rows.append(
                    [kind, by, str(n), f"{share:.1%} of {len(false)}", f"{np.mean(right):.1f}"]
                )
                print(rows[-1], flush=True)
    columns(["function", "sampler", "trials", "studies with false advice", "true advice"], rows)


def _wrong(one: Any, truth: dict[str, tuple[float, float]]) -> bool:
    """Whether advice on a bowl is false: of a parameter its weight and where it is best."""
    weight, middle = truth[one.parameter]
    if one.kind == "no effect":
        return weight > 0.5
    if one.kind == "narrow it":
        return weight == 0 or not one.low <= middle <= one.high
    return True


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["truth", "time", "advice"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trials", type=int, nargs="*", default=[30, 100, 300, 1000])
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--optuna", metavar="PYTHON")
    parser.add_argument("--out", metavar="FILE", help="scores line by line, as they come")
    options = parser.parse_args()
    header()
    {"truth": truth, "time": duration, "advice": advised}[options.what](options)


if __name__ == "__main__":
    main()

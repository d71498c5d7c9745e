"""How far to trust what a study returns: regret, coverage, width and bias of its recommendation.

    BENCH_TASKS=folder python bench/trust.py run --out logs [--seeds 10] [--only hpobench fcnet]
    BENCH_TASKS=folder python bench/trust.py report --out logs [--only ...]
    BENCH_TASKS=folder python bench/trust.py racing --out logs [--share 0.5] [--only ...]

`run` keeps what each study of 100 trials measured, one JSON line a study, and goes on where it was
stopped; `report` asks for recommendations of these logs and judges them by the truth, which no study
saw. `racing` does both for 100 evaluations of which some are repetitions, beside the plain studies of the same
problems and seeds. The noisy tasks are those of the folder that holds `compare.py`, `tasks.py` and, in `runs/`, what other
optimisers returned; noise comes as there, so that runs of a seed are paired. Beside them are functions
with noise of known size and shape: `branin/0.3/heavy` has a standard deviation of 0.3 of that among the
best tenth of the space.
"""

import argparse
import importlib
import json
import math
import os
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import tunesmith as ts
from measure import columns, header
from quality import parameter
from tunesmith.analysis import recommend
from tunesmith.records import History, Objective, Problem, Record
from tunesmith.testing.functions import KNOWN

TRIALS = 100
TABLES = (
    "hpobench/australian", "hpobench/car", "hpobench/kc1", "hpobench/segment",
    "fcnet/naval_propulsion", "fcnet/protein_structure",
)  # fmt: skip
TRAIN = ("train/svm-digits", "train/forest-digits", "train/mlp-digits", "train/forest-breast_cancer", "train/mlp-wine")  # fmt: skip
SIZES = (0.1, 0.3, 1.0)  # of the noise
SHAPES = ("normal", "heavy", "uneven")


@dataclass(frozen=True)
class Case:
    """A noisy problem whose truth is known.

    Attributes:
        space: Of it.
        measure: What a trial measures, of its params, and two numbers that its luck follows from: the study's
            seed and the trial's number; or, where seeds are common to configurations, the trial's seed and -1.
        truth: The expected value, of params.
        noise: The standard deviation of a measurement, of params.
        judged: What others are judged by in the benchmark, of params.
        floor: The best that there is.
        spread: From there to the median of random configurations; 1 of functions.
    """

    space: dict[str, Any]
    measure: Callable[[dict[str, Any], int, int], float]
    truth: Callable[[dict[str, Any]], float]
    noise: Callable[[dict[str, Any]], float]
    judged: Callable[[dict[str, Any]], float]
    floor: float
    spread: float = 1.0


@cache
def case(name: str) -> Case:
    """Return a problem by name."""
    return _task(name) if name.partition("/")[0] in ("hpobench", "fcnet", "train") else _made(name)


def _folder() -> Path:
    folder = os.environ.get("BENCH_TASKS")
    if not folder or not (Path(folder) / "tasks.py").exists():
        sys.exit(f"BENCH_TASKS must name the folder that holds tasks.py, it is {folder!r}")
    return Path(folder).resolve()


def _task(name: str) -> Case:
    sys.path.insert(0, str(_folder()))
    task = importlib.import_module("tasks").task(name)
    many = {"hpobench": 5, "fcnet": 4, "train": 8}[name.partition("/")[0]]

    def measure(params: dict[str, Any], seed: int, n: int) -> float:
        drawn = int(np.random.default_rng([seed, max(n, 0)]).integers(2**31))
        return float(task.loss(params, seed=drawn))

    @cache
    def values(key: str) -> list[float]:
        first = 10**6 if name.startswith("train") else 0
        return [float(task.loss(json.loads(key), seed=first + s)) for s in range(many)]

    def all_of(params: dict[str, Any]) -> list[float]:
        return values(json.dumps(params, sort_keys=True))

    def truth(params: dict[str, Any]) -> float:
        # the logarithm of a table's mean, where the log is of each seed's, is not what a trial measures on average
        return float(np.mean(all_of(params)))

    def noise(params: dict[str, Any]) -> float:
        return float(np.std(all_of(params), ddof=int(name.startswith("train"))))

    space = {each["name"]: parameter(each, {}) for each in task.params}
    if name.startswith("train"):
        return Case(space, measure, truth, noise, truth, 0.0)
    table = np.nanmean(task.values, axis=-1)
    low, middle = np.nanmin(table), np.nanmedian(table)
    if name.startswith("fcnet"):
        low, middle = np.log10(low), np.log10(middle)
    judged = lambda params: float(task.true(params))  # noqa: E731
    return Case(space, measure, truth, noise, judged, float(low), float(middle - low))


def _hartmann(p: dict[str, Any]) -> float:
    """Six dimensions, six valleys (L. C. W. Dixon, G. P. Szegö, 1978)."""
    A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])  # fmt: skip
    P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])  # fmt: skip
    x = np.array([p[f"x{i}"] for i in range(6)])
    return float(-(np.array([1, 1.2, 3, 3.2]) @ np.exp(-(A * (x - P) ** 2).sum(axis=1))))


def _plateau(p: dict[str, Any]) -> float:
    """An error rate as of a support vector machine: flat where it is good, flat where it is bad."""
    a, b = math.log10(p["C"]), math.log10(p["gamma"])
    ridge = (a + b + 1.0) ** 2 / 2 + max(0.0, -a) ** 2 / 4 + max(0.0, b + 1) ** 2
    return (
        0.05
        + 0.85 * (1 - math.exp(-ridge)) * (0.9 if p["kernel"] == "rbf" else 1.0)
        + (0.02 if p["kernel"] == "poly" else 0.0)
    )


FUNCTIONS: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any]], float]]] = {
    **{
        name: (dict(KNOWN[name].space.parameters), KNOWN[name].loss)
        for name in ("branin", "rosenbrock", "conditional")
    },
    "hartmann": ({f"x{i}": ts.Float(0, 1) for i in range(6)}, _hartmann),
    "plateau": (
        {
            "C": ts.Float(1e-3, 1e3, log=True),
            "gamma": ts.Float(1e-5, 10, log=True),
            "kernel": ts.Categorical(["rbf", "poly"]),
        },
        _plateau,
    ),
}

LEAST = {name: KNOWN[name].best for name in ("branin", "rosenbrock", "conditional")}
LEAST |= {"hartmann": -3.32237, "plateau": 0.05}


def _made(name: str) -> Case:
    function, size, shape = name.split("/")
    space, truth = FUNCTIONS[function]
    drawn = ts.Study(space, minimize="loss", seed=0, sampler=ts.samplers.Random())
    values = np.sort([truth(dict(t.params)) for t in drawn.ask(2000)])
    sd = float(size) * float(np.std(values[: len(values) // 10]))
    middle = float(np.median(values))

    def noise(params: dict[str, Any]) -> float:
        if shape != "uneven":
            return sd
        # more where it is worse, as of error rates: up to three times
        share = (truth(params) - float(values[0])) / (middle - float(values[0]))
        return sd * (1 + 2 * min(1.0, share))

    def measure(params: dict[str, Any], seed: int, n: int) -> float:
        # of their own even on a common seed: what such a seed does to all would only help racing
        own = zlib.crc32(json.dumps(params, sort_keys=True).encode()) if n < 0 else n
        rng = np.random.default_rng([seed, own, zlib.crc32(name.encode())])
        z = float(rng.standard_t(3) / 3**0.5 if shape == "heavy" else rng.standard_normal())
        return float(truth(params) + noise(params) * z)

    return Case(space, measure, truth, noise, truth, LEAST[function])


def names() -> list[str]:
    """Return all problems."""
    made = [f"{f}/{size}/{shape}" for f in FUNCTIONS for size in SIZES for shape in SHAPES]
    return [*TABLES, *made, *TRAIN]


def study_of(name: str, seed: int, share: float | None = None) -> dict[str, Any]:
    """Return what a study of 100 evaluations measured, of which a share may be repetitions."""
    this = case(name)
    racing = None if share is None else ts.replication.Racing(share=share)
    study = ts.Study(this.space, minimize="loss", seed=seed, replicates=racing)
    params, y, again = [], [], []
    for n in range(TRIALS):
        trial = study.ask()
        params.append(dict(trial.params))
        luck = (seed, n) if racing is None else (trial.seed, -1)
        y.append(this.measure(params[-1], *luck))
        study.tell(trial, y[-1])
        group = study.history.replicates.of(study.history[n])
        again.append((group[0], group.index(n)))
    row = {"name": name, "seed": seed, "params": params, "y": y}
    return row if racing is None else {**row, "evaluation": again}


def logs(file: Path) -> dict[tuple[str, int], dict[str, Any]]:
    """Return what was kept, by problem and seed."""
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return {(row["name"], row["seed"]): row for row in rows}


def kept(out: Path, share: float | None = None) -> Path:
    """Return where studies are kept."""
    return out / ("studies.jsonl" if share is None else f"racing-{share:g}.jsonl")


def run(out: Path, wanted: list[tuple[str, int]], share: float | None = None) -> None:
    """Run and keep what is missing."""
    out.mkdir(exist_ok=True)
    file = kept(out, share)
    done = logs(file)
    for name, seed in wanted:
        if (name, seed) not in done:
            begun = time.perf_counter()
            row = study_of(name, seed, share)
            with file.open("a") as sink:
                sink.write(json.dumps(row) + "\n")
            print(f"{name} {seed}: {time.perf_counter() - begun:.1f} s", flush=True)


def history_of(row: dict[str, Any]) -> History[dict[str, Any]]:
    """Return the history of a study that has measured what a log says."""
    problem = Problem(ts.Space(case(row["name"]).space), (Objective("loss", "minimize"),))
    history: History[dict[str, Any]] = History(problem)
    for n, (params, y) in enumerate(zip(row["params"], row["y"], strict=True)):
        first, index = row["evaluation"][n] if "evaluation" in row else (n, 0)
        history.put(
            Record(
                problem=problem,
                number=n,
                uid=f"0.{n}",
                logged=problem.space.store(params),
                started=0.0,
                ended=0.0,
                seed=index,
                basis=0,
                source="replicate" if index else "sampler" if n else "default",
                note="" if n else "centre",
                replicate=(f"0.{first}", index) if "evaluation" in row else None,
                state="complete",
                values={"loss": y},
            )
        )
    return history


def race(out: Path, chosen: list[str], seeds: range, share: float) -> None:
    """Run what is missing, and compare with plain studies and peers."""
    plain = logs(kept(out))
    wanted = [k for k in sorted(plain) if k[0] in chosen and k[1] in seeds]
    run(out, wanted, share)
    plain = {k: judged(plain[k]) for k in wanted}
    raced = logs(kept(out, share))
    found = {k: judged(raced[k]) for k in wanted}
    by_peer = {name: runs for name, runs in peers().items() if runs.keys() & plain.keys()}
    rivals: dict[str, dict[tuple[str, int], float]] = {
        "plain, observed best": {k: row["observed"] for k, row in plain.items()},
        "plain, recommended": {k: row["regret"] for k, row in plain.items()},
        "racing, observed best": {k: found[k]["observed"] for k in plain},
        **{
            name: {k: z - case(k[0]).floor for k, z in runs.items() if k in plain}
            for name, runs in by_peer.items()
        },
    }
    groups = {"tasks": [k for k in plain if k[0] in TABLES]}
    groups |= {name: [k for k in plain if k[0] == name] for name in TABLES}
    groups["functions"] = [k for k in plain if k[0] not in (*TABLES, *TRAIN)]
    lines = []
    for group, keys in groups.items():
        for rival, theirs in rivals.items():
            common = [k for k in keys if k in theirs]
            if not common or (rival in by_peer and group != "tasks"):
                continue
            size = np.array([case(k[0]).spread for k in common])
            a = np.array([found[k]["regret"] for k in common]) / size
            b = np.array([theirs[k] for k in common]) / size
            some = b > 1e-9
            ratio = np.median(a[some] / b[some]) if some.any() else 1.0
            low, high = resampled(common, a, b)
            lines.append([
                group, rival, str(len(common)), f"{np.median(a):.4f}", f"{np.median(b):.4f}", f"{ratio:.2f}",
                f"{low:.2f}, {high:.2f}", f"{(a < b - 1e-9).sum()} : {(a > b + 1e-9).sum()}",
            ])  # fmt: skip
    columns(
        (
            "problems", "racing, recommended, against", "studies", "median regret", "theirs", "median ratio",
            "90 % interval", "better : worse",
        ),
        lines,
    )  # fmt: skip
    lines = []
    for group, keys in groups.items():
        loud = [found[k] for k in keys if not found[k]["quiet"]]
        if loud:
            lines.append([
                group, str(len(loud)), f"{np.mean([r['configurations'] for r in loud]):.0f}",
                f"{np.mean([r['covered'] for r in loud]):.0%}", f"{np.median([r['width'] for r in loud]):.2f}",
                f"{np.mean([r['bias'] for r in loud]):+.2f}", f"{np.median([r['noise'] for r in loud]):.2f}",
            ])  # fmt: skip
    columns(
        (
            "racing", "studies", "configurations", "covered", "width / that of 10 fresh", "bias / noise",
            "noise, estimated / true",
        ),
        lines,
    )  # fmt: skip


def resampled(keys: list[tuple[str, int]], a: Any, b: Any) -> tuple[float, float]:
    """Return the 90 % interval of the median ratio over runs, resampled within each problem."""
    rng = np.random.default_rng(0)
    rows = [
        np.array([i for i, k in enumerate(keys) if k[0] == name])
        for name in sorted({k[0] for k in keys})
    ]
    found = []
    for _ in range(1000):
        at = np.concatenate([rng.choice(row, len(row)) for row in rows])
        at = at[b[at] > 1e-9]
        found.append(float(np.median(a[at] / b[at])) if len(at) else 1.0)
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a recommendation is worth."""
    this, history = case(row["name"]), history_of(row)
    begun = time.process_time()
    found = recommend(history)
    took = time.process_time() - begun
    truth, noise = this.truth(found.params), this.noise(found.params)
    return {
        "regret": this.judged(found.params) - this.floor,
        "observed": this.judged(history.best.params) - this.floor,
        "covered": bool(found.interval[0] <= truth <= found.interval[1]),
        # that of the mean of ten fresh measurements, by Student's t
        "width": (found.interval[1] - found.interval[0]) / (2 * 1.833 * max(noise, 1e-12) / 10**0.5),
        "bias": (found.mean - truth) / max(noise, 1e-12),
        "luck": (history.best.value - this.truth(history.best.params)) / max(this.noise(history.best.params), 1e-12),
        "noise": found.noise / max(noise, 1e-12),
        "quiet": bool(noise <= 0),
        "s": took,
        "configurations": len({first for first, _ in row["evaluation"]}) if "evaluation" in row else TRIALS,
    }  # fmt: skip


def peers() -> dict[str, dict[tuple[str, int], float]]:
    """Return the truth of what other optimisers returned: of their observed best, by optimiser and run."""
    found: dict[str, dict[tuple[str, int], float]] = {}
    for file in sorted((_folder() / "runs").glob("*.jsonl")):
        for row in map(json.loads, file.read_text().splitlines()):
            if row["task"] in TABLES and not row["err"] and len(row["z"]) >= TRIALS:
                found.setdefault(row["opt"], {})[row["task"], row["seed"]] = row["z"][TRIALS - 1]
    return found


def report(out: Path, chosen: list[str], seeds: range) -> None:
    """Judge, and print tables."""
    kept_ = sorted(logs(kept(out)).items())
    rows = {k: judged(v) for k, v in kept_ if k[0] in chosen and k[1] in seeds}
    groups: dict[str, list[tuple[str, int]]] = {}
    for name, seed in rows:
        group = name if name in (*TABLES, *TRAIN) else "noise " + name.partition("/")[2]
        for each in (group, "tasks" if group == name else "functions", "all"):
            groups.setdefault(each, []).append((name, seed))

    def of(keys: list[tuple[str, int]], what: str) -> Any:
        return np.array([rows[k][what] for k in keys])

    lines = []
    last = ("tasks", "functions", "all")
    for group in sorted(groups, key=lambda each: (each in last, each)):
        keys = groups[group]
        loud = [k for k in keys if not rows[k]["quiet"]]
        ours, theirs = of(keys, "regret"), of(keys, "observed")
        worse = theirs > 1e-9
        ratio = np.median(ours[worse] / theirs[worse]) if worse.any() else 1.0
        lines.append([
            group, str(len(keys)), f"{np.median(ours):.4g}", f"{np.median(theirs):.4g}",
            f"{ratio:.2f}", f"{(ours < theirs - 1e-9).sum()} : {(ours > theirs + 1e-9).sum()}",
            f"{of(loud, 'covered').mean():.0%}", f"{np.median(of(loud, 'width')):.2f}",
            f"{of(loud, 'bias').mean():+.2f}", f"{of(loud, 'luck').mean():+.2f}",
            f"{np.median(of(loud, 'noise')):.2f}",
        ])  # fmt: skip
    columns(
        (
            "problems", "studies", "median regret, recommended", "observed best", "ratio", "better : worse",
            "covered", "width / that of 10 fresh", "bias / noise", "of the observed best", "noise, estimated / true",
        ),
        lines,
    )  # fmt: skip
    print(f"\na recommendation takes {np.mean([row['s'] for row in rows.values()]):.2f} s of CPU")
    lines = []
    for name, theirs_of in peers().items() if any(k[0] in TABLES for k in rows) else ():
        keys = [k for k in rows if k in theirs_of]
        if not keys:
            continue
        regret = np.array([theirs_of[k] - case(k[0]).floor for k in keys])
        size = np.array([case(k[0]).spread for k in keys])
        lines.append([name, str(len(keys))])
        for what in ("regret", "observed"):
            ours = of(keys, what)
            lines[-1] += [
                f"{np.median(ours / size):.4f}",
                f"{(ours < regret - 1e-9).sum()} : {(ours > regret + 1e-9).sum()}",
            ]
        lines[-1].append(f"{np.median(regret / size):.4f}")
    titles = (
        "peer",
        "runs",
        "recommended",
        "better : worse",
        "observed",
        "better : worse",
        "the peer's",
    )
    columns(titles, lines)


def main() -> int:
    """Run, or report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["run", "report", "racing"])
    parser.add_argument("--out", type=Path, default=Path("trust"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--share", type=float, default=0.5, help="of `Racing`")
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    chosen = [name for name in names() if name.startswith(tuple(options.only))]
    if options.command == "run":
        seeds = range(options.first, options.seeds)
        run(options.out, [(name, seed) for seed in seeds for name in chosen])
    elif options.command == "racing":
        header("scipy")
        race(options.out, chosen, range(options.first, options.seeds), options.share)
    else:
        header("scipy")
        report(options.out, chosen, range(options.first, options.seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How often a diagnosis cries wolf, and how often it sees one. Run as a program it prints the table."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tunesmith.analysis import diagnose
from tunesmith.testing.curves import problem_of, recorded

pytestmark = pytest.mark.slow

Array = np.ndarray[Any, Any]
Noise = Callable[[np.random.Generator, int], Array]
TRIALS, STUDIES = 40, 25


def normal(rng: np.random.Generator, n: int) -> Array:
    return rng.normal(size=n)


def heavy(rng: np.random.Generator, n: int) -> Array:
    """Student's t with 3 degrees of freedom, of variance 1."""
    return np.asarray(rng.standard_t(3, n) / np.sqrt(3))


def sluggish(rng: np.random.Generator, n: int) -> Array:
    """Autoregressive: each report resembles the one before by 0.7."""
    noise = np.empty(n)
    last = rng.normal()
    for i in range(n):
        last = noise[i] = 0.7 * last + np.sqrt(1 - 0.49) * rng.normal()
    return noise


NOISES: dict[str, Noise] = {"normal": normal, "heavy-tailed": heavy, "autocorrelated": sluggish}


def settled(rng: np.random.Generator, n: int) -> Array:
    """Exponential, with 5 to 20 time constants within the steps, to a level of its own."""
    t = np.arange(1, n + 1)
    return np.asarray(np.exp(-t / (n * rng.uniform(0.05, 0.2))) + rng.normal(0, 0.02))


def flat(rng: np.random.Generator, n: int) -> Array:
    """As good as it gets from the second report on: all the rest is noise."""
    return np.where(np.arange(n) == 0, 0.04, 0.02) + rng.normal(0, 0.02)


HEALTHY = {"settled": settled, "flat": flat}


def false_alarms(shape: str, noise: str, n: int) -> tuple[Counter[str], int, int]:
    """Symptoms by kind, findings, and parameters that were seen to matter, in 1,000 healthy trials."""
    rng = np.random.default_rng(11)
    kinds: Counter[str] = Counter()
    findings = moves = 0
    problem = problem_of(n)
    for _ in range(STUDIES):
        records = []
        for number in range(TRIALS):
            level = HEALTHY[shape](rng, n)
            curves = {
                "val_loss": level + 0.02 * NOISES[noise](rng, n),
                "train_loss": level - 0.05 + 0.02 * NOISES[noise](rng, n),
            }
            records.append(recorded(problem, number, curves, {"lr": float(rng.lognormal())}))
        found = diagnose(records)
        kinds.update(s.kind for wrong in found.symptoms.values() for s in wrong)
        findings += len(found.findings)
        moves += sum(move.seen for finding in found.findings for move in finding.moves)
    return kinds, findings, moves


@pytest.mark.parametrize("n", [12, 30, 100])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("shape", HEALTHY)
def test_healthy_trials_are_left_alone(shape: str, noise: str, n: int) -> None:
    """Of 1,000 healthy trials at most 2 % have a symptom, 4 % with heavy tails, and 8 % where reports
    resemble one another and there is nothing but noise.

    Seeds are fixed. In 25 studies no parameter is found to matter more than once: 0.25 are expected.
    """
    kinds, _, moves = false_alarms(shape, noise, n)

    assert kinds.total() <= {"normal": 20, "heavy-tailed": 40, "autocorrelated": 80}[noise]
    assert moves <= 1


def late(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """It goes down evenly."""
    return {"val_loss": 1 - 0.5 * np.arange(n) / n}


def rough(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """It comes down, and goes to and fro by half of the way."""
    return {"val_loss": np.exp(-np.arange(n) / 3) + 0.25 * (-1.0) ** np.arange(n)}


def spike(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """It comes down, and jumps up by half of the way, once."""
    loss = np.exp(-np.arange(n) / 4)
    loss[rng.integers(n // 2, n - 2)] += 0.5
    return {"val_loss": loss}


def turned(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """Half of what validation gained is lost again, training goes on."""
    t = np.arange(n) / n
    valid = np.where(t < 0.3, 1 - t / 0.3 * 0.8, 0.2 + 0.4 * (t - 0.3) / 0.7)
    return {"val_loss": valid, "train_loss": np.exp(-3 * t)}


def runaway(rng: np.random.Generator, n: int) -> dict[str, Array]:
    """It grows by a tenth at each step."""
    return {"val_loss": 0.7 * 1.1 ** np.arange(n)}


ILL = {
    "too slow": late,
    "overshooting": rough,
    "unstable": spike,
    "overfitting": turned,
    "diverged": runaway,
}


def detected(kind: str, noise: str, n: int) -> float:
    """Share of 200 ill trials of which it is said, each judged by itself."""
    rng = np.random.default_rng(12)
    problem = problem_of(n)
    hits = 0
    for _ in range(200):
        curves = ILL[kind](rng, n)
        noisy = {name: y + 0.02 * NOISES[noise](rng, n) for name, y in curves.items()}
        wrong = diagnose(recorded(problem, 0, noisy)).symptoms.get(0, ())
        hits += kind in {symptom.kind for symptom in wrong}
    return hits / 200


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("kind", ILL)
def test_ill_trials_are_seen(kind: str, noise: str) -> None:
    """At 30 reports and noise of 2 % of the way, at least nine of ten."""
    assert detected(kind, noise, 30) >= 0.9


def main() -> None:
    print("false alarms in 1,000 healthy trials, 25 studies: symptoms, findings, parameters")
    for shape in HEALTHY:
        for noise in NOISES:
            for n in (12, 30, 100):
                kinds, findings, moves = false_alarms(shape, noise, n)
                print(shape, noise, n, kinds.total(), dict(kinds), findings, moves, flush=True)
    print("detected")
    for kind in ILL:
        print(
            kind, {noise: [detected(kind, noise, n) for n in (12, 20, 30, 100)] for noise in NOISES}
        )


if __name__ == "__main__":
    main()

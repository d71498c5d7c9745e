"""Whether TPE's candidates follow its densities, and whether it is better than random search.

Each comparison of frequencies fails by chance once in 10^8 seeds, and there are fewer than 20. The
sign tests ask for 36 wins of 40, which a sampler no better than random search gets once in 10^7.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.stats import chisquare

import tunesmith as ts
from tunesmith.numerics.densities import Axes, Kernels
from tunesmith.samplers.mixture import Frame, Mixture
from tunesmith.space import Categorical, Choice, Float, Int, Space

N = 20_000
FALSE_ALARM = 1e-8
CELLS = 20

Objective: TypeAlias = Callable[[Mapping[str, Any]], float]

pytestmark = pytest.mark.slow


def test_draws_follow_the_kernels() -> None:
    """Of each kernel, prior included: cells of a number and categories come as often as they say."""
    points = np.array([[0.1, 1 / 6], [0.15, 5 / 6], [0.9, 0.5]])
    axes = Axes([0, 3])
    kernels = Kernels(axes, points, np.zeros((3, 2)), 0.02)
    fine = (np.arange(CELLS * 100) + 0.5) / (CELLS * 100)
    for which in range(4):
        drawn = kernels.draw(np.full(N, which), axes.part([0, 1]), np.random.default_rng(which))
        at = np.column_stack([fine, np.full(len(fine), 0.5)])
        logs = kernels.log_density(axes.features(at), axes.part([0]))[:, which]
        expected = np.exp(logs).reshape(CELLS, 100).sum(axis=1)
        observed = np.histogram(drawn[:, 0], bins=CELLS, range=(0, 1))[0]
        often = expected / expected.sum() * N > 5
        expected = expected[often] / expected[often].sum() * observed[often].sum()
        assert chisquare(observed[often], expected).pvalue > FALSE_ALARM

        labels = np.column_stack([np.full(3, 0.5), [1 / 6, 0.5, 5 / 6]])
        logs = kernels.log_density(axes.features(labels), axes.part([1]))[:, which]
        observed = np.bincount((drawn[:, 1] * 3).astype(int), minlength=3)
        assert chisquare(observed, np.exp(logs) / 3 * N).pvalue > FALSE_ALARM


def test_draws_follow_the_mixture() -> None:
    """Over branches, and inside one jointly with what is above it."""
    space = Space({"x": Float(0, 1), "o": Choice({"a": {"y": Float(0, 1)}, "b": {}})})
    trials = space.sample(np.random.default_rng(0), 6)
    units = space.encode(trials)
    mixture = Mixture(Frame.of(space), units, space.grains(units), np.ones(7), 0.1)
    drawn = mixture.draw(N, np.random.default_rng(1))
    k = 60
    middle = (np.arange(k) + 0.5) / k
    x, y = (grid.ravel() for grid in np.meshgrid(middle, middle, indexing="ij"))
    a = np.exp(mixture.log_density(np.column_stack([x, np.full(k * k, 0.25), y])))
    b = np.exp(mixture.log_density(np.column_stack([middle, np.full(k, 0.75), np.full(k, np.nan)])))
    coarse = 4
    cells = a.reshape(coarse, k // coarse, coarse, k // coarse).mean(axis=(1, 3)).ravel() / 2
    rest = b.reshape(coarse, k // coarse).mean(axis=1) / 2
    expected = np.concatenate([cells / coarse**2, rest / coarse])
    inside = ~np.isnan(drawn[:, 2])
    observed = np.concatenate(
        [
            np.histogram2d(drawn[inside, 0], drawn[inside, 2], coarse, [[0, 1], [0, 1]])[0].ravel(),
            np.histogram(drawn[~inside, 0], coarse, (0, 1))[0],
        ]
    )

    assert expected.sum() == pytest.approx(1, abs=2e-3)
    assert chisquare(observed, expected / expected.sum() * N).pvalue > FALSE_ALARM


def bowl(p: Mapping[str, Any]) -> float:
    return float(sum((p[name] - 0.3) ** 2 for name in p))


def mixed(p: Mapping[str, Any]) -> float:
    return float((np.log10(p["lr"]) + 3) ** 2 + abs(p["n"] - 20) / 10 + 2 * (p["kind"] != "c"))


def branched(p: Mapping[str, Any]) -> float:
    if p["o"] == "a":
        return float((p["o.a.x"] - p["z"]) ** 2 + p["z"])
    return float(0.5 + p["o.b.n"] + p["z"]) if p["o"] == "b" else 2.0


TASKS: dict[str, tuple[dict[str, Any], Objective]] = {
    "numeric": ({f"x{i}": Float(0, 1) for i in range(6)}, bowl),
    "mixed": (
        {"lr": Float(1e-6, 1, log=True), "n": Int(1, 100), "kind": Categorical(list("abcd"))},
        mixed,
    ),
    "conditional": (
        {
            "z": Float(0, 1),
            "o": Choice({"a": {"x": Float(0, 1)}, "b": {"n": Int(0, 3)}, "c": {}}),
        },
        branched,
    ),
}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_it_is_better_than_random_search(name: str) -> None:
    """The best of 60 trials beats the best of 60 random ones, in 36 of 40 pairs."""
    space, objective = TASKS[name]

    def best(sampler: ts.samplers.Sampler[Any], n: int, seed: int) -> float:
        study = ts.Study(space, minimize="loss", sampler=sampler, seed=seed)
        for _ in range(n):
            trial = study.ask()
            study.tell(trial, objective(trial.params))
        return study.best.value

    wins = sum(
        best(ts.samplers.TPE(), 60, seed) < best(ts.samplers.Random(), 60, seed)
        for seed in range(40)
    )

    assert wins >= 36

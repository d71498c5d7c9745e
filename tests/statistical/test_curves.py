import numpy as np
import pytest

from tunesmith.models.curves import Curves
from tunesmith.numerics.arrays import Floats

TOP = 40
STEPS = np.arange(1.0, TOP + 1)


def family(rng: np.random.Generator, kind: int) -> Floats:
    """One curve (40,) of a study: none of the shapes is one of those that the model draws."""
    end, height = rng.normal(0, 0.3), rng.lognormal(0, 0.5)
    noise = np.zeros(TOP)
    for t in range(1, TOP):  # errs together along the curve
        noise[t] = 0.7 * noise[t - 1] + rng.normal(0, 0.02)
    if kind == 0:  # two phases
        return end + height * (0.6 * np.exp(-STEPS / 3) + 0.4 * np.exp(-STEPS / 25)) + noise
    if kind == 1:  # flat, then it learns, at some time or never
        begin = rng.uniform(2, 60)
        return height - height * 0.8 / (1 + np.exp(-(STEPS - begin) / 2)) + end * 0.2 + noise
    drop = 0.5 * (STEPS > 27) * height  # the learning rate falls, for all at the same time
    return end + height * np.exp(-STEPS / 6) - drop + noise


@pytest.mark.slow
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_stated_probabilities_are_frequencies(kind: int) -> None:
    """Of those that are said to have under 5 %, at most 5 % get among the best two, and it is said of many.

    120 studies of 10 whole curves; 20 more trials each, looked at after 4, 10 and 20 of 40 steps. The
    allowance of 0.02 is five standard deviations of a frequency of 0.05 over 120 x 20 / 2 trials or more.
    """
    rng = np.random.default_rng(kind)
    said: list[tuple[float, bool]] = []
    for _ in range(120):
        whole = [(STEPS, family(rng, kind)) for _ in range(10)]
        curves = Curves.of(TOP, whole)
        best = np.sort([losses[-1] for _, losses in whole])[1]
        for _ in range(20):
            losses = family(rng, kind)
            said += [
                (curves.foresee(STEPS[:n], losses[:n]).below(best), bool(losses[-1] < best))
                for n in (4, 10, 20)
            ]
    chances = np.array([chance for chance, _ in said])
    came = np.array([came for _, came in said])

    hopeless = chances < 0.05
    assert hopeless.mean() > 0.1
    assert came[hopeless].mean() < 0.05 + 0.02
    hopeful = chances > 0.5
    assert came[hopeful].mean() > 0.35
    assert np.mean((chances - came) ** 2) < came.mean() * (
        1 - came.mean()
    )  # better than the frequency

import numpy as np

from tunesmith.models.subset import chosen


def test_the_best_and_their_neighbours_are_taken() -> None:
    """A third each are the best, the nearest to the very best, and others from all of the time."""
    rng = np.random.default_rng(0)
    X, y = rng.random((1000, 2)), rng.standard_normal(1000)

    place = chosen(X, y, np.ones(2), 90)

    assert len(place) == len(set(place.tolist())) == 90
    assert np.all(np.diff(place) > 0)
    best = np.argsort(-y)
    near = np.argsort(((X - X[best[0]]) ** 2).sum(axis=1))
    assert set(best[:30].tolist()) <= set(place.tolist())
    assert set(near[:20].tolist()) <= set(place.tolist())
    assert np.histogram(place, bins=5, range=(0, 1000))[0].min() >= 6


def test_lengthscales_say_what_is_near() -> None:
    """A column that does not matter does not make points distant."""
    X = np.array([[0.0, 0.0], *[[0.0, 9.0 + i] for i in range(3)], *[[5.0, 0.0]] * 20])
    y = np.array([9.0, *[-1.0] * 3, *np.linspace(1, 2, 20)])

    place = chosen(X, y, np.array([1.0, 1e-6]), 9)

    assert {1, 2, 3} <= set(place.tolist())

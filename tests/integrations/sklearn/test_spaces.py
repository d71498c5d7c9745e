from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

import tunesmith as ts
from tunesmith.integrations.sklearn.spaces import searched


def parameters(space: Any) -> dict[str, Any]:
    """The parameters that a space for a LogisticRegression means."""
    return dict(searched(space, LogisticRegression()).space.parameters)


@pytest.mark.parametrize(
    "given, meant",
    [
        ([0.1, 1, 10.0], ts.Ordinal([0.1, 1, 10.0], default=1)),
        (np.array([10.0, 2.0]), ts.Ordinal([10.0, 2.0])),
        ([3.0, 1.0, 2.0], ts.Categorical([3.0, 1.0, 2.0], default=1.0)),
        ([True, False], ts.Categorical([True, False])),
        (stats.uniform(0.5, 2), ts.Float(0.5, 2.5, default=1.0)),
        (stats.loguniform(1e-3, 1e3), ts.Float(1e-3, 1e3, log=True, default=1.0)),
        (stats.loguniform(1e-3, 1e3, scale=2), ts.Float(2e-3, 2e3, log=True, default=1.0)),
        (stats.randint(2, 9), ts.Int(2, 8)),
        (stats.randint(0, 9), ts.Int(0, 8)),
        (ts.Int(0, 5), ts.Int(0, 5)),
        (stats.uniform, ts.Float(0.0, 1.0, default=1.0)),
        (stats.Uniform(a=0.5, b=2.5), ts.Float(0.5, 2.5, default=1.0)),
        (ts.Float(0, 1), ts.Float(0, 1, default=1.0)),
        (ts.Float(0, 1, default=0.5), ts.Float(0, 1, default=0.5)),
    ],
)
def test_values_as_parameters(given: Any, meant: Any) -> None:
    """Lists, arrays, scipy's distributions and our own become what they hold, the estimator's value first."""
    assert parameters({"C": given}) == {"C": meant}


@pytest.mark.parametrize("law", [stats.lognorm(1.0), stats.Normal(mu=1.0, sigma=2.0)])
def test_other_distributions_are_read_at_quantiles(law: Any) -> None:
    """A distribution without a parameter of its own is read at a probability that is searched."""
    found = searched({"C": law}, LogisticRegression())
    [params] = found.space.decode([[0.5]])

    assert found.settings(found.space.build(params))["C"] == pytest.approx(1.0)


def test_discrete_distributions_give_whole_numbers() -> None:
    """Quantiles of a distribution over whole numbers are ints."""
    found = searched({"max_iter": stats.poisson(50)}, LogisticRegression())
    value = found.settings({"max_iter": 0.5})["max_iter"]

    assert (type(value), value) == (int, 50)


def test_discrete_distributions_over_fractions_keep_them() -> None:
    """A discrete distribution need not be one of whole numbers."""
    law = stats.rv_discrete(values=([0.25, 0.5, 1], [0.3, 0.4, 0.3]))

    assert searched({"tol": law}, LogisticRegression()).settings({"tol": 0.5})["tol"] == 0.5


@pytest.mark.parametrize(
    "own, first",
    [
        ({"kernel": "rbf", "gamma": 0.5}, {"kernel": "rbf", "gamma": 0.5}),
        ({"kernel": "linear", "C": 2}, {"kernel": "linear", "C": 2}),
        ({"kernel": "poly"}, {"kernel": "linear", "C": 1}),
    ],
)
def test_the_dict_of_the_estimators_own_settings_is_first(
    own: dict[str, Any], first: dict[str, Any]
) -> None:
    """Of a list of dicts, the first trial is the estimator as it was given, if one of them has it."""
    grids = [
        {"kernel": ["linear"], "C": [1, 2]},
        {"kernel": ["rbf"], "C": stats.expon()},
        {"kernel": ["rbf"], "gamma": [0.1, 0.5]},
    ]
    found = searched(grids, SVC(**own))

    assert found.settings(found.space.build(found.space.default()[0])) == first


def test_a_shifted_loguniform_keeps_its_law() -> None:
    """A log-uniform distribution that was moved is no logarithmic range; it is read at quantiles."""
    distribution = stats.loguniform(1e-2, 1e2, loc=5)
    found = searched({"C": distribution}, LogisticRegression())

    assert found.settings({"C": 0.5})["C"] == pytest.approx(distribution.median())


def test_lists_of_dicts_are_alternatives() -> None:
    """Of a list of dicts one is tried at a time, and its own parameters only."""
    grids = [{"kernel": ["linear"], "C": [1, 2]}, {"kernel": ["rbf"], "gamma": [0.1, 1.0]}]
    found = searched(grids, SVC())

    assert [found.settings(found.space.build(p)) for p in found.space.configurations()] == [
        {"C": 1, "kernel": "linear"},
        {"C": 2, "kernel": "linear"},
        {"gamma": 0.1, "kernel": "rbf"},
        {"gamma": 1.0, "kernel": "rbf"},
    ]


def test_choices_nest() -> None:
    """The last part of a path is the setting's name, so that our choices hold settings too."""
    space = {"kernel": ts.Choice({"linear": {}, "rbf": {"gamma": ts.Float(0.1, 1, default=0.5)}})}
    found = searched(space, SVC())
    params = found.space.store({"kernel": "rbf", "kernel.rbf.gamma": 0.5})

    assert found.settings(found.space.build(params)) == {"kernel": "rbf", "gamma": 0.5}


def test_estimators_are_values() -> None:
    """Objects of a list come back as they are, also if their labels would be equal."""

    class Unnamed(StandardScaler):  # type: ignore[misc]
        def __repr__(self) -> str:
            return "scaler"

    pipe = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    values = [Unnamed(), Unnamed(), MinMaxScaler(), "passthrough"]
    found = searched({"scale": values}, pipe)
    given = [found.settings(found.space.build(p))["scale"] for p in found.space.configurations()]

    assert all(one is other for one, other in zip(given, values, strict=True))


def test_one_and_one_point_zero_are_two_values() -> None:
    """Values that Python holds for equal stay apart, as for scikit-learn."""
    found = searched({"max_features": [1.0, 1]}, LogisticRegression())
    given = [found.settings(found.space.build(p)) for p in found.space.configurations()]

    assert [type(one["max_features"]) for one in given] == [float, int]


class _OnlyDrawn:
    def rvs(self) -> float:
        return 0.5


@pytest.mark.parametrize(
    "space, sentence",
    [
        ({"C": 1.0}, r"write \[1.0\] for a single value"),
        ({"C": "auto"}, "is searched over a list"),
        ({"C": _OnlyDrawn()}, "can only be drawn from"),
        ({"C": []}, "'C' has no values to try"),
        ({"C": np.ones((2, 2))}, "an array of 2 axes"),
        ({"C": np.array(5)}, "an array of 0 axes"),
        ({"C": b"ab"}, r"write \[b'ab'\]"),
        ({"C": {1, 2}}, r"got set; write list\(...\)"),
        ({"C": pd.Series([0.1, 1])}, r"got Series; write list\(...\)"),
        ({"C": (c for c in [0.1, 1])}, r"got generator; write list\(...\)"),
        ({"C": stats.randint}, "the distribution of 'C' lacks its arguments"),
        ({"C": stats.uniform(2, 0)}, "the distribution of 'C' is none"),
        ({"C": stats.gaussian_kde([1, 2, 3])}, "the distribution of 'C' can only be drawn from"),
        ("best", 'a space is "auto"'),
        ([], 'a space is "auto"'),
    ],
)
def test_what_is_no_space_is_refused(space: Any, sentence: str) -> None:
    """A value that cannot be searched over is refused by a sentence that says what can."""
    with pytest.raises(ts.SpaceError, match=sentence):
        searched(space, LogisticRegression())

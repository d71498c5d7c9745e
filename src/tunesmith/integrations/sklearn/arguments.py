"""What a search is given, checked before anything runs."""

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.integrations.sklearn.spaces import ONE_OF, Searched
from tunesmith.storage import Storage

WORDS = {  # of scikit-learn's searches and their like
    "param_grid": "the grid as the second argument, space=, and sampler=ts.samplers.Grid()",
    "param_distributions": "the distributions as the second argument, space=",
    "search_spaces": "the space as the second argument, space=",
    "pre_dispatch": "nothing; a worker gets a candidate when it is free",
    "n_trials": "n_iter=100",
    "max_trials": "n_iter=100",
    "timeout": "time_budget=3600",
    "seed": "random_state=7",
    "workers": "n_jobs=4",
}


def check_arguments(search: Any) -> None:
    """Refuse arguments of a search that are not valid, as far as they tell by themselves.

    Raises:
        SettingError: One is not; it says what came and what is allowed.
    """
    estimator, seed, verbose = search.estimator, search.random_state, search.verbose
    tunable = all(callable(getattr(estimator, name, None)) for name in ("fit", "get_params"))
    if isinstance(estimator, type) or not tunable:
        raise SettingError(
            f"estimator is what is tuned, such as LogisticRegression(), got {estimator!r}"
        )
    checks.whole("n_iter=", search.n_iter, 1)
    if search.time_budget is not None:
        checks.seconds("time_budget=", search.time_budget)
    score = search.error_score
    if score != "raise" and (isinstance(score, bool) or not isinstance(score, Real)):
        raise SettingError(f'error_score is a number or "raise", got {score!r}')
    if not isinstance(verbose, bool):
        checks.whole("verbose=", verbose)
    if isinstance(search.cv, list | tuple) and any(not _pair(fold) for fold in search.cv):
        raise SettingError(
            "cv= is a number of folds, a splitter, or pairs (training places, test places)"
        )
    if checks.is_whole(seed) and seed < 0:
        raise SettingError(
            f"random_state is a whole number from 0 on, a RandomState or None, got {seed!r}"
        )
    if not isinstance(search.storage, Storage | str | os.PathLike | None):
        raise SettingError(
            f"storage= is a path or a URL, such as 'tunesmith.db', got {search.storage!r}"
        )


def _pair(fold: Any) -> bool:
    return hasattr(fold, "__len__") and len(fold) == 2


def check_names(estimator: Any, searched: Searched) -> None:
    """Refuse names that the estimator does not have, nor anything that is searched over in it.

    Raises:
        ValueError: There is one.
    """
    own = estimator.get_params()
    names = {path.rpartition(".")[2] for path in searched.space.names if path != ONE_OF}
    for name in sorted(names):
        inside = any(name.startswith(f"{other}__") for other in names)
        if name not in own and not inside:
            try:
                clone(estimator).set_params(**{name: None})
            except AttributeError:  # what is before the last "__" has no parameters at all
                raise ValueError(f"Invalid parameter {name!r} for estimator {estimator}") from None


def listed_grid(space: Any) -> bool:
    """Return whether a space is a grid: dicts of lists and nothing else."""
    grids = [space] if isinstance(space, Mapping) else space
    return isinstance(grids, list | tuple) and all(
        isinstance(values, Sequence | np.ndarray)
        for grid in grids
        if isinstance(grid, Mapping)
        for values in grid.values()
    )

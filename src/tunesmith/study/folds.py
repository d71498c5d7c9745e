"""Cross-validation of an objective of one's own: the folds are the steps of its trial."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from tunesmith._core.checks import is_whole
from tunesmith._core.errors import SettingError
from tunesmith._core.optional import need


def splits_of(cv: Any, X: Any, y: Any, groups: Any, seed: int) -> Sequence[tuple[Any, Any]]:
    """Return the folds that `cv` means, as places of training and of validation samples.

    Args:
        cv: Number of folds; the share of samples to hold out once; an object with a method `split`; or
            pairs of places.
        X: The samples.
        y: What belongs to them; with classes, a number of folds and a share mean stratified ones.
        groups: The group of each sample, for a splitter that keeps groups together.
        seed: Of a single split that has none of its own.

    Raises:
        SettingError: It is none of these, or gives no folds.
    """
    if is_whole(cv):
        cv = need("sklearn.model_selection", "sklearn").check_cv(int(cv), y, classifier=True)
    elif isinstance(cv, float) and 0 < cv < 1:
        cv = _holdout(cv, y, groups)
    if callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        if is_free(cv) and cv.get_n_splits(X, y, groups) == 1:
            cv = seeded(cv, seed)
        splits = list(cv.split(X, y, groups))
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        splits = [(train, valid) for train, valid in cv]
    else:
        raise SettingError(
            "folds(cv, X, y) takes a number of folds, the share to hold out (0.2), a splitter of "
            f"scikit-learn, or pairs (training places, validation places), got {cv!r}"
        )
    if not splits:
        raise SettingError(f"folds(cv, ...) needs at least one fold, {cv!r} gives none")
    return splits


def is_free(cv: Any) -> bool:
    """Return whether a splitter splits by luck and nobody has fixed that."""
    return hasattr(cv, "random_state") and cv.random_state is None


def seeded(cv: Any, seed: int) -> Any:
    """Return a splitter with a seed: where that is a trial's, each configuration has a split of its own.

    So none is chosen for one lucky split. Folds, of which each sample is in one, gain little by it and stay.

    References:
        T. Nagler, L. Schneider, B. Bischl, M. Feurer. Reshuffling Resampling Splits Can Improve
        Generalization of Hyperparameter Optimization. NeurIPS 2024.
    """
    cv = copy.copy(cv)
    cv.random_state = seed
    return cv


def _holdout(share: float, y: Any, groups: Any) -> Any:
    selection = need("sklearn.model_selection", "sklearn")
    if groups is not None:
        return selection.GroupShuffleSplit(1, test_size=share)
    kind = need("sklearn.utils.multiclass", "sklearn").type_of_target(y) if y is not None else ""
    if kind in ("binary", "multiclass"):
        return selection.StratifiedShuffleSplit(1, test_size=share)
    return selection.ShuffleSplit(1, test_size=share)

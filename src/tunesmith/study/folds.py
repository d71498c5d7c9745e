"""Cross-validation of an objective of one's own: the folds are the steps of its trial."""

from collections.abc import Iterable, Sequence
from typing import Any

from tunesmith._core.checks import is_whole
from tunesmith._core.errors import SettingError
from tunesmith._core.optional import need


def splits_of(cv: Any, X: Any, y: Any, groups: Any) -> Sequence[tuple[Any, Any]]:
    """Return the folds that `cv` means, as places of training and of validation samples.

    Args:
        cv: Number of folds; an object with a method `split`; or pairs of places.
        X: The samples.
        y: What belongs to them; with classes, a number of folds means stratified ones.
        groups: The group of each sample, for a splitter that keeps groups together.

    Raises:
        SettingError: It is none of these, or gives no folds.
    """
    if is_whole(cv):
        cv = need("sklearn.model_selection", "sklearn").check_cv(int(cv), y, classifier=True)
    if callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        splits = list(cv.split(X, y, groups))
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        splits = [(train, valid) for train, valid in cv]
    else:
        raise SettingError(
            "folds(cv, X, y) takes a number of folds, a splitter of scikit-learn, or pairs "
            f"(training places, validation places), got {cv!r}"
        )
    if not splits:
        raise SettingError(f"folds(cv, ...) needs at least one fold, {cv!r} gives none")
    return splits

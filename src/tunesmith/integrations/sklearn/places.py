"""Some of the samples: where each fold has its own, and what else has an entry for each sample."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

Splits: TypeAlias = Sequence[tuple[Any, Any]]
"""Of each fold the places of the training samples, and of the test samples."""


def samples(data: Any, places: Any) -> Any:
    """Return some samples of an array, sparse matrix, data frame or list."""
    if data is None:
        return None
    if hasattr(data, "iloc"):
        return data.iloc[places]
    return data[places] if hasattr(data, "shape") else [data[i] for i in places]


def length(data: Any) -> int:
    """Return how many samples there are; 0 if it is no sequence of such."""
    if hasattr(data, "shape"):
        return int(data.shape[0]) if data.shape else 0
    return len(data) if isinstance(data, Sequence) and not isinstance(data, str) else 0


def splits_of(cv: Any, X: Any, y: Any, params: dict[str, Any]) -> Splits:
    """Return the folds as places of samples.

    Raises:
        ValueError: There are none, or not as many as announced.
    """
    splits = [
        tuple(np.flatnonzero(p) if np.asarray(p).dtype == bool else np.asarray(p) for p in split)
        for split in cv.split(X, y, **params)
    ]
    for number, split in enumerate(splits, 1):
        if not all(places.size for places in split):
            sizes = " and ".join(str(places.size) for places in split)
            raise ValueError(
                f"a fold has training and test samples, fold {number} has {sizes} of them"
            )
    announced = cv.get_n_splits(X, y, **params)
    if len(splits) != announced or not splits:
        raise ValueError(f"the splitter announced {announced} folds and gave {len(splits)}")
    return [(train, test) for train, test in splits]


def inputs(X: Any, places: Any, train: Any, *, pairwise: bool) -> Any:
    """Return the inputs of some samples: of a kernel matrix, their columns of the training samples."""
    return X[np.ix_(places, train)] if pairwise else samples(X, places)


def share(params: Mapping[str, Any], places: Any, n: int) -> dict[str, Any]:
    """Return arguments for some of `n` samples: of those with an entry for each sample, theirs."""
    return {
        name: samples(value, places) if length(value) == n else value
        for name, value in params.items()
    }

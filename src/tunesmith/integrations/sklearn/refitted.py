"""What a search does with the best model: every method of it that scikit-learn's searches pass on."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def best_has(name: str) -> Callable[[Any], bool]:
    """Return a check that the best estimator has, or the estimator will have, an attribute."""

    def check(search: Any) -> bool:
        if not search.refit:
            raise AttributeError(
                f"{name} is of the model that is fitted with the best parameters; this search was "
                f"made with refit={search.refit!r}, so there is none"
            )
        getattr(getattr(search, "best_estimator_", search.estimator), name)
        return True

    return check


def passed_on(name: str) -> Any:
    """Return a method that calls the best estimator's."""

    def method(self: Any, X: Any) -> Any:
        check_is_fitted(self)
        return getattr(self.best_estimator_, name)(X)

    method.__name__ = name
    method.__doc__ = f"Call `{name}` of the best estimator."
    return available_if(best_has(name))(method)


class Refitted(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An estimator that stands for its `best_estimator_`."""

    estimator: Any
    refit: Any
    best_estimator_: Any

    predict = passed_on("predict")
    predict_proba = passed_on("predict_proba")
    predict_log_proba = passed_on("predict_log_proba")
    decision_function = passed_on("decision_function")
    score_samples = passed_on("score_samples")
    transform = passed_on("transform")
    inverse_transform = passed_on("inverse_transform")

    @property
    def classes_(self) -> Any:
        """The class labels of the best estimator."""
        best_has("classes_")(self)
        return self.best_estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """The number of features that the best estimator has seen."""
        try:
            check_is_fitted(self)
        except NotFittedError as error:
            raise AttributeError(f"{type(self).__name__} has no n_features_in_ yet") from error
        n: int = self.best_estimator_.n_features_in_
        return n

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = deepcopy(inner.classifier_tags)
        tags.regressor_tags = deepcopy(inner.regressor_tags)
        tags.input_tags.pairwise = inner.input_tags.pairwise
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.array_api_support = inner.array_api_support
        return tags

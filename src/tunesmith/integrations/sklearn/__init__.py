"""scikit-learn: a search estimator whose candidates are the trials of a study.

A candidate is a trial, its folds are the trial's steps, and `cv_results_` is a fold of the log: so a search
can be stopped, resumed and looked at like any other study. Only scikit-learn's public interface is used.
"""

from tunesmith._core.optional import need

need("sklearn", "sklearn")

# ruff: noqa: E402 - says first what is missing
from tunesmith.integrations.sklearn.halving import HalvingSearchCV
from tunesmith.integrations.sklearn.nested import NestedScore, nested_score
from tunesmith.integrations.sklearn.search import SearchCV

__all__ = ["HalvingSearchCV", "NestedScore", "SearchCV", "nested_score"]

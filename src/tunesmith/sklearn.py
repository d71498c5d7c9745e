"""Tuning in scikit-learn's own form: `SearchCV` takes the place of its searches."""

from tunesmith.integrations.sklearn import HalvingSearchCV, NestedScore, SearchCV, nested_score

__all__ = ["HalvingSearchCV", "NestedScore", "SearchCV", "nested_score"]

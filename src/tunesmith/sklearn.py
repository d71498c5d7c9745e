"""Tuning in scikit-learn's own form: `SearchCV` takes the place of its searches."""

from tunesmith.integrations.sklearn import NestedScore, SearchCV, nested_score

__all__ = ["NestedScore", "SearchCV", "nested_score"]

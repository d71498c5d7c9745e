"""Tuning in scikit-learn's own form: `SearchCV` takes the place of its searches."""

from tunesmith.integrations.sklearn import SearchCV

__all__ = ["SearchCV"]

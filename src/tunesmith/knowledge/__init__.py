"""What is known of hyperparameters before the first trial: ranges, typical values, sources.

It stands as data in `data/*.toml`, one file a family of estimators. `space_for` makes the space of
an estimator of it; `explanations` tells people what a
parameter does, `described` what is known of a class.
"""

from tunesmith.knowledge.library import Explanation, described, estimators, explanations, parameters
from tunesmith.knowledge.spaces import space_for

__all__ = ["Explanation", "described", "estimators", "explanations", "parameters", "space_for"]

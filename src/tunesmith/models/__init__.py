"""Models: what was measured, as arrays, and surrogates fitted to it.

A sampler asks them; they know neither the study nor the luck of a call.
"""

from tunesmith.models.features import Features
from tunesmith.models.gaussian import Gaussian, Prior, fit
from tunesmith.models.observations import Observations

__all__ = ["Features", "Gaussian", "Observations", "Prior", "fit"]

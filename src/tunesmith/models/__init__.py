"""Models: what was measured, as arrays, and surrogates fitted to it.

`Features` makes points of configurations, `Observations` keeps what is known of each trial,
`targets` says what is to be modelled, `Gaussian` models it. They know neither samplers nor luck.
"""

from tunesmith.models.features import Features
from tunesmith.models.gaussian import Gaussian, Prior, fit
from tunesmith.models.observations import Observations

__all__ = ["Features", "Gaussian", "Observations", "Prior", "fit"]

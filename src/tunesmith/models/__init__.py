"""Models: what was measured, as arrays, and surrogates fitted to it.

`Features` makes points of configurations, `Observations` keeps what is known of each trial,
`targets` says what is to be modelled, `Gaussian` models it. They know neither samplers nor luck.
"""

from tunesmith.models.features import Features
from tunesmith.models.gaussian import Gaussian, fit
from tunesmith.models.observations import Observations
from tunesmith.models.theta import Layout, Prior

__all__ = ["Features", "Gaussian", "Layout", "Observations", "Prior", "fit"]

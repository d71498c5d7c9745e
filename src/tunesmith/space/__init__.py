"""Search spaces: parameters, conditions, constraints, and the forms in which objectives get them.

`Space` is the whole; `Float`, `Int`, `Categorical` and `Ordinal` are its parameters, `Choice` and
`List` what nests them. Dataclasses and signatures are spaces too (`Space(Params)`,
`signature_space`). What the log keeps of a configuration is `Params`.
"""

from tunesmith.space.choices import Categorical, Ordinal
from tunesmith.space.forms import Namespace
from tunesmith.space.labels import Params, Scalar
from tunesmith.space.nests import Choice, List
from tunesmith.space.parameters import Float, Int, Parameter, Role
from tunesmith.space.space import Space, signature_space, space_of
from tunesmith.space.typed import trial_params

__all__ = [
    "Categorical",
    "Choice",
    "Float",
    "Int",
    "List",
    "Namespace",
    "Ordinal",
    "Parameter",
    "Params",
    "Role",
    "Scalar",
    "Space",
    "signature_space",
    "space_of",
    "trial_params",
]

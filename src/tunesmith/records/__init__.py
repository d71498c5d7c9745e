"""Problems, events, and the fold from a log of events to the history of trials.

`Problem` is what is tuned. The classes in `events` are the lines of a log. `Fold` takes them in
one by one; `History` holds the `Record` of each trial as the fold left it.
"""

from tunesmith.records.curve import Curve
from tunesmith.records.events import Failure
from tunesmith.records.fold import Fold
from tunesmith.records.history import History
from tunesmith.records.problem import Limit, Objective, Problem, Resource
from tunesmith.records.provenance import Change, Provenance, changes
from tunesmith.records.record import Heard, Record, State
from tunesmith.records.replicates import Replicates
from tunesmith.records.snapshot import Told, freeze, thaw

__all__ = [
    "Change",
    "Curve",
    "Failure",
    "Fold",
    "Heard",
    "History",
    "Limit",
    "Objective",
    "Problem",
    "Provenance",
    "Record",
    "Replicates",
    "Resource",
    "State",
    "Told",
    "changes",
    "freeze",
    "thaw",
]

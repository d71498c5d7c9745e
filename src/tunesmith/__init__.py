"""Tunesmith: hyperparameter tuning that people trust.

A study is a log of events; everything else is a fold of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tunesmith._core.hints import hint_of_module
from tunesmith._core.version import VERSION

__version__ = VERSION

if TYPE_CHECKING:  # for editors and type checkers; at run time each is loaded when first used
    from tunesmith import analysis as analysis
    from tunesmith import executors as executors
    from tunesmith import plots as plots
    from tunesmith import replication as replication
    from tunesmith import samplers as samplers
    from tunesmith import schedulers as schedulers
    from tunesmith import stop as stop
    from tunesmith import storage as storage
    from tunesmith._core.errors import Conflict as Conflict
    from tunesmith._core.errors import Infeasible as Infeasible
    from tunesmith._core.errors import Interrupted as Interrupted
    from tunesmith._core.errors import LogError as LogError
    from tunesmith._core.errors import MissingExtra as MissingExtra
    from tunesmith._core.errors import NoTrials as NoTrials
    from tunesmith._core.errors import NotSupported as NotSupported
    from tunesmith._core.errors import Preempted as Preempted
    from tunesmith._core.errors import ResultError as ResultError
    from tunesmith._core.errors import SettingError as SettingError
    from tunesmith._core.errors import SpaceError as SpaceError
    from tunesmith._core.errors import Stopped as Stopped
    from tunesmith._core.errors import StorageError as StorageError
    from tunesmith._core.errors import StudyError as StudyError
    from tunesmith._core.errors import StudyFinished as StudyFinished
    from tunesmith._core.errors import StudyNotFound as StudyNotFound
    from tunesmith._core.errors import Superseded as Superseded
    from tunesmith._core.errors import TrialFailed as TrialFailed
    from tunesmith._core.errors import TunesmithError as TunesmithError
    from tunesmith.knowledge import space_for as space_for
    from tunesmith.records import History as History
    from tunesmith.records import Problem as Problem
    from tunesmith.records import Record as Record
    from tunesmith.records import Resource as Resource
    from tunesmith.space import Categorical as Categorical
    from tunesmith.space import Choice as Choice
    from tunesmith.space import Float as Float
    from tunesmith.space import Int as Int
    from tunesmith.space import List as List
    from tunesmith.space import Ordinal as Ordinal
    from tunesmith.space import Space as Space
    from tunesmith.study import Study as Study
    from tunesmith.study import Trial as Trial
    from tunesmith.study import Verification as Verification
    from tunesmith.study import delete as delete
    from tunesmith.study import load as load
    from tunesmith.study import maximize as maximize
    from tunesmith.study import minimize as minimize
    from tunesmith.study import studies as studies

_PLACES = {
    "analysis": (),
    "executors": (),
    "plots": (),
    "replication": (),
    "samplers": (),
    "schedulers": (),
    "stop": (),
    "storage": (),
    "_core.errors": (
        "Conflict", "Infeasible", "Interrupted", "LogError", "MissingExtra", "NoTrials",
        "NotSupported", "Preempted", "ResultError", "SettingError", "SpaceError", "Stopped",
        "StorageError", "StudyError", "StudyFinished", "StudyNotFound", "Superseded",
        "TrialFailed", "TunesmithError",
    ),
    "knowledge": ("space_for",),
    "records": ("History", "Problem", "Record", "Resource"),
    "space": ("Categorical", "Choice", "Float", "Int", "List", "Ordinal", "Space"),
    "study": (
        "Study", "Trial", "Verification", "delete", "load", "maximize", "minimize", "studies",
    ),
}  # fmt: skip
_HOMES = {name: place for place, names in _PLACES.items() for name in names}

_PACKAGES = tuple(place for place, names in _PLACES.items() if not names)

__all__ = ["__version__", *_HOMES, *_PACKAGES]  # noqa: PLE0604 - all are strings

if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names

    def __getattr__(name: str) -> Any:
        if name in _PACKAGES:
            return import_module(f"tunesmith.{name}")
        if name in _HOMES:
            found = getattr(import_module(f"tunesmith.{_HOMES[name]}"), name)
            globals()[name] = found
            return found
        raise hint_of_module("tunesmith", name)

    def __dir__() -> list[str]:
        return sorted(__all__)

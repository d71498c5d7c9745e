"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move. `confirmed` says what evaluations on fresh seeds tell of a search's finalists.
"""

from tunesmith.analysis.confirmation import Confirmation, Finalist, confirmed
from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.moves import Move
from tunesmith.analysis.symptoms import Symptom

__all__ = [
    "Confirmation",
    "Diagnosis",
    "Finalist",
    "Finding",
    "Move",
    "Symptom",
    "confirmed",
    "diagnose",
]

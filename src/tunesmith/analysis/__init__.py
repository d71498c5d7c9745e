"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move; `confirmed` what evaluations on fresh seeds tell of a search's finalists; `compare_studies` and
`compare_trials` what two do not have in common.
"""

from tunesmith.analysis.confirmation import Confirmation, Finalist, confirmed
from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.differences import Difference, compare_studies, compare_trials
from tunesmith.analysis.moves import Move
from tunesmith.analysis.symptoms import Symptom

__all__ = [
    "Confirmation",
    "Diagnosis",
    "Difference",
    "Finalist",
    "Finding",
    "Move",
    "Symptom",
    "compare_studies",
    "compare_trials",
    "confirmed",
    "diagnose",
]

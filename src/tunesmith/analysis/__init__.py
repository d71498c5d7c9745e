"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move; `compare_studies` and `compare_trials` say what two do not have in common.
"""

from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.differences import Difference, compare_studies, compare_trials
from tunesmith.analysis.moves import Move
from tunesmith.analysis.symptoms import Symptom

__all__ = [
    "Diagnosis",
    "Difference",
    "Finding",
    "Move",
    "Symptom",
    "compare_studies",
    "compare_trials",
    "diagnose",
]

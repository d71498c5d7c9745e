"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move; `recommend` which configuration is the best in truth, the luck of its measurement taken off.
"""

from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.moves import Move
from tunesmith.analysis.recommendation import Estimate, Recommendation, recommend
from tunesmith.analysis.symptoms import Symptom

__all__ = [
    "Diagnosis",
    "Estimate",
    "Finding",
    "Move",
    "Recommendation",
    "Symptom",
    "diagnose",
    "recommend",
]

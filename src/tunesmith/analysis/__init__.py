"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move; `recommend` which configuration is the best in truth, the luck of its measurement taken off; `confirmed`
what evaluations on fresh seeds tell of a search's finalists; `forecast` what more trials will gain; `overtuning`
whether the gain holds on test samples; `sensitivity` how much of it is luck, and what moving a parameter
costs; `compare_studies` and `compare_trials` what two do not have in common.
"""

from tunesmith.analysis.confirmation import Confirmation, Finalist, confirmed
from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.differences import Difference, compare_studies, compare_trials
from tunesmith.analysis.forecast import Forecast, forecast
from tunesmith.analysis.moves import Move
from tunesmith.analysis.overtuning import Overtuning, overtuning
from tunesmith.analysis.recommendation import Estimate, Recommendation, recommend
from tunesmith.analysis.sensitivity import Seeds, Sensitivity, Step, sensitivity
from tunesmith.analysis.symptoms import Symptom

__all__ = [
    "Confirmation", "Diagnosis", "Difference", "Estimate", "Finalist", "Finding", "Forecast", "Move", "Overtuning",
    "Recommendation", "Seeds", "Sensitivity", "Step", "Symptom", "compare_studies", "compare_trials", "confirmed",
    "diagnose", "forecast", "overtuning", "recommend", "sensitivity",
]  # fmt: skip

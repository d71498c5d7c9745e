"""What a study's trials tell people beyond its best: functions of a history.

`diagnose` says what is wrong with trainings, from the curves that they reported, and which parameter
to move; `recommend` which configuration is the best in truth, the luck of its measurement taken off; `confirmed`
what evaluations on fresh seeds tell of a search's finalists; `forecast` what more trials will gain; `overtuning`
whether the gain holds on test samples; `sensitivity` how much of it is luck, and what moving a parameter
costs; `importance` which parameters matter, `effects` and `surface` how, `advice` what to change
about their ranges; `tunability` what tuning gains over the default, `ablation` on which way, `why` what makes a
configuration good; `hypervolume` what several objectives have reached, `spending` where the time
went, `compare` which of several methods is better; `compare_studies` and `compare_trials` what two do not have in common.
"""

from tunesmith.analysis.ablation import Ablation, AblationStep, ablation
from tunesmith.analysis.advice import Advice, advice
from tunesmith.analysis.comparison import Comparison, compare
from tunesmith.analysis.confirmation import Confirmation, Finalist, confirmed
from tunesmith.analysis.diagnosis import Diagnosis, Finding, diagnose
from tunesmith.analysis.differences import Difference, compare_studies, compare_trials
from tunesmith.analysis.effects import EffectCurve, Surface, effects, surface
from tunesmith.analysis.forecast import Forecast, forecast
from tunesmith.analysis.importance import Effect, Importance, Interaction, importance
from tunesmith.analysis.moves import Move
from tunesmith.analysis.overtuning import Overtuning, overtuning
from tunesmith.analysis.recommendation import Estimate, Recommendation, recommend
from tunesmith.analysis.sensitivity import Seeds, Sensitivity, Step, sensitivity
from tunesmith.analysis.spending import Portion, Spending, spending
from tunesmith.analysis.symptoms import Symptom
from tunesmith.analysis.tunability import Gain, Tunability, tunability
from tunesmith.analysis.volume import Hypervolume, hypervolume
from tunesmith.analysis.why import Why, why

__all__ = [
    "Ablation",
    "AblationStep",
    "Advice",
    "Comparison",
    "Confirmation",
    "Diagnosis",
    "Difference",
    "Effect",
    "EffectCurve",
    "Estimate",
    "Finalist",
    "Finding",
    "Forecast",
    "Gain",
    "Hypervolume",
    "Importance",
    "Interaction",
    "Move",
    "Overtuning",
    "Portion",
    "Recommendation",
    "Seeds",
    "Sensitivity",
    "Spending",
    "Step",
    "Surface",
    "Symptom",
    "Tunability",
    "Why",
    "ablation",
    "advice",
    "compare",
    "compare_studies",
    "compare_trials",
    "confirmed",
    "diagnose",
    "effects",
    "forecast",
    "hypervolume",
    "importance",
    "overtuning",
    "recommend",
    "sensitivity",
    "spending",
    "surface",
    "tunability",
    "why",
]  # fmt: skip

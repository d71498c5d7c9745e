"""Rules that end a run: `study.run(train, until=ts.stop.Target(0.99) | ts.stop.Seconds(3600))`.

A rule is a frozen dataclass with one method, `reason`; put a new one beside the others in
`rules.py`.
"""

from tunesmith.stop.rule import StopRule
from tunesmith.stop.rules import NoImprovement, NoWorthwhileGain, Seconds, Spent, Target, Trials

__all__ = [
    "NoImprovement", "NoWorthwhileGain", "Seconds", "Spent", "StopRule", "Target", "Trials",
]  # fmt: skip

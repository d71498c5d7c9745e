"""Schedulers: how long a trial goes on, by what it and the others have reported.

A scheduler is a fold over what happened, as a sampler is; see `Scheduler` for the contract. Parts:

* `ASHA`: the best third of each rung goes on, and nobody waits; the default of a study with a resource.
* `SuccessiveHalving`: the same, in cohorts that wait for one another.
* `Hyperband`: cohorts from many short trials to few full ones.
* `Median`: what has never been as good as the others are on average ends.
* `Curve`: each curve is drawn on; what will hardly be among the best in the end ends now.
* `PBT`: members train together, and the worst give way to changed copies of the best.
* `Race`: folds instead of epochs: what is hopelessly behind the incumbent on the same folds ends.

A scheduler of one's own is one file with one final frozen dataclass. One that only stops derives from
`StoppingScheduler` and has four short methods. It can be passed as it is,
`Study(..., scheduler=Mine())`; to have it found by name it takes one line: ours stand in `registry`,
those of other packages in their pyproject.toml::

    [project.entry-points."tunesmith.schedulers"]
    mine = "my_package.mine:Mine"

Whether it keeps the contract is checked by subclassing
`tunesmith.testing.schedulers.SchedulerConformance`.
"""

from typing import TYPE_CHECKING, Any

from tunesmith._core.hints import hint_of_module
from tunesmith._core.registry import Registry
from tunesmith.schedulers.scheduler import (
    Decision,
    Fork,
    Resume,
    Scheduler,
    StoppingScheduler,
)

if TYPE_CHECKING:  # `__getattr__` in a form that type checkers and editors understand
    from tunesmith.schedulers.asha import ASHA
    from tunesmith.schedulers.curve import Curve
    from tunesmith.schedulers.halving import Hyperband, SuccessiveHalving
    from tunesmith.schedulers.median import Median
    from tunesmith.schedulers.pbt import PBT
    from tunesmith.schedulers.race import Race

__all__ = [
    "ASHA",
    "PBT",
    "Curve",
    "Decision",
    "Fork",
    "Hyperband",
    "Median",
    "Race",
    "Resume",
    "Scheduler",
    "StoppingScheduler",
    "SuccessiveHalving",
    "registry",
]

registry: Registry[Scheduler[Any]] = Registry(
    "tunesmith.schedulers",
    "scheduler",
    {
        "asha": "tunesmith.schedulers.asha:ASHA",
        "curve": "tunesmith.schedulers.curve:Curve",
        "hyperband": "tunesmith.schedulers.halving:Hyperband",
        "median": "tunesmith.schedulers.median:Median",
        "pbt": "tunesmith.schedulers.pbt:PBT",
        "race": "tunesmith.schedulers.race:Race",
        "successivehalving": "tunesmith.schedulers.halving:SuccessiveHalving",
    },
)


if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names

    def __getattr__(name: str) -> type[Scheduler[Any]]:
        if name in __all__:
            return registry.get(name.lower())
        raise hint_of_module(__name__, name)

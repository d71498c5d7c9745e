"""Which pictures there are: ours in one line each, those of other packages by entry point."""

from tunesmith._core.registry import Registry
from tunesmith.plots.picture import Picture

registry: Registry[Picture] = Registry(
    "tunesmith.plots",
    "picture",
    {
        "curves": "tunesmith.plots.curves:Curves",
        "front": "tunesmith.plots.front:Front",
        "history": "tunesmith.plots.history:Trials",
        "lineage": "tunesmith.plots.lineage:Lineage",
        "overtuning": "tunesmith.plots.overtuning:Holdout",
        "parallel": "tunesmith.plots.parallel:Parallel",
        "rungs": "tunesmith.plots.rungs:Ladder",
        "schedules": "tunesmith.plots.schedules:Schedules",
        "slices": "tunesmith.plots.slices:Slices",
        "timeline": "tunesmith.plots.timeline:Timeline",
    },
)

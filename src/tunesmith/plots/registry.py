"""Which pictures there are: ours in one line each, those of other packages by entry point."""

from tunesmith._core.registry import Registry
from tunesmith.plots.picture import Picture

registry: Registry[Picture] = Registry(
    "tunesmith.plots",
    "picture",
    {
        "ablation": "tunesmith.plots.ablation:Way",
        "contours": "tunesmith.plots.contours:Contours",
        "curves": "tunesmith.plots.curves:Curves",
        "effects": "tunesmith.plots.effects:Effects",
        "front": "tunesmith.plots.front:Front",
        "history": "tunesmith.plots.history:Trials",
        "hypervolume": "tunesmith.plots.hypervolume:Volume",
        "importance": "tunesmith.plots.importance:Shares",
        "interactions": "tunesmith.plots.interactions:Pairs",
        "lineage": "tunesmith.plots.lineage:Lineage",
        "overtuning": "tunesmith.plots.overtuning:Holdout",
        "parallel": "tunesmith.plots.parallel:Parallel",
        "rungs": "tunesmith.plots.rungs:Ladder",
        "schedules": "tunesmith.plots.schedules:Schedules",
        "slices": "tunesmith.plots.slices:Slices",
        "timeline": "tunesmith.plots.timeline:Timeline",
        "tunability": "tunesmith.plots.tunability:Gains",
    },
)

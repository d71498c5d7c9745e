"""Which pictures there are: ours in one line each, those of other packages by entry point."""

from tunesmith._core.registry import Registry
from tunesmith.plots.picture import Picture

registry: Registry[Picture] = Registry(
    "tunesmith.plots",
    "picture",
    {
        "history": "tunesmith.plots.history:Trials",
    },
)

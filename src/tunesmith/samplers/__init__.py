"""Samplers: who proposes the params that are tried next.

A sampler is a fold over what happened: `init` makes a state, `tell` the next one, `ask` reads it.
The object itself only holds settings; see `Sampler` for the contract. Parts:

* `Random`: each configuration by itself; the yardstick.
* `QuasiRandom`: scrambled Sobol' points, more even than random ones.
* `Auto`: the default; `GP`, and `TPE` where the log shows that it does better.
* `GP`: a Gaussian process of everything seen so far; the fewest trials to a good result.
* `TPE`: where good trials lie more densely than bad ones; a millisecond a suggestion.
* `Grid`: every combination once, in order; ends by itself.
* `Queue`: nothing but what was enqueued.

A sampler of one's own is one file with one final frozen dataclass. The short way is one function
of the whole history::

    @final
    @dataclass(frozen=True)
    class Nearby(HistorySampler):
        radius: float = 0.1

        def propose(self, problem, history, rng, n):
            return [Suggestion(params) for params in problem.space.sample(rng, n)]

It can be passed as it is: `Study(..., sampler=Nearby())`. To have it found by name, by the command
line and when a log is opened elsewhere, it takes one line: ours stand in `registry`, those of
other packages in their pyproject.toml::

    [project.entry-points."tunesmith.samplers"]
    nearby = "my_package.nearby:Nearby"

Whether it keeps the contract is checked by subclassing
`tunesmith.testing.samplers.SamplerConformance`.
"""

from typing import TYPE_CHECKING, Any

from tunesmith._core.hints import hint_of_module
from tunesmith._core.registry import Registry
from tunesmith.samplers.sampler import FiniteSampler, HistorySampler, Sampler, Suggestion

if TYPE_CHECKING:  # `__getattr__` in a form that type checkers and editors understand
    from tunesmith.samplers.auto import Auto
    from tunesmith.samplers.gp import GP
    from tunesmith.samplers.grid import Grid
    from tunesmith.samplers.quasirandom import QuasiRandom
    from tunesmith.samplers.queue import Queue
    from tunesmith.samplers.random import Random
    from tunesmith.samplers.tpe import TPE

__all__ = [
    "GP",
    "TPE",
    "Auto",
    "FiniteSampler",
    "Grid",
    "HistorySampler",
    "QuasiRandom",
    "Queue",
    "Random",
    "Sampler",
    "Suggestion",
    "registry",
]

registry: Registry[Sampler[Any]] = Registry(
    "tunesmith.samplers",
    "sampler",
    {
        "auto": "tunesmith.samplers.auto:Auto",
        "gp": "tunesmith.samplers.gp:GP",
        "grid": "tunesmith.samplers.grid:Grid",
        "quasirandom": "tunesmith.samplers.quasirandom:QuasiRandom",
        "queue": "tunesmith.samplers.queue:Queue",
        "random": "tunesmith.samplers.random:Random",
        "tpe": "tunesmith.samplers.tpe:TPE",
    },
)


if not TYPE_CHECKING:  # a type checker shall go on refusing unknown names

    def __getattr__(name: str) -> type[Sampler[Any]]:
        if name in __all__:
            return registry.get(name.lower())
        raise hint_of_module(__name__, name)

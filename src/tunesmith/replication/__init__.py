"""Replication: which configurations are evaluated on further seeds.

* `Fixed`: each as often as the others; `Study(..., replicates=3)`.
* `Racing`: what may still be the best; `Study(..., replicates=ts.replication.Racing())`.

One of one's own is a final frozen dataclass with two methods, see `Replication`. To have it found by name,
so that another process can open the study, it takes one line in its package's pyproject.toml::

    [project.entry-points."tunesmith.replication"]
    mine = "my_package.mine:Mine"
"""

from tunesmith._core.registry import Registry
from tunesmith.replication.fixed import Fixed
from tunesmith.replication.racing import Racing
from tunesmith.replication.replication import Replication

__all__ = ["Fixed", "Racing", "Replication", "registry"]

registry: Registry[Replication] = Registry(
    "tunesmith.replication",
    "replication",
    {
        "fixed": "tunesmith.replication.fixed:Fixed",
        "racing": "tunesmith.replication.racing:Racing",
    },
)

"""The machine as results may depend on it: processor, memory, graphics cards."""

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple, final


@final
class Machine(NamedTuple):
    """What this process runs on.

    Attributes:
        platform: Operating system and architecture.
        cpu: Model of the processor.
        cores: How many the process may use.
        memory_bytes: Of the machine.
        gpus: Models of the graphics cards.
    """

    platform: str
    cpu: str
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...]


@cache
def machine() -> Machine:
    """Return it; nothing is loaded, no driver is woken."""
    return Machine(
        platform=f"{sys.platform} {platform.release()} {platform.machine()}",
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpus=_gpus(),
    )


def _cpu() -> str:
    with suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        for line in lines:  # the first core's; reading them all would take milliseconds
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def _gpus() -> tuple[str, ...]:
    """As the driver lists them: asking CUDA would take memory on each, and forbid to fork."""
    found = []
    with suppress(OSError):
        for place in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
            lines = (line.partition(":") for line in place.read_text().splitlines())
            found += [value.strip() for name, _, value in lines if name == "Model"]
    return tuple(found)

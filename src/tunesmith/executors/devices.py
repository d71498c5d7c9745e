"""Which GPUs a work sees: those that are there, shared out among places, told to processes.

A process learns it from its environment, which must be set before anything is imported in it.
CUDA then numbers what it sees from 0, so that a work says "cuda:0" wherever it runs.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from tunesmith._core.checks import is_whole
from tunesmith._core.errors import MissingExtra, SettingError
from tunesmith.executors import nvml

GPUs: TypeAlias = Literal["all"] | Sequence[int | str]
Devices: TypeAlias = tuple[str, ...]  # as CUDA_VISIBLE_DEVICES names them

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_IDS: Final = ("GPU-", "MIG-")

environment: Final[ContextVar[Mapping[str, str]]] = ContextVar(
    "environment", default=MappingProxyType({})
)
"""What programs that a work in a thread of this process starts are to find in their environment."""


def visible() -> Devices | None:
    """Return the GPUs that this process may use, by its environment; None: that does not say."""
    text = os.environ.get(VISIBLE)
    # as CUDA reads it: up to the first that cannot be
    return None if text is None else tuple(takewhile(_is_name, map(str.strip, text.split(","))))


def devices_of(gpus: GPUs) -> Devices:
    """Return the GPUs that are meant.

    Args:
        gpus: "all": those that this process may use; or numbers as `nvidia-smi` shows them, and ids of
            GPUs and of their MIG instances.

    Raises:
        SettingError: There is none, one is no GPU, comes twice, or is not for this process.
        MissingExtra: Nothing but NVML could tell, and its package is not installed.
    """
    seen = visible()
    if gpus == "all":
        found = nvml.devices() if seen is None else seen
        if not found:
            raise SettingError(
                "gpus='all' finds none: no NVIDIA driver answers here; leave gpus= out, or name them, such "
                "as gpus=[0, 1]"
                if seen is None
                else f"gpus='all' finds none: {VISIBLE}={os.environ[VISIBLE]!r} hides them; unset it"
            )
        return found
    given: Any = gpus
    listed = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []
    names = [str(one) for one in listed if is_whole(one) or isinstance(one, str)]
    if not names or len(names) < len(listed) or not all(map(_is_name, names)):
        raise SettingError(
            "gpus= is 'all' or a list of numbers and ids as nvidia-smi -L shows them, such as [0, 1]; "
            f"got {gpus!r}"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingError(
            f"gpus= names {words((twice,))} twice; workers={2 * len(set(names))} lets two trials share each"
        )
    hidden = [name for name in names if seen is not None and name not in seen]
    if hidden:
        raise SettingError(
            f"{words((hidden[0],))} is not for this process, {VISIBLE}={os.environ[VISIBLE]!r}; "
            "gpus='all' takes those"
        )
    return tuple(names)


def _is_name(text: str) -> bool:
    return text.isdecimal() or text.startswith(_IDS)


def shares(devices: Devices, n: int) -> list[Devices]:
    """Return which devices are used together, so that `n` works can be shared out evenly.

    Raises:
        SettingError: They cannot.
    """
    size, rest = divmod(len(devices), n)
    if n % len(devices) and rest:
        fewer = [str(k) for k in range(1, len(devices) + 1) if len(devices) % k == 0]
        raise SettingError(
            f"{len(devices)} GPUs do not go evenly into workers={n}; take {', '.join(fewer[:-1])} or "
            f"{fewer[-1]}, or a multiple of {len(devices)}, so that some share one"
        )
    size = max(1, size)
    if size > 1 and any(device.startswith("MIG-") for device in devices):
        raise SettingError(
            f"CUDA shows one MIG instance to a process, and workers={n} would have {size}; "
            f"take {len(devices)} workers"
        )
    return [devices[at : at + size] for at in range(0, len(devices), size)]


def variables(devices: Devices) -> dict[str, str]:
    """Return the environment of a process that sees these devices alone; of none: nothing."""
    if not devices:
        return {}
    order = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # numbers are those of nvidia-smi
    return {VISIBLE: ",".join(devices), "CUDA_DEVICE_ORDER": order}


def words(devices: Devices) -> str:
    """Return what people call these devices.

    Example:
        >>> words(("0", "3"))
        'GPU 0, GPU 3'
    """
    return ", ".join(f"GPU {one}" if one.isdecimal() else one for one in devices)


def device() -> str:
    """Return what this process trains on, as PyTorch names it: "cuda:0", or "cpu" without a GPU.

    Under `torchrun`, whose processes see the same GPUs, each has the one of its own rank.
    """
    seen = visible()
    if not (_has_driver() if seen is None else seen):
        return "cpu"
    rank = int(os.environ.get("LOCAL_RANK", "0"))
    return f"cuda:{rank % len(seen) if seen else rank}"


def _has_driver() -> bool:
    if any(Path("/dev").glob("nvidia[0-9]*")):
        return True
    with suppress(MissingExtra):  # it may be there without such files, as under WSL
        return bool(nvml.devices())
    return False

"""What NVML, the library behind `nvidia-smi`, says of this machine; without a driver nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tunesmith._core.errors import MissingExtra
from tunesmith._core.optional import need


def _library() -> Any:
    """NVML, ready to be asked; None where no driver answers."""
    library = need("pynvml", "gpu")
    try:
        library.nvmlInit()  # it counts, and does nothing the second time
    except library.NVMLError:
        return None
    return library


def devices() -> tuple[str, ...]:
    """Return the GPUs of this machine by number; of one that is divided, the ids of its instances.

    Raises:
        MissingExtra: The package is not installed.
    """
    library = _library()
    return () if library is None else tuple(name for name, _ in _handles(library))


def memory() -> Mapping[int, int]:
    """Return the bytes that processes have in use on all GPUs together, by process id."""
    used: Counter[int] = Counter()
    with suppress(MissingExtra):
        library = _library()
        for _, handle in () if library is None else _handles(library):
            with suppress(library.NVMLError):
                for process in library.nvmlDeviceGetComputeRunningProcesses(handle):
                    used[process.pid] += process.usedGpuMemory or 0  # None: the driver hides it
    return used


def _handles(library: Any) -> Iterator[tuple[str, Any]]:
    for number in range(library.nvmlDeviceGetCount()):
        with suppress(library.NVMLError):  # it has fallen off the bus
            gpu = library.nvmlDeviceGetHandleByIndex(number)
            instances = list(_instances(library, gpu))
            yield from instances or [(str(number), gpu)]


def _instances(library: Any, gpu: Any) -> Iterator[tuple[str, Any]]:
    try:
        if library.nvmlDeviceGetMigMode(gpu)[0] != library.NVML_DEVICE_MIG_ENABLE:
            return
    except library.NVMLError:  # it cannot be divided
        return
    for place in range(library.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        with suppress(library.NVMLError):  # there is no instance at this place
            instance = library.nvmlDeviceGetMigDeviceHandleByIndex(gpu, place)
            yield library.nvmlDeviceGetUUID(instance), instance

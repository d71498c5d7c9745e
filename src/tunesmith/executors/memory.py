"""Memory: the most that works in this process use, and how exceptions say that none was left."""

import gc
import os
import sys
from contextlib import suppress
from typing import Any, Final, final

MEMORY: Final = "peak_memory_bytes"
GPU_MEMORY: Final = "peak_gpu_memory_bytes"

_KINDS = {
    "MemoryError",
    "OutOfMemoryError",
    "ResourceExhaustedError",
}  # Python; PyTorch, CuPy; TensorFlow
_XLA = {"XlaRuntimeError", "JaxRuntimeError"}
_SIGNS = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "HIP out of memory",
    "cudaErrorMemoryAllocation",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "RESOURCE_EXHAUSTED: Out of memory",
)
_STATUS_BYTES = 1 << 12


def out_of_memory(error: BaseException) -> bool:
    """Return whether an exception says that there was no memory left, on a GPU or beside it.

    By its name and message, which are all that is left of one that cannot travel.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _KINDS:
        return True
    with suppress(Exception):  # a __str__ may raise anything
        text = str(error)
        return any(sign in text for sign in _SIGNS) or bool(
            names & _XLA and "RESOURCE_EXHAUSTED" in text
        )
    return False


@final
class Meter:
    """Measures the peak memory of this process from work to work, and that of PyTorch on its GPUs."""

    def __init__(self) -> None:
        self._status = self._reset = -1
        with suppress(OSError):  # a system without them
            self._status = os.open("/proc/self/status", os.O_RDONLY)
            self._reset = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def begin(self) -> None:
        """Count from here on."""
        with suppress(OSError):
            os.write(self._reset, b"5")  # proc_pid_clear_refs(5): the peak is what is resident now
        with suppress(Exception):  # whatever PyTorch does, it must not end a work
            cuda = _cuda()
            for number in range(cuda.device_count() if cuda else 0):
                cuda.reset_peak_memory_stats(number)

    def used(self) -> dict[str, float]:
        """Return the peaks since `begin`, in bytes, as far as they can be told."""
        found: dict[str, float] = {}
        with suppress(OSError, ValueError):
            status = os.pread(self._status, _STATUS_BYTES, 0)
            found[MEMORY] = int(status[status.index(b"VmHWM:") + 6 :].split(None, 1)[0]) * 1024.0
        with suppress(Exception):
            if cuda := _cuda():
                peaks = map(cuda.max_memory_reserved, range(cuda.device_count()))
                found[GPU_MEMORY] = float(sum(peaks))
        return found


def release() -> None:
    """Give back the GPU memory that a work has left behind, for those who share the GPU."""
    with suppress(Exception):
        if cuda := _cuda():
            gc.collect()
            cuda.empty_cache()


def _cuda() -> Any:
    """PyTorch's CUDA, if it is loaded and in use."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None

"""What the C library does with the memory of freed arrays."""

import numpy as np

SCRATCH = 1 << 19  # numbers, more than any array of a search has


def keep_memory() -> None:
    """Let it be kept for the next arrays: new pages are a seventh of the time of a suggestion.

    glibc returns to the system what is freed at the end of its heap, unless something larger was
    freed before; to other libraries this means nothing. See mallopt(3), M_MMAP_THRESHOLD.
    """
    large = np.empty(SCRATCH)
    del large

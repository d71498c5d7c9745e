from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.executors.frames import Frame, Kind, Reassembly, dumps

FRAMES = st.lists(
    st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.binary(max_size=50)),
    max_size=6,
)


@given(frames=FRAMES, cuts=st.lists(st.integers(0, 400), max_size=10))
def test_frames_come_out_however_they_were_cut(frames: list[Frame], cuts: list[int]) -> None:
    """Pieces of any length, empty ones included, give the frames that were packed, in order."""
    stream = b"".join(frame.pack() for frame in frames)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reassembly = Reassembly()

    got = [frame for begin, end in pairwise(bounds) for frame in reassembly.feed(stream[begin:end])]

    assert got == frames


def test_running_out_of_memory_is_no_matter_of_type() -> None:
    """A MemoryError while pickling stays one: it says something else than that it cannot be."""

    class Huge:
        def __reduce__(self) -> str:
            raise MemoryError

    with pytest.raises(MemoryError):
        dumps(Huge(), "it", "make it smaller")

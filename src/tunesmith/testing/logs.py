"""Hypothesis strategies of problems and of logs: any events in any order, as broken as they may come.

A log here is what the fold must digest, not what a study would write: events repeat, come late,
speak for superseded attempts, and name trials that never started.
"""

from typing import Any

from hypothesis import strategies as st

from tunesmith.records import Failure, Limit, Objective, Problem, Resource
from tunesmith.records.events import (
    FORMAT,
    AnyEvent,
    Commanded,
    Created,
    Enqueued,
    Finished,
    Joined,
    Noted,
    Part,
    Paused,
    Reported,
    Resumed,
    Saved,
    Started,
)
from tunesmith.space import Params, Space
from tunesmith.testing.strategies import spaces

_UIDS = st.sampled_from(["0.0", "0.1", "1.0"])
_ATTEMPTS = st.integers(1, 3)
_TIMES = st.floats(0, 1e9)
_KEYS = st.sampled_from(["", "k"])
_STEPS = st.integers(1, 5)
_LOSSES = st.fixed_dictionaries(
    {"loss": st.floats(-1e6, 1e6) | st.just("inf")}, optional={"seconds": st.floats(0, 1e3)}
)


@st.composite
def problems(draw: st.DrawFn) -> Problem[Any]:
    """Return a strategy of problems: any space, one or two objectives, perhaps limits, a resource."""
    one, other = Objective("loss", "minimize"), Objective("accuracy", "maximize")
    limits = draw(st.sampled_from([(), ("latency_ms <= 20",)]))
    return Problem(
        draw(spaces()),
        draw(st.sampled_from([(one,), (other,), (one, other)])),
        tuple(map(Limit.parse, limits)),
        draw(st.none() | st.builds(Resource, st.just("epoch"), st.integers(3, 9))),
        draw(st.sampled_from(["last", "best"])),
    )


def created(space: Space[Any], seed: int = 7) -> Created:
    """Return the first event of a study of one loss."""
    problem = Problem(space, (Objective("loss", "minimize"),))
    return Created(
        time=0.0, format=FORMAT, problem=problem.to_text(), seed=seed, sampler=Part("random")
    )


def logs(params: Params, *, max_size: int = 30) -> st.SearchStrategy[list[AnyEvent]]:
    """Return a strategy of what follows the first event.

    Args:
        params: What all its trials are of.
        max_size: Most events.
    """
    own = st.just(params)
    kinds: list[st.SearchStrategy[AnyEvent]] = [
        st.builds(
            Started, time=_TIMES, uid=_UIDS, owner=st.sampled_from(["", "a"]), params=own,
            basis=st.just(1), seed=st.just(3), item=st.sampled_from(["", "q0"]),
            memo=st.sampled_from([{}, {"index": 1}]),
        ),
        st.builds(
            Reported, time=_TIMES, uid=_UIDS, attempt=_ATTEMPTS, step=_STEPS, values=_LOSSES,
        ),
        st.builds(Saved, time=_TIMES, uid=_UIDS, attempt=_ATTEMPTS, step=_STEPS, key=_KEYS),
        st.builds(
            Paused, time=_TIMES, uid=_UIDS, attempt=_ATTEMPTS,
            why=st.sampled_from(["scheduler", "error"]),
        ),
        st.builds(
            Resumed, time=_TIMES, uid=_UIDS, attempt=st.integers(2, 4), owner=st.just("b"),
            key=_KEYS, why=st.sampled_from(["scheduler", "lost", "handed back"]), basis=st.just(1),
        ),
        st.builds(
            Finished, time=_TIMES, uid=_UIDS, attempt=_ATTEMPTS, state=st.just("complete"),
            values=_LOSSES,
        ),
        st.builds(
            Finished, time=_TIMES, uid=_UIDS, attempt=_ATTEMPTS, state=st.just("failed"),
            failure=st.just(Failure("error", "no luck")),
        ),
        st.builds(Noted, time=_TIMES, id=st.sampled_from(["n0", "n1"]), text=st.text(max_size=3)),
        st.builds(Enqueued, time=_TIMES, id=st.sampled_from(["q0", "q1"]), params=own),
        st.builds(Joined, time=_TIMES, owner=st.just("a"), handle=st.integers(0, 2)),
        st.builds(
            Commanded, time=_TIMES, id=st.just("c0"), command=st.just("stop"), target=_UIDS
        ),
    ]  # fmt: skip
    return st.lists(st.one_of(kinds), max_size=max_size)

"""Whether a sampler keeps its contract: a suite to subclass, for ours and for those of others."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias, final

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from tunesmith._core.random import Keyed
from tunesmith.records import Failure, Fold, Objective, Problem, Record, Resource
from tunesmith.records.events import (
    FORMAT,
    AnyEvent,
    Created,
    Finished,
    Part,
    Paused,
    Resumed,
    Source,
    Started,
)
from tunesmith.samplers import Queue, Sampler, Suggestion
from tunesmith.space import Categorical, Choice, Float, Int, List, Ordinal, Params, Space
from tunesmith.testing.refusals import refusal_of

SPACES: dict[str, Space[Any]] = {
    "one float": Space({"x": Float(-1, 1)}),
    "numeric": Space(
        {
            "lr": Float(1e-5, 1e-1, log=True),
            "momentum": Float(0, 1),
            "dropout": Float(0, 0.5, step=0.1),
            "units": Int(1, 512, log=True),
            "depth": Int(2, 10),
        }
    ),
    "conditional": Space(
        {
            "optimizer": Choice(
                {"sgd": {"lr": Float(1e-4, 1, log=True), "nesterov": Categorical([True, False])},
                 "adam": {"lr": Float(1e-5, 1e-2, log=True)},
                 "none": {}}
            ),
            "depth": Int(1, 3),
            "width": Ordinal([16, 32, 64], when="depth >= 2"),
        }
    ),
    "constrained list": Space(
        {
            "a": Int(0, 9),
            "b": Int(0, 9),
            "rate": Float(0, 1),
            "layers": List(Int(8, 64), length=(1, 3)),
        },
        constraints=["a + b <= 6"],
    ),
    "finite": Space(
        {
            "a": Int(1, 4),
            "kind": Categorical(["p", "q"]),
            "b": Int(0, 2, when={"kind": "q"}),
        },
        constraints=["b < a"],
    ),
    "single values": Space({"x": Float(1, 1), "n": Int(3, 3), "c": Categorical(["only"])}),
    "empty": Space({}),
}  # fmt: skip

LOSS = (Objective("loss", "minimize"),)

PROBLEMS: dict[str, Problem[Any]] = {
    **{name: Problem(space, LOSS) for name, space in SPACES.items()},
    "two objectives": Problem(SPACES["numeric"], (*LOSS, Objective("accuracy", "maximize"))),
    "resource": Problem(SPACES["numeric"], LOSS, resource=Resource("epoch", max=9)),
}

FINITE = pytest.mark.parametrize("problem", ["finite", "single values", "empty"], indirect=True)
ENDLESS = pytest.mark.parametrize("problem", ["one float", "conditional"], indirect=True)

Fate: TypeAlias = Literal["complete", "stopped", "error", "infeasible", "diverged"]

FATES: tuple[Fate | Literal["running", "paused", "resumed"], ...] = (
    "complete",
    "complete",
    "complete",
    "error",
    "running",
    "paused",
    "resumed",
    "stopped",
    "infeasible",
)


@final
class Play:
    """A study in little: a fold of events, a sampler's state, and luck keyed as a study keys it.

    Args:
        sampler: Who proposes.
        problem: What is tuned.
        seed: The study's seed.

    Attributes:
        told: Everything that happened to trials so far.
        state: The sampler's state.

    Raises:
        NotSupported: The sampler cannot do what the problem asks.
    """

    def __init__(self, sampler: Sampler[Any], problem: Problem[Any], seed: int = 0) -> None:
        self.sampler = sampler
        self.problem = problem
        self.seed = seed
        self.told: list[Record[Any]] = []
        self.state = sampler.init(problem, self._luck("init"))
        self._fold: Fold[Any] = Fold(
            Created(
                time=0, format=FORMAT, problem=problem.to_text(), seed=seed, sampler=Part("played")
            ),
            problem.space,
        )

    def _luck(self, *key: int | str) -> np.random.Generator:
        return Keyed().at(self.seed, *key)

    def _apply(self, event: AnyEvent) -> Record[Any]:
        record = self._fold.apply(event)
        if record is None:
            raise ValueError(f"without effect: {event}")
        self.told.append(record)
        if record.event in self.sampler.hears:
            self.state = self.sampler.tell(self.state, [record])
        return record

    def ask(self, n: int = 1, state: Any = None) -> list[Suggestion]:
        """Return what the sampler suggests now, by default in its state; asking changes nothing."""
        luck = self._luck(self._fold.decisions, 0, "ask")
        return self.sampler.ask(self.state if state is None else state, luck, n)

    def retold(self, cuts: Sequence[int]) -> Any:
        """Return the state of a sampler that heard everything in pieces, cut at these places."""
        records = [record for record in self.told if record.event in self.sampler.hears]
        state = self.sampler.init(self.problem, self._luck("init"))
        for begin, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
            state = self.sampler.tell(state, records[begin:end])
        return state

    def start(
        self,
        params: Params,
        memo: dict[str, Any] | None = None,
        source: Source = "sampler",
        replicate: tuple[str, int] | None = None,
    ) -> Record[Any]:
        """Start a trial of these params."""
        event = Started(
            time=len(self.told),
            uid=next(self._fold.next_uids(0)),
            params=params,
            basis=self._fold.length,
            memo=memo or {},
            seed=0,
            source=source,
            replicate=replicate,
        )
        return self._apply(event)

    def finish(self, record: Record[Any], fate: Fate = "complete") -> Record[Any]:
        """End a trial."""
        luck = self._luck("values", record.number)
        event = Finished(
            time=len(self.told),
            uid=record.uid,
            attempt=record.attempt,
            state="complete",
            values={o.name: luck.normal() for o in self.problem.objectives},
        )
        if fate == "stopped":
            event = replace(event, state="stopped", why="scheduler")
        elif fate != "complete":
            event = replace(event, state="failed", values={}, failure=Failure(fate))
        return self._apply(event)

    def pause(self, record: Record[Any]) -> Record[Any]:
        """Pause a running trial, as a scheduler does."""
        time = len(self.told)
        return self._apply(
            Paused(time=time, uid=record.uid, attempt=record.attempt, why="scheduler")
        )

    def resume(self, record: Record[Any]) -> Record[Any]:
        """Go on with a paused trial."""
        return self._apply(
            Resumed(
                time=len(self.told),
                uid=record.uid,
                attempt=record.attempt + 1,
                why="scheduler",
                basis=self._fold.length,
            )
        )

    def turn(self, n: int = 1) -> list[Suggestion]:
        """Ask for `n`, start them, and give each another fate, by its number."""
        suggestions = self.ask(n)
        for suggestion in suggestions:
            record = self.start(suggestion.params, suggestion.memo)
            fate = FATES[record.number % len(FATES)]
            if fate == "paused":
                self.pause(record)
            elif fate == "resumed":
                self.finish(self.resume(self.pause(record)))
            elif fate != "running":
                self.finish(record, fate)
        return suggestions

    def disturb(self) -> None:
        """Start trials that did not come from this sampler, and end one of them as diverged."""
        space = self.problem.space
        given, again = space.sample(self._luck("queue"), 2)
        self.finish(self.start(given, source="queue"), "diverged")
        repeated = self.start(given, replicate=(next(self._fold.next_uids(0)), 0))
        self.finish(repeated)
        self.finish(self.start(given, source="replicate", replicate=(repeated.uid, 1)))
        self.finish(self.start(again, {"index": 3, "of": "another sampler"}))


class SamplerConformance:
    """Tests that every sampler passes, on each problem that it does not refuse in `init`.

    A subclass gives the fixture `sampler`.

    Example::

        class TestNearby(SamplerConformance):
            @pytest.fixture
            def sampler(self) -> Nearby:
                return Nearby(radius=0.2)

    Attributes:
        repeats: Whether the sampler may suggest a configuration of a finite space again.
    """

    repeats: ClassVar[bool] = False

    @pytest.fixture(params=sorted(PROBLEMS))
    def problem(self, request: pytest.FixtureRequest, sampler: Sampler[Any]) -> Problem[Any]:
        """Each problem that the sampler takes."""
        problem = PROBLEMS[request.param]
        if refusal_of(sampler, problem) is not None:
            pytest.skip("refused in init")
        return problem

    def test_takes_some_problem(self, sampler: Sampler[Any]) -> None:
        """What it cannot do is refused in `init` by a sentence, but not everything."""
        refusals = [refusal_of(sampler, problem) for problem in PROBLEMS.values()]
        assert None in refusals
        assert "" not in refusals

    def test_suggests_within_the_space(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """Params are whole valid configurations, whatever becomes of the trials and of others'."""
        play = Play(sampler, problem)
        for turn in range(25):
            for suggestion in play.turn():
                problem.space.check(suggestion.params)
            if turn == 8:
                play.disturb()

    def test_memo_is_json(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """A memo comes back from the log as it was."""
        play = Play(sampler, problem)
        for memo in [s.memo for _ in range(12) for s in play.turn()]:
            assert msgspec.json.decode(msgspec.json.encode(memo)) == memo

    def test_ask_is_pure(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """Asking leaves no trace: the same state and luck give the same, asked before or not."""
        asked, quiet = Play(sampler, problem), Play(sampler, problem)
        for turn in range(12):
            assert asked.ask(3) == asked.ask(3)
            for seed in range(2):
                sampler.ask(asked.state, np.random.default_rng(seed), 5)
            assert asked.turn() == quiet.turn(), f"turn {turn}"

    def test_tell_may_be_cut_anywhere(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """However what happened is cut into calls, the next suggestions are the same."""
        play = Play(sampler, problem)
        for _ in range(10):
            play.turn()
        play.disturb()
        play.turn(3)
        one_by_one = play.ask(4)
        for cuts in ([], [1], [5], [3, 4, 4, 6]):
            assert play.ask(4, play.retold(cuts)) == one_by_one, f"cut at {cuts}"

    def test_asks_for_none(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """Asked for nothing, it suggests nothing, at the beginning and later."""
        play = Play(sampler, problem)
        assert play.ask(0) == []
        play.turn()
        assert play.ask(0) == []

    def test_gives_at_most_n(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """A batch has n suggestions; fewer only if a later call has none at all."""
        play = Play(sampler, problem)
        for n in (5, 1, 17):
            given = len(play.turn(n))
            assert given <= n
            assert given == n or play.ask(1) == []

    @FINITE
    def test_exhausts_a_finite_space(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """Each configuration of a finite space comes once, in batches of any size, then none."""
        if self.repeats or isinstance(sampler, Queue):
            pytest.skip("this sampler may repeat, or has nothing of its own")
        space = problem.space
        configurations = Counter(space.key(params) for params in space.configurations())
        for n in (1, 7):
            play = Play(sampler, problem)
            given: Counter[Any] = Counter()
            while suggestions := play.turn(n):
                given.update(space.key(s.params) for s in suggestions)
                assert max(given.values()) == 1
            assert given == configurations

    @FINITE
    def test_passes_over_what_others_started(
        self, sampler: Sampler[Any], problem: Problem[Any]
    ) -> None:
        """A configuration of a finite space that was queued is not suggested again."""
        if self.repeats or isinstance(sampler, Queue):
            pytest.skip("this sampler may repeat, or has nothing of its own")
        space = problem.space
        play = Play(sampler, problem)
        queued = list(space.configurations())[::2]
        for params in queued:
            play.start(params, source="queue")
        rest = Counter(map(space.key, list(space.configurations())[1::2]))
        assert Counter(space.key(s.params) for s in play.ask(len(rest) + 1)) == rest

    @ENDLESS
    def test_luck_matters(self, sampler: Sampler[Any], problem: Problem[Any]) -> None:
        """Other seeds give other suggestions, unless the sampler has an end of its own."""
        plays = [Play(sampler, problem, seed) for seed in (1, 2)]
        first, second = ([s.params for s in play.ask(300)] for play in plays)
        assert first != second or len(first) < 300

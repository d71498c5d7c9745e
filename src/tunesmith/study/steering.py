"""A scheduler at work: its state as a fold of the log, and what it has decided at each report."""

from typing import Any, Generic, final

from msgspec.structs import replace

from tunesmith._core.errors import NotSupported, SettingError
from tunesmith._core.random import Keyed
from tunesmith._core.types import P
from tunesmith.records import Fold, Problem, Record
from tunesmith.records.events import AnyEvent, Reported
from tunesmith.schedulers import Decision, Fork, Resume, Scheduler


@final
class Steering(Generic[P]):
    """The state of one scheduler in one study.

    It follows the log event by event, since a decision depends on all that was before its report and on
    nothing after it.

    Args:
        problem: What is tuned.
        scheduler: Who decides.
        seed: The study's seed.

    Raises:
        NotSupported: The scheduler cannot do what the problem asks.
    """

    def __init__(self, problem: Problem[P], scheduler: Scheduler[Any], seed: int) -> None:
        self.scheduler = scheduler
        self._seed = seed
        self._keyed = Keyed()
        self._state = scheduler.init(problem, self._keyed.at(seed, "init", "scheduler"))
        self._top = None if problem.resource is None else problem.resource.max
        self._due: dict[str, int] = {}
        self._decided: dict[str, Decision | NotSupported] = {}

    def follow(self, fold: Fold[P], event: AnyEvent, entry: Record[P] | None) -> Record[P] | None:
        """Take in an event that was just folded.

        Args:
            fold: The log up to it.
            event: The event.
            entry: What `Fold.apply` returned of it.

        Returns:
            What is heard of the event: the entry, or the record at a report that was due.

        Raises:
            SettingError: The scheduler broke its contract; says how.
        """
        if entry is None:
            return self._report(fold, event) if isinstance(event, Reported) else None
        if entry.source == "replicate":
            return entry  # its configuration went to the end, and so does it
        heard = entry.begun() if entry.event == "started" else entry
        self._state = self.scheduler.tell(self._state, [heard])
        self._decided.pop(entry.uid, None)
        self._due.pop(entry.uid, None)
        if entry.state == "running":
            self._due[entry.uid] = self.scheduler.due(self._state, heard)
        return entry

    def _report(self, fold: Fold[P], event: Reported) -> Record[P] | None:
        """Decide at a report, if that is due; one without effect never is."""
        if not self.is_due(event.uid, event.step):
            return None
        record = fold.current(event.uid, event.attempt)
        if record is None or record.state != "running" or record.step != event.step:
            return None
        heard = replace(record, reporting=True, values=fold.reported(record), owner="")
        self._state = self.scheduler.tell(self._state, [heard])
        self._decided[event.uid] = self._decide(heard)
        self._due[event.uid] = max(event.step + 1, self.scheduler.due(self._state, heard))
        return heard

    def _decide(self, record: Record[P]) -> Decision | NotSupported:
        if self._top is not None and record.step >= self._top:
            return "continue"
        try:
            decision = self.scheduler.decide(self._state, record)
        except NotSupported as refusal:  # for whoever reports; the log can be read all the same
            return refusal
        self._check(decision, record)
        return decision

    def _check(self, decision: Decision, record: Record[P]) -> None:
        name = type(self.scheduler).__name__
        if decision not in ("continue", "pause", "stop"):
            raise SettingError(
                f'{name}.decide returns "continue", "pause" or "stop", got {decision!r}'
            )
        if decision == "pause" and not record.resumable:
            raise SettingError(
                f"{name} pauses trial {record.number}, which cannot save itself; a scheduler pauses "
                "only what is record.resumable"
            )

    def is_due(self, uid: str, step: int) -> bool:
        """Return whether a trial's report at `step` is to be decided, as far as the log was read."""
        due = self._due.get(uid)
        return due is not None and step >= due

    def decision(self, uid: str) -> Decision:
        """Return what was decided at the last report of a running trial that was due.

        Raises:
            NotSupported: The scheduler cannot go on with this trial; says why.
        """
        decided = self._decided.get(uid, "continue")
        if isinstance(decided, NotSupported):
            raise decided
        return decided

    def keeps(self) -> set[tuple[str, int]]:
        """Return uid and step of the checkpoints that the scheduler may still fork from."""
        return self.scheduler.keeps(self._state)

    def drops(self) -> set[str]:
        """Return the trials that the scheduler has paused and will never revive."""
        return self.scheduler.drops(self._state)

    def room(self) -> int | None:
        """Return how many new trials the scheduler takes now; None: any number."""
        return self.scheduler.room(self._state)

    def revive(self, key: tuple[int, int], n: int, *, closing: bool) -> list[Resume | Fork]:
        """Return at most `n` trials that go on, by the luck of `key`; see `Scheduler.revive`."""
        rng = self._keyed.at(self._seed, *key, "revive")
        return self.scheduler.revive(self._state, rng, n, closing=closing)

"""Several processes for one trial, as `torchrun` starts them: rank 0 decides, the others run along.

Each rank calls `Study.run`. Rank 0 asks, tells and saves; the others get the same ticket, and their reports are answered
with what rank 0 was answered at the same step, so that all end there. They do not talk through collectives: the training's
own process group is left alone, and a rank that is stuck sticks nobody here.
"""

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self, final

from tunesmith._core.errors import Cancelled, Interrupted, Preempted, Stopped, StudyError
from tunesmith.executors import Channel, Executor, Inbox, Key, Place, Serial, Work
from tunesmith.executors.frames import dumps
from tunesmith.executors.worker import pack_error, unpack_error
from tunesmith.integrations.torch.talk import Talk
from tunesmith.storage.blobs import Blobs, connect
from tunesmith.study.errand import Report
from tunesmith.study.saving import Answer
from tunesmith.study.signals import AtOnce, Notice, noticed
from tunesmith.study.trial import Ticket

GRACE_S: Final = 10.0  # a rank that does not come back from a failed trial for so long hangs
BACK, GONE = b"back", b"gone"  # how a rank has ended a trial
_runs = count()  # every rank begins the same runs in the same order


@final
class Torchrun(Executor):
    """Runs each trial in all processes that `torchrun` has started, at once.

    A study uses it by itself where `torchrun` has started the program. One trial runs at a time, in the
    main thread of each rank. A rank that raises fails the trial. If the others hang then, as in a collective
    that waits for it, the processes end after ten seconds; `torchrun --max-restarts=3` begins them anew.
    """

    def __init__(self) -> None:
        self._rank = int(os.environ.get("RANK", "0"))
        self._world = int(os.environ.get("WORLD_SIZE", "1"))
        self._run = next(_runs)
        self._serial = Serial()
        self._submitted = 0
        self._stuck = ""

    def free(self) -> list[Place]:
        if self._stuck:
            raise StudyError(
                f"{self._stuck} did not come back from a trial that failed, and all ranks must begin anew; "
                "torchrun --max-restarts=3 does that, and the study goes on"
            )
        return self._serial.free()

    def submit(self, work: Work, key: Key, *args: Any, alone: bool = False) -> None:
        if self._world == 1:
            self._serial.submit(work, key, *args, alone=alone)
            return
        talk, number = self._talk, self._submitted
        self._serial.submit(partial(self._lead, talk, work, number), key, *args, alone=alone)
        self._submitted += 1
        talk.say(f"{number}", _packed(("work", args)))

    def pump(self, inbox: Inbox, timeout_s: float) -> None:
        self._serial.pump(inbox, timeout_s)

    def reply(self, key: Key, value: Any) -> None:
        self._serial.reply(key, value)

    def cancel(self, key: Key) -> None:
        self._serial.cancel(key)

    def close(self) -> None:
        self._serial.close()

    def follow(self, work: Work) -> Any:
        if self._rank == 0:
            return None
        notice = Notice(lambda: True, lambda: True, lambda: False, lambda: None)
        try:
            with noticed(notice):
                return self._along(self._talk, work, notice)
        except AtOnce:
            raise Interrupted if notice.why == "interrupted" else Preempted from None

    def conclude(self, outcome: Callable[[], Any] | BaseException) -> None:
        if self._world > 1:
            ended = outcome if isinstance(outcome, BaseException) else None
            value = None if isinstance(outcome, BaseException) else outcome()
            said = "" if ended is None else f"{type(ended).__name__}: {ended}"
            kind = next((k for k in (Interrupted, Preempted) if isinstance(ended, k)), None)
            self._talk.say(f"{self._submitted}", _packed(("concluded", (kind, said, value))))
            if ended is None:  # the store may be this process's, and end with it
                self._await(self._talk, self._submitted, GRACE_S)

    @cached_property
    def _talk(self) -> Talk:
        talk = Talk(f"tunesmith/{self._run}")
        if self._rank:
            talk.join(self._rank)
        else:
            talk.gather(self._world)
        return talk

    def _lead(self, talk: Talk, work: Work, number: int, channel: Channel, *args: Any) -> Any:
        """Run a work on rank 0, and wait until the others have ended theirs."""
        line = _Leading(talk, number, channel)
        try:
            value = work(line, *args)
        except (Exception, Stopped) as error:
            cause = line.failed()  # before ours: as where that has closed its connections
            line.end()
            self._await(talk, number, None if isinstance(error, Stopped) else GRACE_S)
            line.forget()
            if cause is not None:
                raise cause from error
            raise
        except BaseException:
            line.end()
            raise
        line.end()
        self._await(talk, number, None)
        line.forget()
        if (cause := line.failed()) is not None:
            raise cause
        return value

    def _await(self, talk: Talk, number: int, limit_s: float | None) -> None:
        """Wait until all others have ended a work, or heard the conclusion; those that hang are noted, once one has failed."""
        late = None if limit_s is None else time.monotonic() + limit_s
        for rank in range(1, self._world):
            while (end := talk.hear(f"{number}/end/{rank}", 1.0)) is None:
                if late is None and talk.has(f"{number}/failed"):
                    late = time.monotonic() + GRACE_S
                if late is not None and time.monotonic() > late:
                    break
            if end != BACK:
                self._stuck = f"rank {rank}"
                return

    def _along(self, talk: Talk, work: Work, notice: Notice) -> Any:
        """Run every work that rank 0 runs, and return what it concludes with."""
        for number in count():
            what, told = pickle.loads(talk.hear(f"{number}") or b"")  # noqa: S301 - of our own rank 0
            if what == "concluded":
                talk.say(f"{number}/end/{self._rank}", BACK)
                break
            self._once(talk, work, number, notice, *map(_aside, told))
        kind, text, value = told
        if kind is not None:
            raise kind
        if text:
            raise StudyError(f"rank 0 has ended the run: {text}")
        return value

    def _once(self, talk: Talk, work: Work, number: int, notice: Notice, *args: Any) -> None:
        """Run one work along."""
        try:
            work(_Following(talk, number, notice), *args)
        except (Stopped, Cancelled):
            pass
        except Exception as error:
            talk.say(f"{number}/failed", _packed((self._rank, pack_error(error, {}))))
            if talk.hear(f"{number}/over", GRACE_S, unless=lambda: notice.given) is None:
                talk.say(f"{number}/end/{self._rank}", GONE)
                raise  # rank 0 hangs, as in a collective that waits for this rank
        talk.say(f"{number}/end/{self._rank}", BACK)


@final
class _Leading:
    """The channel of rank 0's work: what it is answered, the others hear."""

    def __init__(self, talk: Talk, number: int, channel: Channel) -> None:
        self._talk = talk
        self._number = number
        self._channel = channel
        self._reports = 0
        self._left = False

    def send(self, message: Any) -> None:
        self._channel.send(message)

    def request(self, message: Any) -> Any:
        if isinstance(message, Report):
            if (cause := self.failed()) is not None:
                raise cause
            self._leave()
        answer = self._channel.request(message)
        if isinstance(message, Report):
            self._tell(answer)
        return answer

    def end(self) -> None:
        """Let the others go on to the end."""
        self._tell(None)
        self._talk.say(f"{self._number}/over", b"1")

    def failed(self) -> BaseException | None:
        """Return what another rank has raised, if one has."""
        said = self._talk.hear(f"{self._number}/failed", 0)
        if said is None:
            return None
        rank, body = pickle.loads(said)  # noqa: S301 - of our own ranks
        raised = unpack_error(body)
        raised.error.add_note(f"on rank {rank}:\n{raised.text}")
        return raised.error

    def _leave(self) -> None:
        """Leave if another rank was told to, as this process would if it were told itself."""
        said = None if self._left else self._talk.hear("leaving", 0)
        if said is not None:
            self._left = True
            number = signal.Signals(int(said))
            if signal.getsignal(number) is not signal.SIG_DFL:
                signal.raise_signal(number)

    def forget(self) -> None:
        """Remove what all have heard."""
        for report in range(self._reports):
            self._talk.forget(f"{self._number}/report/{report}")
        self._talk.forget(f"{self._number}")

    def _tell(self, answer: Answer | None) -> None:
        self._talk.say(f"{self._number}/report/{self._reports}", _packed(answer))
        self._reports += 1


@final
class _Following:
    """The channel of another rank's work: reports are answered as rank 0's; nothing else is heard."""

    def __init__(self, talk: Talk, number: int, notice: Notice) -> None:
        self._talk = talk
        self._number = number
        self._notice = notice
        self._reports = 0

    def send(self, message: Any) -> None:
        """Say nothing: rank 0 speaks for all."""

    def request(self, message: Any) -> Any:
        if not isinstance(message, Report):
            return False
        if self._notice.given:
            left = signal.SIGINT if self._notice.why == "interrupted" else signal.SIGTERM
            self._talk.say("leaving", str(int(left)).encode())
        said = self._talk.hear(f"{self._number}/report/{self._reports}") or b""
        self._reports += 1
        answer: Answer | None = pickle.loads(said)  # noqa: S301 - of our own rank 0
        if answer is None:
            raise Cancelled("rank 0 has ended this trial")
        return "end" if answer in ("end", "save and end") else "go on"


@final
class _Aside(Blobs):
    """Gives what is there, and keeps nothing that is put: rank 0 saves."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @classmethod
    def open(cls, url: str) -> Self:
        return cls(connect(url))

    @property
    def url(self) -> str:
        return self._blobs.url

    def within(self, name: str) -> Self:
        return type(self)(self._blobs.within(name))

    @contextmanager
    def put(self, key: str) -> Iterator[Path]:
        with TemporaryDirectory(prefix="tunesmith-") as folder:
            yield Path(folder)

    def get(self, key: str) -> Path | None:
        return self._blobs.get(key)

    def keys(self, prefix: str = "") -> set[str]:
        return self._blobs.keys(prefix)

    def delete(self, key: str) -> None:
        """Leave it to rank 0."""

    def clear(self) -> None:
        """Leave it to rank 0."""


def _aside(arg: Any) -> Any:
    """A ticket whose trial saves nothing."""
    if isinstance(arg, Ticket) and arg.files is not None:
        return replace(arg, files=_Aside(arg.files))
    return arg


def _packed(value: Any) -> bytes:
    """A pickle: by reference where it can be, since all ranks run the same program."""
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - whatever a user's class may raise
        return dumps(value, "a trial's params", "choose objects that can be pickled")

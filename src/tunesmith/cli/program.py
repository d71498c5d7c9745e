"""A program in any language as an objective: flags go in, its printed lines come out.

Of standard output, a JSON line with `step` is a report, and the last JSON line that names an
objective is the result. A program that prints no such line is taken at its word: the last line that
says `loss: 0.3`, `loss = 0.3` or `loss 0.3`, of standard output or, if it has none, of standard
error (the two have no common order). All other lines pass through.
"""

import json
import re
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, final
from urllib.parse import quote

from tunesmith._core.errors import Cancelled, Stopped, StudyError, TrialFailed
from tunesmith.cli.process import Process, end
from tunesmith.cli.shared import flat
from tunesmith.cli.template import Template
from tunesmith.executors.devices import environment
from tunesmith.records import Problem
from tunesmith.study import Trial
from tunesmith.study.origin import Command
from tunesmith.study.progress import say

LAST = 10  # lines of standard error that a failure keeps
_NUMBER = r"(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf)\b)"


def json_numbers(line: str) -> dict[str, float] | None:
    """Return the numbers of a line that is a JSON object; None if it is none.

    Example:
        >>> json_numbers('{"step": 3, "loss": 0.5, "phase": "train"}')
        {'step': 3, 'loss': 0.5}
    """
    if not line.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return {
        name: value
        for name, value in data.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def spoken(line: str, metric: str) -> float | None:
    """Return the last number that a line of text gives for a metric, or None.

    Example:
        >>> spoken("epoch 3: Test Loss: 0.25, accuracy 0.9", "test_loss")
        0.25
    """
    words = r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", metric)))
    pattern = rf"(?<![\w-]){words}(?:\s*[:=]\s*|\s+(?:is\s+)?){_NUMBER}"
    found = [m["value"] for m in re.finditer(pattern, line, re.IGNORECASE)]
    return float(found[-1]) if found else None


@final
class Program(Command):
    """Runs a command for a trial and returns its result.

    Args:
        template: The command.
        problem: What is tuned.
        name: The study.
        grace_s: Seconds between SIGTERM and SIGKILL when it must end.
        quiet: Whether its other output is dropped.

    Attributes:
        folder: Where each trial's own folder is.
    """

    def __init__(
        self, template: Template, problem: Problem[Any], name: str, grace_s: float, *, quiet: bool
    ) -> None:
        self._template = template
        self._problem = problem
        # by number, so that a later attempt finds what an earlier one left there
        self.folder = Path.cwd() / ".tunesmith" / quote(name, safe="")
        self._grace_s = grace_s
        self._quiet = quiet
        self._running: set[Process] = set()
        self._closed = False
        self._lock = Lock()

    @property
    def words(self) -> Sequence[str]:
        return self._template.words

    def __call__(self, trial: Trial[Any]) -> dict[str, float] | None:
        """Run it once.

        Returns:
            Metrics; None if the reports are the result.

        Raises:
            TrialFailed: Its exit code is not 0, or it said nothing of an objective.
            OSError: It cannot be started.
            Cancelled: `close` was called before it began.
        """
        with TemporaryDirectory(prefix="tunesmith-") as left:
            try:
                result = self._run(trial, Path(left))
            except (Stopped, TrialFailed):
                with suppress(StudyError):  # somebody else goes on with it
                    _attach(trial, Path(left))
                raise
            _attach(trial, Path(left))
            return result

    def _run(self, trial: Trial[Any], attachments: Path) -> dict[str, float] | None:
        extra = {
            "trial": trial.number,
            "seed": trial.seed,
            "replicate": trial.replicate,
            "checkpoint": self.folder / str(trial.number),
            "attachments": attachments,
        }
        command = self._template.filled(flat(self._problem.space, trial.params), extra)
        own = {f"TUNESMITH_{name.upper()}": str(value) for name, value in extra.items()}
        # Python keeps back what it prints to a pipe, and reports would come too late to stop it
        process = self._begin(command, {"PYTHONUNBUFFERED": "1", **environment.get(), **own})
        heard = _Heard(self._problem)
        try:
            for out, line in process.lines():
                numbers = json_numbers(line) if out else None
                if numbers is None or not heard.take(trial, numbers):
                    heard.listen(line, error=not out)
                    if not self._quiet:
                        say(f"{trial.number:4} | {line}")
        except BaseException:  # the trial was stopped, or the user has interrupted
            end([process], self._grace_s)
            raise
        finally:
            self._running.discard(process)
        if process.code:
            raise TrialFailed(_ending(command, process.code, heard.tail))
        return heard.result()

    def _begin(self, command: list[str], variables: Mapping[str, str]) -> Process:
        with self._lock:  # else `close` might miss it
            if self._closed:
                raise Cancelled("the run has ended")
            process = Process(command, variables)
            self._running.add(process)
        return process

    def close(self) -> None:
        """End what runs, in whichever thread, all at once; no more begins."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        end(running, self._grace_s)


def _attach(trial: Trial[Any], left: Path) -> None:
    """Attach what a program has left in its folder for that, hidden files excepted."""
    for path in sorted(left.iterdir()):
        if not path.name.startswith("."):
            trial.attach(path)


@final
class _Heard:
    """What a program has said so far."""

    def __init__(self, problem: Problem[Any]) -> None:
        self._names = [objective.name for objective in problem.objectives]
        self._said: dict[str, float] = {}
        self._muttered: dict[str, float] = {}  # the same on standard error
        self._given: dict[str, float] | None = None
        self._reported: set[str] = set()
        self.tail: deque[str] = deque(maxlen=LAST)

    def take(self, trial: Trial[Any], numbers: Mapping[str, float]) -> bool:
        """Take a JSON line; return whether it was a report or a result."""
        values = {name: float(value) for name, value in numbers.items() if name != "step"}
        if "step" in numbers and values:
            step = numbers["step"]
            whole: Any = int(step) if float(step).is_integer() else step  # else `decide` refuses it
            if trial.decide(whole, values):
                raise Stopped
            self._reported |= values.keys()
            self._given = None
        elif any(name in values for name in self._names):
            self._given = values
        else:
            return False
        return True

    def listen(self, line: str, *, error: bool) -> None:
        """Take a line of text."""
        if error:
            self.tail.append(line)
        for name in self._names:
            value = spoken(line, name)
            if value is not None:
                (self._muttered if error else self._said)[name] = value

    def result(self) -> dict[str, float] | None:
        """Return what the trial is told; None: its reports.

        Raises:
            TrialFailed: An objective is missing.
        """
        given = self._given or {}
        said = self._muttered | self._said
        missing = [n for n in self._names if n not in given and n not in self._reported]
        for name in missing:
            if name not in said:
                raise TrialFailed(
                    f'the program ended well but printed no {name}; let it print a JSON line {{"{name}": '
                    f'0.3}}, or a line "{name}: 0.3"'
                )
        return {**{name: said[name] for name in missing}, **given} or None


def _ending(command: list[str], code: int, tail: deque[str]) -> str:
    how = f"ended with exit code {code}"
    if code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            how += " (out of memory?)"
    last = "\n".join(line for line in tail if line.strip())
    return f"{' '.join(command)} {how}" + (f":\n{last}" if last else "; it wrote no error")

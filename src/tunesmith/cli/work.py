"""A study run with what was typed: a Python function, or a program."""

import shutil
import sys
from collections.abc import Callable
from typing import Any, Unpack

import click

from tunesmith._core import checks
from tunesmith._core.errors import SettingError, TrialFailed
from tunesmith._core.words import number
from tunesmith.cli.functions import function_at, names_function, own_traceback
from tunesmith.cli.program import Program
from tunesmith.cli.shared import best_records, emit, params_of, study_data
from tunesmith.cli.template import Template, text_of
from tunesmith.executors import Threads
from tunesmith.space import Space
from tunesmith.study import Study
from tunesmith.study.options import Running


def is_function(what: tuple[str, ...]) -> bool:
    """Return whether the words name a function."""
    return len(what) == 1 and names_function(what[0])


def imported(place: str) -> Callable[..., Any]:
    """Return the function at `SCRIPT.py:function`; the program ends if the script raises."""
    with own_traceback():
        return function_at(place)


def call(study: Study[Any], function: Callable[..., Any], **bounds: Unpack[Running]) -> None:
    """Run a study of a function; the program ends with the traceback of its first bug."""
    with own_traceback("The trial is handed back; the same line goes on with it."):
        study.run(function, **bounds)


def execute(
    study: Study[Any],
    template: Template,
    grace_s: float,
    **bounds: Unpack[Running],
) -> None:
    """Run a study of a program.

    Args:
        study: The study.
        template: The program's command.
        grace_s: Seconds between SIGTERM and SIGKILL when it must end.
        bounds: See `Study.run`.
    """
    quiet = not bounds.get("progress")
    program = Program(template, study.problem, study.name, grace_s, quiet=quiet)
    workers, gpus = bounds.pop("workers", None), bounds.pop("gpus", None)
    n = None if workers is None else checks.whole("--workers", workers, 1)
    if n is not None or gpus is not None:  # they are closed before what they ran is handed back
        bounds["executor"] = Threads(n, program.close, gpus=gpus)
    try:
        study.run(program, **bounds)
    except TrialFailed as error:
        raise TrialFailed(
            f"the trial is handed back, since none has succeeded yet: {error}"
        ) from None


def template_of(
    words: tuple[str, ...], space: Space[Any] | None, **bounds: Unpack[Running]
) -> Template:
    """Return the command of a program.

    Args:
        words: What was typed.
        space: What fills it.
        bounds: What it shall be run with; see `Study.run`.

    Raises:
        SettingError: It is none, there is no space to fill it from, or a bound is not for programs.
    """
    if len(words) == 1 and words[0].endswith(".py"):
        raise SettingError(
            f"{words[0]} alone does not say what to call; write {words[0]}:FUNCTION for a "
            f"function, or -- python {words[0]} {{args}} for a program"
        )
    if space is None:
        script = next((word for word in words if word.endswith(".py")), "SCRIPT.py")
        raise SettingError(
            f"a program needs --space space.toml; `tunesmith init {script}` proposes one"
        )
    if shutil.which(words[0]) is None:
        raise SettingError(f"there is no program {words[0]!r} here; a command begins with one")
    for option, bound, way in (
        ("--trial-timeout", bounds.get("trial_timeout"), "timeout 600"),
        ("--trial-memory", bounds.get("trial_memory"), "prlimit --data=8000000000"),
    ):
        if bound is not None:
            raise SettingError(
                f"{option} is for functions; a program's command can begin with a limit of its "
                f"own, such as -- {way} {' '.join(words[:2])}"
            )
    for option in ("executor", "resources"):
        if bounds.get(option) is not None:
            raise SettingError(
                f"--{option} is for functions; a program is run on many machines by `tunesmith worker` "
                "on each of them"
            )
    return Template(words, space.names)


def conclude(study: Study[Any], storage: str | None, *, as_json: bool) -> None:
    """Print what came out; exit code 1 if nothing did."""
    best = best_records(study)
    if as_json:
        emit(study_data(study, storage))
    elif len(best) == 1:
        values = ", ".join(f"{name} {number(value)}" for name, value in best[0].values.items())
        click.echo(f"best: trial {best[0].number}, {values}")
        for name, value in params_of(best[0]).items():
            click.echo(f"  {name} = {text_of(value)}")
    if not best:
        sys.exit(1)

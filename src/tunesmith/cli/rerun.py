"""`tunesmith rerun`: whether a trial gives the same once more."""

import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tunesmith._core.errors import SettingError, StudyError
from tunesmith._core.secrets import MASK
from tunesmith.cli.functions import names_function
from tunesmith.cli.program import Program
from tunesmith.cli.shared import emit, json_option, opened
from tunesmith.cli.work import imported, is_function, template_of
from tunesmith.records import Record
from tunesmith.storage.bundle import ENDING
from tunesmith.study import Study
from tunesmith.study.progress import say
from tunesmith.study.rerunning import TOLERANCE, Rerun


@click.command()
@click.argument("storage", metavar="PATH|URL")
@click.argument("number", type=int)
@click.argument("what", nargs=-1, metavar="[SCRIPT.py:FUNCTION | -- COMMAND...]")
@click.option("--study", "name", metavar="NAME", help="The study, if there is more than one.")
@click.option(
    "--tolerance", type=float, default=TOLERANCE, show_default=True, metavar="X",
    help="Relative difference that counts as the same.",
)  # fmt: skip
@click.option("--note", is_flag=True, help="Keep the finding as a note of the trial.")
@json_option
def command(
    storage: str,
    number: int,
    what: tuple[str, ...],
    name: str | None,
    tolerance: float,
    note: bool,
    as_json: bool,
) -> None:
    """Run a trial once more and say whether the same comes out.

    \b
    tunesmith rerun tunesmith.db 17 model.py:fit
    tunesmith rerun tunesmith.db 17

    With its params and seed, from its beginning to the step where it ended. What `tunesmith run` has
    run need not be named again. The study stays as it is. The exit code is 1 if a value differs by
    more than the tolerance.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    history = study.history
    if not 0 <= number < len(history):
        raise StudyError(f"there is no trial {number}; the study has {len(history)}")
    what = what or _recorded(history[number], storage)
    if is_function(what):
        found = study.rerun(number, imported(what[0]), tolerance=tolerance, note=note)
    else:
        template = template_of(what, study.space)
        program = Program(template, study.problem, f"{study.name} rerun", 10.0, quiet=True)
        shutil.rmtree(program.folder, ignore_errors=True)  # nothing to go on from lies there
        try:
            found = study.rerun(number, program, tolerance=tolerance, note=note)
        finally:
            shutil.rmtree(program.folder, ignore_errors=True)
    if as_json:
        emit(_data(study, found))
    else:
        click.echo(str(found))
    if not found:
        sys.exit(1)


def _recorded(record: Record[Any], storage: str) -> tuple[str, ...]:
    """What a trial was run with, if `tunesmith run` or `worker` did.

    Raises:
        SettingError: That is not known, or others have written it down.
    """
    said = record.provenance
    ran, *words = said.command or [""]
    if storage.endswith(ENDING):
        why = "what a bundle names is not run unasked"
    elif Path(ran).name != "tunesmith":
        why = "it was not run by `tunesmith`"
    elif names_function(said.objective):
        function = said.objective.rpartition(":")[2]
        places = [w for w in words if names_function(w) and w.rpartition(":")[2] == function]
        if places:
            return (places[0],)
        why = "its function cannot be found in the command that ran it"
    elif MASK in said.objective or not said.objective:
        why = "its command is not kept whole"
    else:
        say(f"running {said.objective}")
        return tuple(shlex.split(said.objective))
    raise SettingError(
        f"say what to run: tunesmith rerun {storage} {record.number} SCRIPT.py:FUNCTION, or -- COMMAND; {why}"
    )


def _data(study: Study[Any], found: Rerun[Any]) -> dict[str, Any]:
    return {
        "name": study.name,
        "number": found.before.number,
        "matches": bool(found),
        "exactly": found.difference == 0,
        "difference": found.difference,
        "verdict": found.verdict,
        "compared": [asdict(one) for one in found.compared],
        "changes": [asdict(one) for one in found.changes],
    }

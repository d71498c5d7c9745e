"""`tunesmith worker`: a process that joins a study that exists, and leaves when it likes."""

import math
from typing import Unpack

import click

from tunesmith.cli.bounds import bounds_options
from tunesmith.cli.shared import json_option, opened
from tunesmith.cli.work import call, conclude, execute, imported, is_function, template_of
from tunesmith.study.options import Running


@click.command()
@click.argument("storage", metavar="PATH|URL")
@click.argument("name", metavar="STUDY")
@click.argument("what", nargs=-1, required=True, metavar="SCRIPT.py:FUNCTION | -- COMMAND...")
@bounds_options
@click.option(
    "--grace", type=float, default=10.0, show_default=True, metavar="S",
    help="Seconds that a program has to end by itself when it is stopped.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Show neither progress nor a program's output.")
@json_option
def command(
    storage: str,
    name: str,
    what: tuple[str, ...],
    grace: float,
    quiet: bool,
    as_json: bool,
    **bounds: Unpack[Running],
) -> None:
    """Join a study that exists, and leave at any time.

    \b
    tunesmith worker tunesmith.db digits model.py:fit
    tunesmith worker tunesmith.db digits --trials 100 -- python train.py {args}

    Without --trials, --more and --timeout it goes on until the space is exhausted, `tunesmith stop`
    or a signal ends it: SIGTERM and SIGUSR1 hand back what runs, with exit code 0.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    if (
        bounds.get("trials") is None
        and bounds.get("more") is None
        and bounds.get("timeout") is None
    ):
        bounds["timeout"] = math.inf
    bounds["progress"] = False if quiet else "lines"
    if is_function(what):
        call(study, imported(what[0]), **bounds)
    else:
        execute(study, template_of(what, study.space, **bounds), grace, **bounds)
    conclude(study, storage, as_json=as_json)

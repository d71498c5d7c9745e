"""`tunesmith worker`: a process that joins a study that exists, and leaves when it likes."""

import math

import click

from tunesmith.cli.shared import json_option, opened
from tunesmith.cli.work import call, conclude, execute, imported, is_function, template_of
from tunesmith.study.running import Shown


@click.command()
@click.argument("storage", metavar="PATH|URL")
@click.argument("name", metavar="STUDY")
@click.argument("what", nargs=-1, required=True, metavar="SCRIPT.py:FUNCTION | -- COMMAND...")
@click.option("--workers", type=int, metavar="N", help="How many trials run at once.")
@click.option("--trials", type=int, metavar="N", help="Trials the study shall have in all.")
@click.option("--timeout", type=float, metavar="S", help="No trial begins after S seconds.")
@click.option(
    "--lease", "lease_s", type=float, default=60.0, show_default=True, metavar="S",
    help="Seconds without a sign of life after which this process is taken for dead.",
)  # fmt: skip
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
    workers: int | None,
    trials: int | None,
    timeout: float | None,
    lease_s: float,
    grace: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Join a study that exists, and leave at any time.

    \b
    tunesmith worker tunesmith.db digits model.py:fit
    tunesmith worker tunesmith.db digits --trials 100 -- python train.py {args}

    Without --trials and --timeout it goes on until the space is exhausted, `tunesmith stop` or a
    signal ends it: SIGTERM and SIGUSR1 hand back what runs, with exit code 0.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    if timeout is None and trials is None:
        timeout = math.inf
    progress: Shown = False if quiet else "lines"
    if is_function(what):
        call(
            study, imported(what[0]), workers=workers, trials=trials, timeout=timeout,
            lease_s=lease_s, progress=progress,
        )  # fmt: skip
    else:
        execute(
            study, template_of(what, study.space), grace, workers=workers, trials=trials,
            timeout=timeout, lease_s=lease_s, progress=progress,
        )  # fmt: skip
    conclude(study, storage, as_json=as_json)

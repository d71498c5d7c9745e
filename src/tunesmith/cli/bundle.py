"""`tunesmith bundle`: a study in one file, for others."""

import click

from tunesmith._core.words import plural
from tunesmith.cli.shared import emit, json_option, opened
from tunesmith.study.bundling import Which


@click.command()
@click.argument("storage", metavar="PATH|URL")
@click.option("--study", "name", metavar="NAME", help="The study, if there is more than one.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE",
    help="Where to; by default STUDY.tunesmith. One that is there is replaced.",
)  # fmt: skip
@click.option(
    "--checkpoints", type=click.Choice(["none", "best", "all"]), default="none", show_default=True,
    help="Whose checkpoints come along.",
)  # fmt: skip
@click.option(
    "--attachments", type=click.Choice(["none", "best", "all"]), default="none", show_default=True,
    help="Whose attached files come along.",
)  # fmt: skip
@json_option
def command(
    storage: str,
    name: str | None,
    output: str | None,
    checkpoints: Which,
    attachments: Which,
    as_json: bool,
) -> None:
    """Pack a study into one file that others can read, cite and start from.

    \b
    tunesmith bundle tunesmith.db --study digits -o digits.tunesmith
    tunesmith show --storage digits.tunesmith

    In it are the log, a table of the trials, the provenance, and a paragraph for a paper. Names of hosts
    and texts of failures are in the log.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    path = output or f"{study.name.replace('/', '-').replace(':', '-')}.tunesmith"
    n = study.bundle(path, checkpoints=checkpoints, attachments=attachments)
    packed = {"name": study.name, "file": path, "trials": len(study.history), "checkpoints": n}
    if as_json:
        emit(packed)
    else:
        click.echo(
            f"{plural(len(study.history), 'trial')} and {plural(n, 'checkpoint')} packed into {path}"
        )

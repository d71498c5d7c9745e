"""`tunesmith report`: what a study has come to, in a file for who was not there."""

import click

from tunesmith._core.words import plural
from tunesmith.cli.shared import emit, json_option, opened, storage_option, study_of


@click.command()
@click.argument("name", required=False)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", default="report.html", show_default=True,
    help="Where to: .html, a page with pictures, or .md, short. One that is there is replaced.",
)  # fmt: skip
@storage_option
@json_option
def command(name: str | None, output: str, storage: str | None, as_json: bool) -> None:
    """Write what a study has come to: a page that loads nothing, or Markdown for a pull request.

    \b
    tunesmith report digits -o report.html
    tunesmith report study.db -o report.md

    First in plain words: what was tuned, what was gained over the default and how surely, what mattered, what to do
    next; then pictures, every trial, and how it was done. NAME is that of a study, a file, or FILE:NAME; it may
    be left out if there is only one study. A page needs pip install 'tunesmith[report]'.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, None) if name is None else study_of(name, storage)
    study.report(output)
    if as_json:
        emit({"name": study.name, "file": output, "trials": len(study.history)})
    else:
        click.echo(f"{plural(len(study.history), 'trial')} reported in {output}")

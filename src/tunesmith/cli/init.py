"""`tunesmith init`: a space.toml proposed from a script's own options."""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from tunesmith._core.errors import SettingError
from tunesmith.cli.proposing import Proposal, proposal, toml_key, toml_value
from tunesmith.cli.reading import Script, read_script
from tunesmith.cli.shared import emit, json_option
from tunesmith.knowledge.metrics import is_high, metric_in


@click.command()
@click.argument("script", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "-o", "--output", default="space.toml", show_default=True, metavar="FILE",
    type=click.Path(dir_okay=False), help="Where to write.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
def command(script: str, output: str, force: bool, as_json: bool) -> None:
    """Propose a space.toml from a script's own options.

    The script is read, never run: its argparse or click options, or a dataclass of settings. The
    ranges are guesses from names and defaults, each with its reason; change what you know better.
    The command to type next is printed.
    """
    path = Path(output)
    if path.exists() and not force:
        raise SettingError(f"{output} is there already; --force writes over it, -o names another")
    read = read_script(Path(script).read_text("utf-8", "replace"), script)
    proposals = [proposal(option) for option in read.options]
    tuned = [p for p in proposals if p.settings]
    if not tuned:
        seen = ", ".join(option.name for option in read.options)
        raise SettingError(
            f"none of {script}'s options ({seen}) looks like one to tune; write space.toml by hand"
        )
    path.write_text("\n".join(_toml(script, read.source, proposals)) + "\n", "utf-8")
    line = _next(script, output, read, proposals)
    if as_json:
        emit(
            {
                "space": output,
                "command": line,
                "tuned": {p.name: p.settings for p in tuned},
                "not_tuned": {p.option.name: p.reason for p in proposals if not p.settings},
            }
        )
        return
    rest = len(proposals) - len(tuned)
    click.echo(
        f"{output}: {len(tuned)} parameters from {read.source}, {rest} options left as they are."
    )
    click.echo(f"Look through it, then:\n\n  {line}\n")
    for word in _asked(proposals):
        click.echo(f"{word} in that line is yours to fill in.")
    if metric_in(list(read.printed)) is None:
        click.echo(
            'Let the script print its result, as "loss: 0.3" or {"loss": 0.3}; --metric names it.'
        )


def _toml(script: str, source: str, proposals: Iterable[Proposal]) -> Iterator[str]:
    """The lines of the file."""
    yield f"# What to tune in {script}: proposed by `tunesmith init` from {source}."
    yield "# Every range is a guess from a name and a default: change what you know better."
    yield "# The defaults are tried first."
    yield ""
    yield "[parameters]"
    left = []
    for one in proposals:
        if not one.settings:
            left.append(one)
            continue
        told = f" ({one.option.help})" if one.option.help else ""
        yield f"# {one.reason}{_one_line(told)}"
        yield f"{toml_key(one.name)} = {toml_value(one.settings)}"
    if left:
        yield ""
        yield "# Left as they are; to tune one, write its range above."
    for one in left:
        default = "" if one.option.default is None else f" = {toml_value(one.option.default)}"
        yield _one_line(f"# {toml_key(one.option.name)}{default}  # {one.reason}")


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text


def _next(script: str, output: str, read: Script, proposals: Iterable[Proposal]) -> str:
    """The command to type next."""
    metric = metric_in(list(read.printed)) or "loss"
    proposals = list(proposals)
    words = ["tunesmith", "run", "--space", output]
    words += ["--maximize" if is_high(metric) else "--minimize", metric]
    words += ["--trials", "50", "--", "python", script]
    words += _asked(proposals)
    for one in proposals:
        if one.settings and not one.option.flag.startswith("--"):
            words += [one.option.flag, f"{{{one.name}}}"]  # a short flag takes no `--name=value`
    return f"{shlex.join(words)} {{args}}".replace("'{", "{").replace("}'", "}")


def _asked(proposals: Iterable[Proposal]) -> list[str]:
    """What the script wants and only its user knows, as words in capitals."""
    wanted = [p.option for p in proposals if not p.settings and p.option.required]
    return [
        f"{option.flag}={option.name.upper()}" if option.flag else option.name.upper()
        for option in wanted
    ]

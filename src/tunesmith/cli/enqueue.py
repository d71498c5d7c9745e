"""`tunesmith enqueue`: a configuration to be tried next."""

from typing import Any

import click

from tunesmith._core.errors import SettingError
from tunesmith.cli.settings import pair_of
from tunesmith.cli.shared import emit, json_option, opened, storage_option


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[NAME] PARAMETER=VALUE...")
@click.option("--note", default="", help="Kept with it.")
@storage_option
@json_option
def command(words: tuple[str, ...], note: str, storage: str | None, as_json: bool) -> None:
    """Have a configuration tried next.

    What it leaves open, the sampler completes. NAME may be left out if there is only one study.

    \b
    tunesmith enqueue digits lr=0.003 optimizer=sgd
    """  # noqa: D301 - \b keeps click from filling the paragraph
    name = None if "=" in words[0] else words[0]
    pairs = words if name is None else words[1:]
    if not pairs:
        raise SettingError(f"nothing to try; add params, such as: enqueue {words[0]} lr=0.003")
    study = opened(storage, name)
    params: dict[str, Any] = dict(pair_of(word, "a parameter") for word in pairs)
    study.enqueue(params, note=note)
    if as_json:
        emit({"name": study.name, "params": params, "note": note})
    else:
        click.echo(f"{study.name}: queued; the next run begins with it")

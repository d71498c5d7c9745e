"""`tunesmith dashboard`: pages over the studies of a storage."""

import secrets

import click

from tunesmith._core.optional import need
from tunesmith.cli.shared import emit, json_option, place_of
from tunesmith.study.opening import kept_at


@click.command()
@click.argument("storage", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens.")
@click.option(
    "--port",
    default=8321,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any that is free.",
)
@click.option(
    "--token",
    envvar="TUNESMITH_TOKEN",
    help="What whoever comes must know; made and printed if other machines reach the host. Everybody on this machine "
    "sees command lines: better say it in $TUNESMITH_TOKEN.",
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="A further name of it, such as that of a proxy.",
)
@click.option("--read-only", is_flag=True, help="Nothing is written: no notes, no commands.")
@json_option
def command(
    storage: str | None,
    host: str,
    port: int,
    token: str | None,
    allow_host: tuple[str, ...],
    read_only: bool,
    as_json: bool,
) -> None:
    """Show the studies of a storage as pages, live while they run.

    STORAGE is a path or URL; by default $TUNESMITH_STORAGE, or ./tunesmith.db. Ctrl-C ends it.
    """
    for module in ("fastapi", "jinja2", "markdown_it", "plotly", "uvicorn"):
        need(module, "dashboard")
    from tunesmith.dashboard import Access, guard, serve, server  # noqa: PLC0415 - an extra

    if token is None and not guard.is_local(host):
        token = secrets.token_urlsafe(24)
    access = Access(host, token, allow_host, read_only)
    found = kept_at(storage)
    taken = server.listening(host, port)
    link = server.address(access, taken.getsockname()[1])
    if as_json:
        emit({"url": link, "storage": found.url, "token": token})
    else:
        click.echo(f"dashboard of {place_of(storage)}: {link}\nCtrl-C ends it")
    serve(found, access, taken)

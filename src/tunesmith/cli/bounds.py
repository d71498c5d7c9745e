"""The options of a run that `run` and `worker` share, named in Python as `Study.run` names them."""

import click

from tunesmith.cli.settings import amounts_of, bytes_of, gpus_of
from tunesmith.cli.shared import F
from tunesmith.study.bounds import RETRIES
from tunesmith.study.ledger import LEASE_S

_OPTIONS = (
    click.option("--trials", type=int, metavar="N", help="Trials the study shall have in all."),
    click.option("--more", type=int, metavar="N", help="Trials to add to those it has."),
    click.option("--timeout", type=float, metavar="S", help="No trial begins after S seconds."),
    click.option("--workers", type=int, metavar="N", help="How many trials run at once."),
    click.option(
        "--gpus", metavar="all|0,1,...",
        callback=lambda _, __, text: None if text is None else gpus_of(text),
        help="Each trial sees its own of these, shared out evenly among the workers.",
    ),
    click.option(
        "--executor", metavar="NAME|URL",
        help="What runs trials of a function, such as ray or ray://head:10001.",
    ),
    click.option(
        "--resources", metavar="NAME=NUMBER,...",
        callback=lambda _, __, text: None if text is None else amounts_of(text),
        help="What a trial takes of a cluster, such as cpu=2,gpu=0.5.",
    ),
    click.option("--max-failures", type=int, metavar="N", help="Trials that may fail in this run."),
    click.option(
        "--retries", type=int, default=RETRIES, show_default=True, metavar="N",
        help="How often a trial is begun again whose worker was lost.",
    ),
    click.option(
        "--trial-timeout", type=float, metavar="S",
        help="Seconds after which a trial's worker is killed; for functions, with --workers.",
    ),
    click.option(
        "--trial-memory", metavar="BYTES",
        callback=lambda _, __, text: None if text is None else bytes_of(text),
        help="Such as 2GB, above which a trial's worker is killed; for functions, with --workers.",
    ),
    click.option(
        "--lease", "lease_s", type=float, default=LEASE_S, show_default=True, metavar="S",
        help="Seconds without a sign of life after which a worker, or this process, is lost.",
    ),
)  # fmt: skip


def bounds_options(function: F) -> F:
    """Add the options; those given are keyword arguments of `Study.run`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function

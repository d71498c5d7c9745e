"""`tunesmith run`: tunes a Python function, or a program in any language."""

from pathlib import Path
from typing import Any, Unpack

import click

from tunesmith._core.errors import SettingError
from tunesmith.cli.bounds import bounds_options
from tunesmith.cli.functions import title_of
from tunesmith.cli.settings import (
    directions,
    replicates_of,
    resource_of,
    sampler_of,
    scheduler_of,
)
from tunesmith.cli.shared import json_option, storage_option
from tunesmith.cli.template import script_of
from tunesmith.cli.work import call, conclude, execute, imported, is_function, template_of
from tunesmith.space import Space
from tunesmith.study import Study
from tunesmith.study.options import Running


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="SCRIPT.py:FUNCTION | -- COMMAND...")
@bounds_options
@click.option("--name", help="Name of the study; by default that of the function or script.")
@storage_option
@click.option(
    "--space",
    "space_file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The space, as TOML; a function's own signature gives it, too.",
)
@click.option(
    "--metric", multiple=True, help="What is tuned; lower is better, if --maximize is not there."
)
@click.option(
    "--minimize", multiple=True, is_flag=False, flag_value="", metavar="[METRIC]",
    help="Lower is better.",
)  # fmt: skip
@click.option(
    "--maximize", multiple=True, is_flag=False, flag_value="", metavar="[METRIC]",
    help="Higher is better.",
)  # fmt: skip
@click.option("--subject-to", multiple=True, metavar="LIMIT", help='Such as "latency_ms <= 20".')
@click.option(
    "--data", multiple=True, metavar="PATH",
    help="A file or folder that is tuned on; a short hash is kept, and others are noticed.",
)  # fmt: skip
@click.option(
    "--files", metavar="PATH|URL",
    help="Where checkpoints and attached files are kept; by default beside the storage. PostgreSQL has no place for them.",
)  # fmt: skip
@click.option(
    "--resource", metavar="NAME=MAX[,min=MIN]",
    help="What a trial spends, such as epoch=30; none ends before its min.",
)  # fmt: skip
@click.option("--sampler", metavar="NAME[:KEY=VALUE,...]", help="Such as quasirandom.")
@click.option(
    "--replicates", metavar="N|NAME[:KEY=VALUE,...]",
    help="How often each configuration is evaluated, on seeds that all share; or racing.",
)  # fmt: skip
@click.option(
    "--scheduler", metavar="NAME[:KEY=VALUE,...]",
    help="Such as hyperband or asha:factor=4, or none; with --resource, asha if left out.",
)  # fmt: skip
@click.option("--seed", type=int, help="Of everything random.")
@click.option(
    "--confirm", is_flag=True,
    help="Evaluate the best again at the end, on seeds not used before; for functions.",
)  # fmt: skip
@click.option(
    "--grace", type=float, default=10.0, show_default=True, metavar="S",
    help="Seconds that a program has to end by itself when it is stopped.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Show neither progress nor a program's output.")
@json_option
def command(
    what: tuple[str, ...],
    name: str | None,
    storage: str | None,
    space_file: str | None,
    metric: tuple[str, ...],
    minimize: tuple[str, ...],
    maximize: tuple[str, ...],
    subject_to: tuple[str, ...],
    data: tuple[str, ...],
    files: str | None,
    resource: str | None,
    sampler: str | None,
    replicates: str | None,
    scheduler: str | None,
    seed: int | None,
    grace: float,
    quiet: bool,
    as_json: bool,
    **bounds: Unpack[Running],
) -> None:
    """Tune a Python function, or a program in any language.

    \b
    tunesmith run model.py:fit --minimize --trials 50
    tunesmith run --space space.toml --metric loss --trials 50 -- python train.py {args}

    The same line goes on with the same study. A function is called as `Study.run` calls it. In a
    command, {args} becomes --name=value of the active parameters, {width} the value of one,
    anywhere in a word; {seed}, {trial}, {replicate}, {checkpoint} and {attachments} are there, too. Of what it prints, a JSON
    line with "step" is a report, and the last JSON line is the result; without any, the last line
    such as "loss: 0.3" is. An exit code other than 0 is a failure.

    In its environment are TUNESMITH_SEED, TUNESMITH_TRIAL (its number), TUNESMITH_REPLICATE (which
    evaluation of its configuration it is, from 0), TUNESMITH_CHECKPOINT, a folder of its own that it
    may make, and TUNESMITH_ATTACHMENTS, an empty folder: what it leaves there is kept with the trial.
    Ctrl-C ends it and hands the trial back.
    """  # noqa: D301 - \b keeps click from filling the paragraph
    ends = bounds.get("trials"), bounds.get("more"), bounds.get("timeout"), sampler
    if not any(end is not None for end in ends):
        raise SettingError("a run needs an end: --trials 100 (in all), --more 50 or --timeout 3600")
    low, high = directions(metric, minimize, maximize)
    parts: dict[str, Any] = {
        "minimize": low,
        "maximize": high,
        "subject_to": subject_to,
        "resource": None if resource is None else resource_of(resource),
        "sampler": None if sampler is None else sampler_of(sampler),
        "replicates": None if replicates is None else replicates_of(replicates),
        "scheduler": "auto" if scheduler is None else scheduler_of(scheduler),
        "data": list(data) or None,
        "files": files,
        "storage": storage,
        "seed": seed,
    }
    bounds["progress"] = False if quiet else "lines"
    space = None if space_file is None else Space.from_toml(Path(space_file).read_text("utf-8"))
    if is_function(what):
        function = imported(what[0])
        made_of: Any = function if space is None else space
        study = Study(made_of, name=name or title_of(what[0]), **parts)
        call(study, function, **bounds)
    elif bounds.get("confirm"):
        raise SettingError(
            "--confirm is for functions; a program's best are evaluated again by a study with --replicates 10"
        )
    else:
        template = template_of(what, space, **bounds)
        study = Study(space, name=name or script_of(what), **parts)  # type: ignore[arg-type] # `template_of` refuses None
        execute(study, template, grace, **bounds)
    conclude(study, storage, as_json=as_json)

"""The command line: each command is a file of its own, imported when it is called.

A command needs a file with `command`, and a line in `COMMANDS`.
"""

from importlib import import_module
from typing import Any, final

import click

from tunesmith._core.errors import (
    NotSupported,
    SettingError,
    SpaceError,
    TrialFailed,
    TunesmithError,
)
from tunesmith._core.version import VERSION
from tunesmith.cli.typed import typed

__all__ = ["COMMANDS", "commands", "main"]

COMMANDS = {
    "init": "Propose a space.toml from a script's own options.",
    "run": "Tune a Python function, or a program in any language.",
    "worker": "Join a study that exists, and leave at any time.",
    "list": "List the studies of a storage.",
    "show": "Show how a study stands: best, default, what runs, last trials, failures.",
    "watch": "Follow a study while it runs, in whatever process.",
    "dashboard": "Show the studies of a storage as pages, live while they run.",
    "report": "Write what a study has come to: a page that loads nothing, or Markdown for a pull request.",
    "diagnose": "Say what is wrong with the trainings, and which parameter to move.",
    "forecast": "Say what more trials would gain, and whether the gain holds.",
    "sensitivity": "Say how much is luck, and what moving a parameter costs.",
    "importance": "Say which parameters matter, and which only together.",
    "tunability": "Say what tuning gains over the default.",
    "why": "Say why the recommended configuration is what it is, or that of trial NUMBER.",
    "advice": "Say what to change about the ranges, the surest first.",
    "spending": "Say where the time went.",
    "compare": "Say which of several methods is better, from studies of each, by a paired test.",
    "best": "Print the best params, as JSON or as flags.",
    "export": "Write all trials as CSV or JSON.",
    "enqueue": "Have a configuration tried next.",
    "rerun": "Run a trial once more and say whether the same comes out.",
    "diff": "Say what two studies, or two trials of one, do not have in common.",
    "bundle": "Pack a study into one file that others can read, cite and start from.",
    "explain": "Say what a parameter does, and what is known of its range.",
    "verify": "Recompute every suggestion from the log.",
    "whatif": "Say what a study would have spent under other schedulers and workers.",
    "stop": "End the runs of a study, or one of its trials.",
    "pause": "Let no trial of a study begin, until it is resumed.",
    "resume": "Let a paused study go on.",
    "delete": "Remove a study and everything kept of it.",
}

_USAGE = (SettingError, SpaceError, NotSupported)  # what was typed cannot be done


class _Failed(click.ClickException):
    """One sentence on standard error; exit code 1."""


@final
class _Misused(_Failed):
    """One sentence on standard error; exit code 2, as click has for what is typed wrong."""

    exit_code = 2


@final
class _Commands(click.Group):
    """A group whose commands are imported when called, and whose errors are one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"tunesmith.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(130)
        except BrokenPipeError:
            raise  # whoever reads our output has seen enough; click ends quietly
        except _USAGE as error:
            raise _Misused(typed(str(error))) from None
        except (TrialFailed, OSError) as error:  # in words that are not ours
            raise _Failed(str(error)) from None
        except TunesmithError as error:
            raise _Failed(typed(str(error))) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="tunesmith")
def commands() -> None:
    """Hyperparameter tuning that people trust.

    \b
    tunesmith init train.py
    tunesmith run --space space.toml --metric loss --trials 50 -- python train.py {args}
    tunesmith run model.py:fit --minimize --trials 50
    tunesmith show

    Studies are kept in $TUNESMITH_STORAGE, or else in ./tunesmith.db.

    \b
    Exit codes:
      0    done; or told to leave by SIGTERM, SIGUSR1 or SIGHUP, with everything kept
      1    the study or its trials failed, or what is asked for is not there
      2    what was typed cannot be done; nothing was begun
      130  interrupted; everything is kept, the same line goes on
    """  # noqa: D301 - \b keeps click from filling the paragraph


def main() -> None:
    """Run the command line of this process."""
    commands(prog_name="tunesmith")

"""`tunesmith diagnose`: what is wrong with the trainings of a study, and which parameter to move."""

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from tunesmith._core.errors import StudyError
from tunesmith._core.words import plural
from tunesmith.analysis import Diagnosis, Finding, Move, Symptom, diagnose
from tunesmith.cli.shared import best_records, emit, json_option, opened, storage_option
from tunesmith.study import Study

_WIDTH = 100
_SHOWN = 8  # numbers of trials in a line


@click.command()
@click.argument("name", required=False)
@click.option("--trial", type=int, metavar="N", help="Say what is wrong with this trial alone.")
@storage_option
@json_option
def command(name: str | None, trial: int | None, storage: str | None, as_json: bool) -> None:
    """Say what is wrong with the trainings, and which parameter to move.

    It reads the curves that they reported: whether they diverged, are unstable, overshoot, are too slow, still improve at their end, overfit or
    underfit, and in which parameter those that do differ from the others. NAME may be left out if there
    is only one study.

    \b
    tunesmith diagnose digits
    tunesmith diagnose digits --trial 7
    """  # noqa: D301 - \b keeps click from filling the paragraph
    study = opened(storage, name)
    found = diagnose(study.history)
    if trial is not None and not 0 <= trial < found.trials:
        raise StudyError(f"there is no trial {trial}; the study has {found.trials}")
    if trial is not None:
        wrong = found.symptoms.get(trial, ())
        if as_json:
            emit([_symptom(one) for one in wrong])
        else:
            _show_trial(f"trial {trial}", wrong)
    elif as_json:
        emit(_data(study, found))
    else:
        _show(study, found)


def _show(study: Study[Any], found: Diagnosis) -> None:
    click.echo(
        f"{study.name}: {plural(found.trials, 'trial')}, {found.judged} with a curve that is long "
        "enough to judge"
    )
    for finding in found.findings:
        _show_finding(finding)
    if not found.findings and found.judged:
        click.echo("nothing is wrong with so many of them that it would be the study's")
    _show_single(found)
    best = [record.number for record in best_records(study)][:1]
    for number in best if found.judged and len(study.problem.objectives) == 1 else []:
        click.echo()
        _show_trial(f"the best, trial {number}", found.symptoms.get(number, ()))
    if found.remark:
        _line("", found.remark)


def _show_finding(finding: Finding) -> None:
    numbers = ", ".join(map(str, finding.trials[:_SHOWN]))
    more = ", …" if len(finding.trials) > _SHOWN else ""
    word = "trial" if len(finding.trials) == 1 else "trials"
    click.echo()
    click.echo(
        f"{finding.kind}: {len(finding.trials)} of {finding.judged} ({word} {numbers}{more})"
    )
    _line("  ", finding.text)
    for move in finding.moves:
        _line("  -> ", str(move))


def _show_single(found: Diagnosis) -> None:
    """Symptoms of too few trials to be the study's."""
    told = {(finding.kind, number) for finding in found.findings for number in finding.trials}
    single: dict[str, list[str]] = {}
    for one in (one for wrong in found.symptoms.values() for one in wrong):
        if (one.kind, one.trial) not in told:
            single.setdefault(one.kind, []).append(str(one.trial))
    if single:
        click.echo()
        text = ", ".join(f"{kind} ({', '.join(trials)})" for kind, trials in single.items())
        _line("", f"in single trials: {text}")


def _show_trial(who: str, wrong: Sequence[Symptom]) -> None:
    for one in wrong:
        _line("", f"{who}: {one.kind}: {one.text}")
    if not wrong:
        click.echo(f"{who}: nothing is wrong, as far as its curve tells")


def _line(head: str, text: str) -> None:
    click.echo(click.wrap_text(text, _WIDTH, head, " " * len(head)))


def _data(study: Study[Any], found: Diagnosis) -> dict[str, Any]:
    return {
        "name": study.name,
        "trials": found.trials,
        "judged": found.judged,
        "findings": [_finding(finding) for finding in found.findings],
        "symptoms": [_symptom(one) for wrong in found.symptoms.values() for one in wrong],
        "remark": found.remark,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(finding)
    return data | {"moves": [_move(move) for move in finding.moves]}


def _move(move: Move) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(move)
    return data | {"seen": move.seen}


def _symptom(one: Symptom) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(one)
    return data

"""Packing a study into one file that others can read, cite, and start from."""

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from msgspec.structs import replace

from tunesmith._core.errors import MissingExtra, SettingError
from tunesmith.records import History, Record
from tunesmith.records.events import Created, to_line
from tunesmith.records.tables import to_csv
from tunesmith.report import Answers, html
from tunesmith.storage import Blobs
from tunesmith.storage.blobs import file_name
from tunesmith.storage.bundle import BESIDE, CHECKPOINTS, ENDING, FORMAT, HEAD, LOG
from tunesmith.study.beside import beside
from tunesmith.study.keeping import leading
from tunesmith.study.ledger import Ledger

Which: TypeAlias = Literal["none", "best", "all"]
README: Final = """\
This is a hyperparameter study, packed by tunesmith {version}.

  study.json       what was tuned, the counts, the best
  trials.csv       a row for each trial
  report.html      what it came to, in words and pictures, if plotly and jinja2 were there
  methods.txt      a paragraph for a paper, with references
  provenance.json  code, packages, data and machines of the processes that ran it
  log.jsonl        everything that happened, an event a line
  confirm.jsonl    the same of its confirmation, if there was one
  baseline.jsonl   the same of what that was compared with, if that was not in the search
  checkpoints/     files of trials, and what was attached to them, if they were packed

In Python: ts.load("{file}"); on the command line: tunesmith show --storage {file}
"""


def bundle(
    ledger: Ledger[Any],
    path: Path,
    which: Which,
    attachments: Which,
    answers: Answers,
) -> int:
    """Write a study to a file, whole or not at all.

    Args:
        ledger: The study's log, as far as it is read.
        path: The file; one that is there is replaced.
        which: Whose checkpoints come along.
        attachments: Whose attachments do.
        answers: What its report says.

    Returns:
        How many checkpoints were packed.

    Raises:
        SettingError: The file has another ending than bundles have, or there is no such choice.
        OSError: It cannot be written.
    """
    if path.suffix != ENDING:
        raise SettingError(f"a bundle's name ends in {ENDING}, got {str(path)!r}")
    for what, given in (("checkpoints=", which), ("attachments=", attachments)):
        if given not in get_args(Which):
            raise SettingError(f'{what} is "none", "best" or "all", got {given!r}')
    fold = ledger.fold
    history = fold.history
    lines = ledger.storage.read(ledger.name, 0, fold.length)
    created: Created = replace(fold.created, files="")  # those of the bundle lie in it
    lines[0] = to_line(created)
    texts = {
        HEAD: _json(
            {"format": FORMAT, "name": ledger.name, **_summary(history, answers.facts.settings)}
        ),
        LOG: "".join(f"{line}\n" for line in lines),
        "trials.csv": to_csv(history.to_dict()),
        "methods.txt": answers.facts.methods,
        "provenance.json": _json(_provenance(history)),
        "README.txt": README.format(version=created.versions.get("tunesmith", ""), file=path.name),
    }
    with suppress(MissingExtra):
        texts["report.html"] = html(answers)
    for ending in beside(ledger.storage, ledger.name):
        lines = ledger.storage.read(f"{ledger.name}{ending}")
        texts[BESIDE[ending]] = "".join(f"{line}\n" for line in lines)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with ZipFile(new, "w", ZIP_DEFLATED) as packed:
            for name, text in texts.items():
                packed.writestr(name, text)
            n = _pack(packed, ledger.files, _keys(history, ledger.files, which))
            _pack(packed, ledger.files, _attached(history, attachments))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return n


def _json(data: Any) -> str:
    return json.dumps(msgspec.to_builtins(data), indent=2) + "\n"


def _keys(history: History[Any], files: Blobs | None, which: Which) -> set[str]:
    if which == "all":
        return set() if files is None else files.keys() - _attached(history, "all")
    return {record.key for record in leading(history)} - {""} if which == "best" else set()


def _attached(history: History[Any], which: Which) -> set[str]:
    whose = {"none": [], "best": leading(history), "all": history}[which]
    attached = history.problem.attached
    return {key for record in whose for key in attached.get(record.uid, {}).values()}


def _pack(packed: ZipFile, files: Blobs | None, keys: set[str]) -> int:
    n = 0
    for key in sorted(keys):
        folder = None if files is None else files.get(key)
        if folder is None:  # removed meanwhile, or never told
            continue
        n += 1
        place = f"{CHECKPOINTS}{file_name(key)}"
        packed.mkdir(place)
        for path in sorted(folder.rglob("*")):
            packed.write(path, f"{place}/{path.relative_to(folder).as_posix()}")
    return n


def _summary(history: History[Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    problem = history.problem
    states: Counter[str] = Counter(record.state for record in history)
    return {
        "objectives": {one.name: one.direction for one in problem.objectives},
        "settings": dict(settings),
        "trials": len(history),
        **states,
        "best": [_told(record) for record in leading(history)],
    }


def _told(record: Record[Any]) -> dict[str, Any]:
    return {
        "number": record.number,
        "params": record.logged,
        "values": record.values,
        "seed": record.seed,
    }


def _provenance(history: History[Any]) -> list[dict[str, Any]]:
    """Each that ran trials, with how many it ran last."""
    trials = Counter(record.ran[-1] for record in history if record.ran)
    return [
        {"trials": n, **msgspec.to_builtins(history.problem.joined[place])}
        for place, n in sorted(trials.items())
    ]

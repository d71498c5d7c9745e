"""A report as one page of HTML that loads nothing: words, pictures, every trial, and how it was done."""

import base64
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from html import unescape
from importlib.resources import files
from inspect import signature
from typing import Any, Final, final

import numpy as np

from tunesmith._core.optional import need
from tunesmith._core.words import number
from tunesmith.analysis.forecast import lasting
from tunesmith.plots.picture import Picture as Drawing
from tunesmith.plots.registry import registry
from tunesmith.plots.theme import CONFIG, Spec, template
from tunesmith.plots.words import label
from tunesmith.records import History, Record
from tunesmith.report.answers import Answers, asked
from tunesmith.report.sections import STATES, heading, last_line, sections
from tunesmith.report.words import period, ran_with

MOST: Final = 2000  # trials that are all listed
BEST: Final = 1000  # of more
METRICS: Final = 6  # columns of trials
ORDER: Final = (
    "history", "overtuning", "front", "hypervolume", "importance", "tunability", "ablation", "effects", "interactions", "contours", "slices",
    "parallel", "curves", "rungs", "lineage", "schedules", "timeline",
)  # fmt: skip
"""In which pictures stand: first what came out, then why, then how; those of other packages at the end."""


@final
@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on the page.

    Attributes:
        name: What it is called.
        title: What is seen, as a sentence.
        note: How to read it.
        spec: Data and layout, as Plotly's JSON.
    """

    name: str
    title: str
    note: str
    spec: Spec


def html(a: Answers) -> str:
    """Return a report as a page.

    Raises:
        MissingExtra: Jinja2 or Plotly is not installed.
    """
    jinja2 = need("jinja2", "report")
    need("plotly", "report")
    shown = list(pictures(a))
    style, script, library = _own("report.css"), _own("report.js"), _library()
    data = {
        "pictures": [picture.spec for picture in shown],
        "templates": {"light": template(dark=False), "dark": template(dark=True)},
        "config": CONFIG,
    }
    policy = (  # Plotly sets styles by attributes
        f"default-src 'none'; script-src {_hashed(library)} {_hashed(script)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        _own("report.html")
    )
    trials, metrics = _trials(a), _metrics(a)
    text: str = page.render(
        name=a.facts.name,
        heading=heading(a),
        when=_when(a),
        sections=sections(a),
        pictures=shown,
        trials=trials,
        left_out=len(a.history) - len(trials),
        metrics=metrics,
        cells=lambda record: _cells(a, metrics, record),
        settings={name: value for name, value in a.facts.settings.items() if value is not None},
        methods=a.facts.methods,
        processes=_processes(a),
        policy=policy,
        style=style,
        script=script,
        library=library,
        data=_json(data),
    )
    return text


def pictures(a: Answers) -> Iterator[Picture]:
    """Yield the pictures that there are of a study, of several objectives one for each."""
    names = [name for name in ORDER if name in registry]
    names += [name for name in registry if name not in ORDER]
    if a.overtuning is None or not a.overtuning.test:  # else it shows no more than the history
        names.remove("overtuning")
    for name in names:
        drawn = partial(_drawn, registry.get(name), a.history)
        each = "objective" in signature(registry.get(name).of).parameters
        for settings in [{"objective": one} for one in a.objectives] if each else [{}]:
            spec = asked(partial(drawn, **settings))
            if spec is not None:
                yield _framed(name, spec)


def _drawn(kind: type[Drawing], history: History[Any], **settings: str) -> Spec:
    return kind.of(history, **settings).draw()


def _framed(name: str, spec: Spec) -> Picture:
    """A picture whose title stands on the page, where it can be read aloud, and not in it."""
    layout = dict(spec["layout"])
    title = layout.pop("title", name)
    title = title if isinstance(title, dict) else {"text": title}
    margin = dict(layout.get("margin", {}))
    spare = max(0, margin.get("t", 0) - 24)
    margin["t"] = margin.get("t", 0) - spare
    if "height" in layout:
        layout["height"] -= spare
    layout["margin"] = margin
    note = title.get("subtitle", {}).get("text", "")
    return Picture(
        name,
        _plain(title.get("text", name)),
        _plain(note),
        {"data": spec["data"], "layout": layout},
    )


def _plain(text: str) -> str:
    return unescape(text.replace("<br>", " ")).replace("\u00a0", " ")


@cache
def _own(name: str) -> str:
    return files("tunesmith.report").joinpath(name).read_text("utf-8")


@cache
def _library() -> str:
    """Plotly's script, which ends where the page's script does."""
    text = files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")
    return text.replace("</script", "<\\/script")


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """Data as JSON that may stand in a page."""
    return json.dumps(_packed(data), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(data: Any) -> Any:
    """Data with arrays of numbers in base64, as Plotly reads them, and null where there is no number."""
    if isinstance(data, dict):
        return {key: _packed(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_packed(value) for value in data]
    if isinstance(data, np.ndarray):
        if data.dtype.kind not in "iuf" or not data.size:
            return _packed(data.tolist())
        whole = data.dtype.kind != "f" or np.abs(data[np.isfinite(data)]).max(initial=0.0) > 2**20
        small = data.astype("<f8" if whole else "<f4")
        text = base64.b64encode(small.tobytes()).decode()
        shape = {} if data.ndim == 1 else {"shape": ", ".join(map(str, data.shape))}
        return {"dtype": small.dtype.str[1:], "bdata": text, **shape}
    if isinstance(data, np.generic):
        data = data.item()
    return None if isinstance(data, float) and not math.isfinite(data) else data


def _when(a: Answers) -> str:
    """From when to when, by the log."""
    if not len(a.history):
        return ""
    return period(min(r.started for r in a.history), max(r.seen_at for r in a.history))


def _metrics(a: Answers) -> list[str]:
    limits = [limit.name for limit in a.history.problem.limits]
    others = (name for record in a.history for name in record.values)
    return list(dict.fromkeys([*a.objectives, *limits, *others]))[:METRICS]


def _trials(a: Answers) -> list[Record[Any]]:
    """All trials, or of many the best."""
    records = list(a.history)
    if len(records) <= MOST:
        return records
    first = a.history.problem.objectives[0]
    worst = math.inf

    def rank(record: Record[Any]) -> tuple[bool, float]:
        value = record.values.get(first.name, math.nan)
        return record.state != "complete", worst if math.isnan(value) else first.sign * value

    return sorted(records, key=rank)[:BEST]


def _cells(a: Answers, metrics: list[str], record: Record[Any]) -> dict[str, Any]:
    resource = a.history.problem.resource
    at = f", {resource.name} {record.step}" if resource is not None and record.step else ""
    return {
        "state": record.failure.kind
        if record.failure
        else STATES[record.state][0].removeprefix("was ").removeprefix("is ") + at,
        "wrong": last_line(record),
        "values": [
            number(record.values[name]) if name in record.values else "" for name in metrics
        ],
        "took": lasting(record.duration_s) if record.finished else "",
        "params": [(name, label(value)) for name, value in record.logged.items()],
    }


def _processes(a: Answers) -> list[dict[str, Any]]:
    """What is known of each process that ran trials, the one that ran most first."""
    trials = Counter(record.ran[-1] for record in a.history if record.ran)
    return [
        {
            name: value
            for name, value in {"trials": n, **ran_with(a.history.problem.joined[place])}.items()
            if value
        }
        for place, n in trials.most_common(20)
    ]

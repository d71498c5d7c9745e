"""The same as JSON: what programs read, and what they do."""

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from msgspec import to_builtins
from pydantic import BaseModel, Field

from tunesmith import plots
from tunesmith.dashboard import verbs
from tunesmith.dashboard.asked import Number, Page, Segment, Text
from tunesmith.dashboard.attached import link
from tunesmith.dashboard.figures import drawn_picture
from tunesmith.dashboard.filters import rows_of
from tunesmith.dashboard.live import View
from tunesmith.dashboard.site import Site, url
from tunesmith.dashboard.table import latest
from tunesmith.records import Record
from tunesmith.records.events import Noted
from tunesmith.records.record import State
from tunesmith.space import Scalar


class Failure(BaseModel):
    """Why a trial failed."""

    kind: str
    text: str


class Trial(BaseModel):
    """A trial; numbers that are not finite are null."""

    number: int
    uid: str
    state: State
    params: dict[str, Scalar]
    values: dict[str, float | None]
    why: str
    failure: Failure | None
    started: float
    duration_s: float | None
    step: int
    attempt: int
    seed: int
    source: str
    parent: int | None
    note: str
    tags: list[str]


class Trials(BaseModel):
    """A page of trials."""

    total: int
    page: int
    trials: list[Trial]


class Report(BaseModel):
    """What a trial reported after a step."""

    step: int
    time: float
    values: dict[str, float | None]


class Note(BaseModel):
    """A remark on the study, or on a trial."""

    time: float
    who: str
    trial: int | None
    text: str
    tags: list[str]


class Detail(Trial):
    """A trial with its reports, its remarks, the addresses of what was attached, and where it was run."""

    reports: list[Report]
    notes: list[Note]
    attached: dict[str, str]
    worker: str
    device: str
    cost: dict[str, float]
    provenance: dict[str, Any]


class Summary(BaseModel):
    """A study in a list."""

    name: str
    path: str
    position: int


class Study(Summary):
    """How a study stands; `best` has one trial, or those that no other beats."""

    created: float
    objectives: dict[str, Literal["minimize", "maximize"]]
    parameters: list[str]
    settings: dict[str, Any]
    paused: bool
    trials: int
    counts: dict[State, int]
    queued: int
    best: list[Trial]


class NewNote(BaseModel):
    """A remark to be kept."""

    text: str = ""
    tags: list[str] = Field(default=[], max_length=verbs.TAGS)
    trial: int | None = Field(default=None, ge=0, le=2**53)
    who: str = ""


class Queued(BaseModel):
    """A configuration to be tried next; what it leaves open, the sampler completes."""

    params: dict[str, Scalar]
    note: str = ""
    parent: int | None = Field(default=None, ge=0, le=2**53)
    who: str = ""


class Command(BaseModel):
    """Pause the study, go on with it, stop its runs, or stop one trial."""

    command: Literal["stop", "pause", "go on"]
    trial: int | None = Field(default=None, ge=0, le=2**53)
    who: str = ""


class Done(BaseModel):
    """What was asked is in the log."""

    position: int


class Refused(BaseModel):
    """Why nothing was done, in one sentence."""

    detail: str


ANSWERS: dict[int | str, dict[str, Any]] = {
    code: {"model": Refused} for code in (400, 401, 403, 404, 409, 413, 421, 422, 503)
}


def finite(values: dict[str, float]) -> dict[str, float | None]:
    """Return values as JSON has them."""
    return {name: v if math.isfinite(v) else None for name, v in values.items()}


def trial_of(view: View, record: Record[Any]) -> Trial:
    """Return what JSON says of a trial."""
    parent = view.history.find(record.parent) if record.parent else None
    failure = record.failure
    return Trial(
        number=record.number,
        uid=record.uid,
        state=record.state,
        params=record.logged,
        values=finite(latest(record)),
        why=record.why,
        failure=None if failure is None else Failure(kind=failure.kind, text=failure.text),
        started=record.started,
        duration_s=record.duration_s if record.finished else None,
        step=record.step,
        attempt=record.attempt,
        seed=record.seed,
        source=record.source,
        parent=None if parent is None else parent.number,
        note=record.note,
        tags=list(dict.fromkeys(t for n in view.notes_of(record) for t in n.tags)),
    )


def note_of(view: View, note: Noted) -> Note:
    """Return what JSON says of a remark."""
    record = view.history.find(note.target) if note.target else None
    return Note(
        time=note.time,
        who=note.who,
        trial=None if record is None else record.number,
        text=note.text,
        tags=note.tags,
    )


def routes(site: Site) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter(responses=ANSWERS)

    def summary(name: str) -> dict[str, Any]:
        return {"name": name, "path": url(name), "position": site.hub.length(name)}

    @router.get("/studies")
    def studies() -> list[Summary]:
        """List the studies."""
        return [Summary(**summary(name)) for name in site.hub.names()]

    @router.get("/studies/{study}")
    def study(study: Segment) -> Study:
        """Say how a study stands."""
        _, view = site.opened(study)
        history = view.history
        states: tuple[State, ...] = ("complete", "stopped", "failed", "running", "paused")
        return Study(
            **summary(view.name) | {"position": view.position},
            created=view.created,
            objectives={o.name: o.direction for o in history.problem.objectives},
            parameters=list(history.problem.space.names),
            settings=view.settings,
            paused=view.paused,
            trials=len(history),
            counts={state: history.count(state) for state in states},
            queued=len(view.queue),
            best=[trial_of(view, record) for record in view.best],
        )

    @router.get("/studies/{study}/trials")
    def trials(
        study: Segment,
        where: Text = "",
        sort: Annotated[str, Query(max_length=300)] = "number",
        page: Page = 1,
        size: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Trials:
        """List trials that a filter keeps, sorted by a column (`-loss`: descending)."""
        _, view = site.opened(study)
        rows = rows_of(view, where, sort)
        some = rows[(page - 1) * size : page * size]
        records = [view.history[int(number)] for number in some]
        return Trials(
            total=len(rows), page=page, trials=[trial_of(view, record) for record in records]
        )

    @router.get("/studies/{study}/trials/{number}")
    def trial(study: Segment, number: Number) -> Detail:
        """Say everything of a trial."""
        _, view = site.opened(study)
        record = site.trial(view, number)
        curve = record.curve
        reports = (
            []
            if curve is None
            else [
                Report(step=curve.steps[i], time=curve.times[i], values=finite(curve.values_at(i)))
                for i in range(record.reports)
            ]
        )
        return Detail(
            **trial_of(view, record).model_dump(),
            reports=reports,
            notes=[note_of(view, note) for note in view.notes_of(record)],
            attached={name: link(view, record, name) for name in record.attachments},
            worker=record.worker,
            device=record.device,
            cost=record.cost,
            provenance=to_builtins(record.provenance),
        )

    @router.get("/studies/{study}/notes")
    def notes(study: Segment, tag: Annotated[str, Query(max_length=100)] = "") -> list[Note]:
        """List notes, or those with a tag."""
        _, view = site.opened(study)
        return [note_of(view, note) for note in view.notes if not tag or tag in note.tags]

    @router.get("/studies/{study}/pictures")
    def pictures(study: Segment) -> list[str]:
        """List the pictures that there are."""
        site.opened(study)
        return list(plots.registry)

    @router.get("/studies/{study}/pictures/{kind}", response_class=JSONResponse)
    def picture(study: Segment, kind: str) -> JSONResponse:
        """Return a picture as Plotly's JSON."""
        _, view = site.opened(study)
        return drawn_picture(site, view, kind)

    @router.post("/studies/{study}/notes", status_code=201)
    def add_note(study: Segment, note: NewNote) -> Done:
        """Keep a note."""
        live, view = site.opened(study)
        record = None if note.trial is None else site.trial(view, note.trial)
        verbs.note(live, record, note.text, note.tags, note.who)
        return Done(position=live.view().position)

    @router.post("/studies/{study}/queue", status_code=201)
    def enqueue(study: Segment, queued: Queued) -> Done:
        """Have a configuration tried next."""
        live, view = site.opened(study)
        parent = None if queued.parent is None else site.trial(view, queued.parent)
        verbs.enqueue(live, view, queued.params, queued.note, parent, queued.who)
        return Done(position=live.view().position)

    @router.post("/studies/{study}/commands", status_code=201)
    def command(study: Segment, given: Command) -> Done:
        """Pause, go on, or stop."""
        live, view = site.opened(study)
        record = None if given.trial is None else site.trial(view, given.trial)
        verbs.command(live, given.command, record, given.who)
        return Done(position=live.view().position)

    return router

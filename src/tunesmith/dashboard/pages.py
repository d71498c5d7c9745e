"""The pages: what is on each, and what its forms do."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec
import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse

from tunesmith import plots
from tunesmith._core.errors import SettingError, SpaceError, StudyError
from tunesmith.analysis import compare_studies, compare_trials
from tunesmith.dashboard import filters, sketch, standing, verbs
from tunesmith.dashboard.live import Live, View
from tunesmith.dashboard.site import Site, finished, url
from tunesmith.dashboard.table import STATES, Columns, key, latest, ordered
from tunesmith.plots.theme import template
from tunesmith.records import Record
from tunesmith.space.choices import Labelled
from tunesmith.space.parameters import Ranged
from tunesmith.study.progress import best_so_far

SIZE = 100  # trials on a page
SHOWN = 14  # columns that a table has unasked
PATIENCE_S = 60.0
MANY = 8  # that can be compared

Segment = Annotated[
    str, Path(alias="study", description="The study's name, percent-encoded twice.")
]
Number = Annotated[int, Path(ge=0, le=2**53, description="The trial's number.")]
Page = Annotated[int, Query(ge=1, le=10**9)]
Text = Annotated[str, Query(max_length=2000)]


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=2000))


def rows_of(view: View, where: str, sort: str) -> Any:
    """Return the numbers of the trials that a filter keeps, sorted.

    Raises:
        SpaceError: It is no filter.
    """
    keep = np.flatnonzero(filters.kept(where, view.columns, view.tagged))
    return ordered(view.columns, keep, sort)


def default_columns(columns: Columns) -> list[str]:
    """Return the columns that a table has unasked: state, metrics, parameters, as far as they fit."""
    metrics = [k for k, c in columns.items() if c.kind == "metric"]
    parameters = [k for k, c in columns.items() if c.kind == "parameter"]
    state, took = (key(columns, "trial", name) for name in ("state", "duration_s"))
    return [state, *metrics[:4], took, *parameters][:SHOWN]


def cell(view: View, head: str, record: Record[Any]) -> Any:
    """Return what a table has of a trial in a column."""
    column = view.columns[head]
    if column.kind == "parameter":
        return record.logged.get(column.name)
    if column.kind == "metric":
        return latest(record).get(column.name)
    if column.name == "state":
        return record.failure.kind if record.failure else record.state
    return getattr(record, column.name)


def routes(site: Site) -> APIRouter:
    """Return the routes of all pages."""
    router = APIRouter(default_response_class=HTMLResponse)
    hub = site.hub

    def studies_page() -> dict[str, Any]:
        rows = []
        for name in hub.names():
            summary = site.backroom.ask(
                ("summary", name), hub.length(name), lambda name=name: summary_of(name), hub.changes.nudge  # type: ignore[misc]  # bound now
            )  # fmt: skip
            failed = summary.made is not None and summary.made.exception() is not None
            rows.append(
                (name, None if failed or summary.made is None else summary.made.result(), failed)
            )
        return {"rows": rows}

    def summary_of(name: str) -> dict[str, Any]:
        view = hub.view(name)
        history = view.history
        counts = {state: history.count(state) for state in STATES}  # type: ignore[arg-type]  # they are
        started = view.columns[key(view.columns, "trial", "started")].values
        return {
            "objectives": [f"{o.direction} {o.name}" for o in history.problem.objectives],
            "trials": len(history),
            "counts": counts,
            "best": best_so_far(history).removeprefix("best "),
            "line": sketch.incumbents(history.problem, view.columns),
            "last": float(started[-1]) if len(started) else view.created,
            "paused": view.paused,
        }

    @router.get("/")
    def studies(request: Request) -> HTMLResponse:
        """All studies of the storage."""
        version = hub.listing()
        return site.page(request, hub.changes.version(version), "studies.html", studies_page)

    @router.get("/events", response_class=StreamingResponse, include_in_schema=False)
    async def list_events(request: Request, since: str = "") -> StreamingResponse:
        return streamed(hub.changes, request, since)

    @router.get(
        "/studies/{study}/events", response_class=StreamingResponse, include_in_schema=False
    )
    async def study_events(request: Request, study: Segment, since: str = "") -> StreamingResponse:
        live, _ = await in_thread(site.opened, study)
        return streamed(live.changes, request, since)

    def streamed(changes: Any, request: Request, since: str) -> StreamingResponse:
        seen = request.headers.get("last-event-id", since)

        async def events() -> Any:
            yield f"retry: 1000\nevent: hello\ndata: {site.access.boot}\n\n"
            async for message in changes.stream(seen):
                yield message

        return StreamingResponse(
            events(), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
        )

    def study_page(
        request: Request, study: str, template_name: str, make: Any, tab: str
    ) -> HTMLResponse:
        live, view = site.opened(study)
        version = live.changes.version(view.position)
        return site.page(
            request,
            (version, view.created),
            template_name,
            lambda: {"view": view, "tab": tab, "seen": version, **make(live, view)},
        )

    @router.get("/studies/{study}")
    def overview(request: Request, study: Segment) -> HTMLResponse:
        """How a study stands."""

        def make(live: Live, view: View) -> dict[str, Any]:
            history = view.history
            running = [r for r in history.open if r.state == "running"]
            return {
                "line": sketch.incumbents(history.problem, view.columns),
                "stands": standing.stands(site, live, view),
                "best_word": standing.best_word(view),
                "words": best_so_far(history),
                "running": running[:20],
                "n_running": len(running),
                "latest": latest,
                "last": history[-8:][::-1],
                "failures": standing.failures(view),
                "kinds": [k for k in ("history", "importance", "curves", "timeline") if k in plots.registry],
            }  # fmt: skip

        return study_page(request, study, "overview.html", make, "overview")

    @router.get("/studies/{study}/trials")
    def trials(
        request: Request,
        study: Segment,
        where: Text = "",
        sort: Annotated[str, Query(max_length=300)] = "-number",
        columns: Annotated[list[str], Query(max_length=300)] = [],  # noqa: B006 - read only
        page: Page = 1,
    ) -> HTMLResponse:
        """A page of trials, filtered and sorted."""

        def make(_: Live, view: View) -> dict[str, Any]:
            wrong = ""
            try:
                rows = rows_of(view, where, sort)
            except SpaceError as error:
                wrong, rows = str(error), np.empty(0, dtype=int)
            shown = [one for one in columns if one in view.columns] or default_columns(view.columns)
            first = key(view.columns, "trial", "number")
            pages = max(1, -(-len(rows) // SIZE))
            at = min(page, pages)
            some = [view.history[int(n)] for n in rows[(at - 1) * SIZE : at * SIZE]]

            def link(**changed: Any) -> str:
                state: dict[str, Any] = {
                    "where": where,
                    "sort": sort,
                    "page": at,
                    "columns": columns,
                }
                state.update(changed)
                kept = {
                    k: v
                    for k, v in state.items()
                    if v not in ("", [], 1) and (k, v) != ("sort", "-number")
                }
                return f"{url(view.name, 'trials')}?{urlencode(kept, doseq=True)}"

            return {
                "wrong": wrong, "where": where, "sort": sort, "shown": shown, "n": len(rows),
                "heads": [first, *(one for one in shown if one != first)],
                "pages": pages, "page": at, "records": some, "link": link, "columns": columns,
                "cell": lambda head, record: cell(view, head, record), "size": SIZE,
                "tags": {r.number: [t for n in view.notes_of(r) for t in n.tags] for r in some},
            }  # fmt: skip

        return study_page(request, study, "trials.html", make, "trials")

    @router.get("/studies/{study}/trials/{number}")
    def trial(request: Request, study: Segment, number: Number) -> HTMLResponse:
        """One trial."""

        def make(live: Live, view: View) -> dict[str, Any]:
            record = site.trial(view, number)
            history = view.history
            curve = record.curve
            metrics = [] if curve is None else list(curve.columns)
            charts = [
                sketch.drawn([sketch.curve(record, name, name)], step_name(view), name)
                for name in metrics
            ]
            parent = history.find(record.parent) if record.parent else None
            again = [r for r in history.evaluations(record) if r is not record]
            return {
                "record": record,
                "charts": charts,
                "metrics": metrics,
                "reports": reports_of(record),
                "parent": parent,
                "line": history.lineage(record),
                "again": again,
                "children": [
                    history[n] for n in view.children.get(record.uid, ())[:50] if n < len(history)
                ],
                "stands": [s for s in standing.stands(site, live, view) if s.record is not record],
                "notes": view.notes_of(record),
                "stopping": record.uid in view.stopping,
            }

        return study_page(request, study, "trial.html", make, "trials")

    @router.get("/studies/{study}/pictures")
    def pictures(request: Request, study: Segment) -> HTMLResponse:
        """All pictures of a study."""
        return study_page(
            request, study, "pictures.html", lambda *_: {"kinds": list(plots.registry)}, "pictures"
        )

    @router.get("/studies/{study}/analysis")
    def analysis(request: Request, study: Segment) -> HTMLResponse:
        """What the analyses say."""

        def make(live: Live, view: View) -> dict[str, Any]:
            return {"answers": standing.answers(site, live, view)}

        return study_page(request, study, "analysis.html", make, "analysis")

    @router.get("/studies/{study}/notes")
    def notes(
        request: Request, study: Segment, tag: Annotated[str, Query(max_length=100)] = ""
    ) -> HTMLResponse:
        """All notes, or those with a tag."""

        def make(_: Live, view: View) -> dict[str, Any]:
            some = [n for n in reversed(view.notes) if not tag or tag in n.tags]
            tags = dict.fromkeys(t for n in view.notes for t in n.tags)
            targets = {n.target: view.history.find(n.target) for n in some[:500]}
            return {
                "notes": some[:500],
                "n": len(some),
                "tag": tag,
                "tags": tags,
                "targets": targets,
            }

        return study_page(request, study, "notes.html", make, "notes")

    def enqueue_form(view: View, number: int | None) -> dict[str, Any]:
        origin = None if number is None else site.trial(view, number)
        fields = []
        for path, parameter in view.history.problem.space.parameters.items():
            given = None if origin is None else origin.logged.get(path)
            labels = list(parameter.labels or ()) if isinstance(parameter, Labelled) else None
            ends = (
                f"{parameter.low:g} to {parameter.high:g}" + ", logarithmic" * parameter.log
                if isinstance(parameter, Ranged)
                else ""
            )
            has = origin is not None and path in origin.logged
            fields.append((path, labels, ends, given, has))
        return {"fields": fields, "origin": origin}

    @router.get("/studies/{study}/enqueue")
    def enqueue_page(
        request: Request,
        study: Segment,
        trial: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> HTMLResponse:
        """A form for a configuration to be tried next."""
        return study_page(
            request, study, "enqueue.html", lambda _, view: enqueue_form(view, trial), "enqueue"
        )

    @router.get("/compare")
    def compare(
        request: Request,
        study: Annotated[list[str], Query(max_length=MANY)],
        trial: Annotated[list[int], Query(max_length=MANY)] = [],  # noqa: B006 - read only
    ) -> HTMLResponse:
        """Two or more studies, or trials of one, side by side."""
        views = [hub.view(name) for name in dict.fromkeys(study)]
        lives = [hub.live(view.name) for view in views]
        version = tuple(
            live.changes.version(view.position) for live, view in zip(lives, views, strict=True)
        )
        if trial and len(views) != 1:
            raise SettingError("trials are compared within one study; name one")
        if trial:
            return site.page(
                request, version, "compare_trials.html", lambda: trials_compared(views[0], trial)
            )
        return site.page(
            request, version, "compare_studies.html", lambda: studies_compared(lives, views)
        )

    def trials_compared(view: View, numbers: list[int]) -> dict[str, Any]:
        records = [site.trial(view, n) for n in dict.fromkeys(numbers)]
        metrics = dict.fromkeys(name for r in records for name in r.values)
        paths = [p for p in view.history.problem.space.names if any(p in r.logged for r in records)]
        reported = dict.fromkeys(n for r in records if r.curve for n in r.curve.columns)
        charts = [
            sketch.drawn(
                [sketch.curve(r, name, f"trial {r.number}") for r in records], step_name(view), name
            )
            for name in reported
        ]
        differing = compare_trials(*records) if len(records) == 2 else []
        return {
            "view": view, "records": records, "metrics": metrics, "paths": paths, "charts": charts,
            "differing": [d for d in differing if d.part not in ("params", "values")],
        }  # fmt: skip

    def studies_compared(lives: list[Live], views: list[View]) -> dict[str, Any]:
        lines = []
        for view in views:
            line = sketch.incumbents(view.history.problem, view.columns)
            if line is not None:
                lines.append(sketch.Line(view.name, line.x, line.y, steps=True))
        names = dict.fromkeys(v.history.problem.objectives[0].name for v in views)
        differing, words = [], ""
        if len(views) == 2:
            a, b = views
            differing = compare_studies(a.history, b.history, (a.settings, b.settings))
            words = standing.compared(site, a, b)
        facts = [
            (view, standing.stands(site, live, view), best_so_far(view.history))
            for live, view in zip(lives, views, strict=True)
        ]
        chart = sketch.drawn(lines, "trials", f"best {', '.join(names)}")
        return {
            "views": views,
            "facts": facts,
            "chart": chart,
            "differing": differing,
            "one": len(names) == 1,
            "words": words,
        }

    # pictures

    @router.get("/studies/{study}/pictures/{kind}.json", response_class=JSONResponse)
    def picture(study: Segment, kind: str) -> JSONResponse:
        """One picture as Plotly's JSON, without its template."""
        _, view = site.opened(study)
        return drawn_picture(site, view, kind)

    @router.get("/pictures/theme.json", response_class=JSONResponse)
    def theme() -> JSONResponse:
        """The templates of pictures, for light and dark grounds."""
        return JSONResponse({"light": template(dark=False), "dark": template(dark=True)})

    # what people do

    @router.post("/studies/{study}/notes")
    async def add_note(request: Request, study: Segment) -> RedirectResponse:
        """Keep a note on the study, or on a trial (`trial`)."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            number = form.get("trial", "")
            record = site.trial(view, whole(number)) if number else None
            tags = form.get("tags", "").split(",")
            verbs.note(live, record, form.get("text", ""), tags, form.get("who", ""))
            return url(view.name, *(("trials", record.number) if record else ("notes",)))

        return RedirectResponse(await in_thread(work), 303)

    @router.post("/studies/{study}/commands")
    async def give_command(request: Request, study: Segment) -> RedirectResponse:
        """Pause the study or go on with it, stop its runs, or stop a trial (`trial`)."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            number = form.get("trial", "")
            record = site.trial(view, whole(number)) if number else None
            verbs.command(live, command_of(form.get("command", "")), record, form.get("who", ""))
            return url(view.name, *(("trials", record.number) if record else ()))

        return RedirectResponse(await in_thread(work), 303)

    @router.post("/studies/{study}/enqueue")
    async def enqueue(request: Request, study: Segment) -> RedirectResponse:
        """Have a configuration tried next: fields `p:<path>`, `note`, `parent`."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            given = {k.removeprefix("p:"): v for k, v in form.items() if k.startswith("p:")}
            params = verbs.typed(view.history.problem.space.parameters, given)
            number = form.get("parent", "")
            parent = site.trial(view, whole(number)) if number else None
            if form.get("same") and parent is not None:
                params = dict(parent.logged)
            verbs.enqueue(live, view, params, form.get("note", ""), parent, form.get("who", ""))
            return url(view.name)

        return RedirectResponse(await in_thread(work), 303)

    return router


def drawn_picture(site: Site, view: View, kind: str) -> JSONResponse:
    """Return a picture, made once for each state of its study.

    Raises:
        StudyError: There is no such picture, or it takes too long.
    """
    if kind not in plots.registry:
        raise StudyError(f"there is no picture {kind!r}; there are {', '.join(plots.registry)}")
    try:
        answer = site.backroom.wait(
            (view.name, view.created, "picture", kind),
            (view.position if len(view.history) < 1000 else finished(view)),
            lambda: msgspec.json.encode(
                plots.registry.get(kind).of(view.history).draw(),
                enc_hook=lambda array: array.tolist(),
            ),
            PATIENCE_S,
        )
    except TimeoutError:
        raise StudyError(f"the picture {kind!r} takes longer than a minute; come back") from None
    body = b"" if answer.made is None else answer.made.result()
    headers = {} if answer.again_s is None else {"x-again-s": f"{answer.again_s:.1f}"}
    response = JSONResponse(None, headers=headers)
    response.body = body
    response.headers["content-length"] = str(len(body))
    return response


def step_name(view: View) -> str:
    """Return what a step of a training is."""
    resource = view.history.problem.resource
    return "step" if resource is None else resource.name


def reports_of(record: Record[Any]) -> list[tuple[int, float, dict[str, float]]]:
    """Return step, time and values of the last reports, the newest first."""
    curve = record.curve
    if curve is None:
        return []
    n = record.reports
    return [
        (curve.steps[i], curve.times[i], curve.values_at(i))
        for i in range(n - 1, max(-1, n - 201), -1)
    ]


def whole(text: str) -> int:
    """Return a trial's number that a form holds.

    Raises:
        SettingError: It is none.
    """
    if not text.isdecimal() or len(text) > 15:
        raise SettingError(f"a trial is named by its number, got {text[:40]!r}")
    return int(text)


def command_of(text: str) -> Literal["stop", "pause", "go on"]:
    """Return a command that a form holds.

    Raises:
        SettingError: It is none.
    """
    match text:
        case "stop" | "pause" | "go on":
            return text
    raise SettingError(f'a command is "stop", "pause" or "go on", got {text[:40]!r}')


async def in_thread(work: Any, *args: Any) -> Any:
    """Run what waits for the storage beside the event loop."""
    return await run_sync(work, *args)

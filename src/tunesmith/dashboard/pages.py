"""The pages: what is on each."""

from typing import Annotated, Any
from urllib.parse import urlencode

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from tunesmith import plots
from tunesmith._core.errors import SpaceError
from tunesmith.dashboard import filters, sketch, standing
from tunesmith.dashboard.asked import Number, Page, Segment, Text
from tunesmith.dashboard.attached import is_picture, link
from tunesmith.dashboard.live import Live, View
from tunesmith.dashboard.site import Site, url
from tunesmith.dashboard.table import STATES, Columns, key, latest
from tunesmith.records import Record
from tunesmith.report.words import ran_on
from tunesmith.space.choices import Labelled
from tunesmith.space.parameters import Ranged
from tunesmith.study.progress import best_so_far

OVERVIEW = ("history", "importance", "curves", "timeline")
"""Pictures on the overview; they are the first on the page of all pictures, too."""
SIZE = 100  # trials on a page
SHOWN = 14  # columns that a table has unasked
PATIENCE_S = 60.0
MANY = 8  # that can be compared


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
            summary = site.summaries.ask(
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
            "line": sketch.incumbents(history, view.columns),
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
        live, _ = await run_sync(site.opened, study)
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
                "line": sketch.incumbents(history, view.columns),
                "stands": standing.stands(site, live, view),
                "best_word": standing.best_word(view),
                "words": best_so_far(history),
                "running": running[:20],
                "n_running": len(running),
                "latest": latest,
                "last": history[-8:][::-1],
                "failures": standing.failures(view),
                "kinds": OVERVIEW,
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
                rows = filters.rows_of(view, where, sort)
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
                sketch.drawn(
                    [sketch.curve(record, name, name)], sketch.across(view.history.problem), name
                )
                for name in metrics
            ]
            parent = history.find(record.parent) if record.parent else None
            again = [r for r in history.evaluations(record) if r is not record]
            return {
                "record": record,
                "place": {name: said for name, said in ran_on(record).items() if said},
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
                "files": {name: link(view, record, name) for name in record.attachments},
                "pictures": [name for name in record.attachments if is_picture(name)],
                "stopping": record.uid in view.stopping,
            }

        return study_page(request, study, "trial.html", make, "trials")

    @router.get("/studies/{study}/pictures")
    def pictures(request: Request, study: Segment) -> HTMLResponse:
        """All pictures of a study."""
        return study_page(
            request,
            study,
            "pictures.html",
            lambda *_: {"kinds": list(dict.fromkeys([*OVERVIEW, *plots.registry]))},
            "pictures",
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

    return router


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

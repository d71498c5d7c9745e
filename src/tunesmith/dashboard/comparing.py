"""The page on which studies, or trials of one, stand side by side."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from tunesmith._core.errors import SettingError
from tunesmith.analysis import compare_studies, compare_trials
from tunesmith.dashboard import sketch, standing
from tunesmith.dashboard.live import Live, View
from tunesmith.dashboard.site import Site
from tunesmith.study.progress import best_so_far

MANY = 8  # that can be compared


def routes(site: Site) -> APIRouter:
    """Return the route of the comparison."""
    router = APIRouter(default_response_class=HTMLResponse)
    hub = site.hub

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
                [sketch.curve(r, name, f"trial {r.number}") for r in records],
                sketch.across(view.history.problem),
                name,
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
            line = sketch.incumbents(view.history, view.columns)
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

    return router

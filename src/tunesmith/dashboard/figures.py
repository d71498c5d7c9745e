"""Pictures as Plotly's JSON, made once for each state of their study; pages and programs get the same."""

from typing import Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from tunesmith import plots
from tunesmith._core.errors import StudyError
from tunesmith.dashboard.asked import Segment
from tunesmith.dashboard.live import View
from tunesmith.dashboard.site import Site, finished, said
from tunesmith.plots.theme import template

PATIENCE_S: Final = 60.0


def routes(site: Site) -> APIRouter:
    """Return the routes of pictures."""
    router = APIRouter(default_response_class=JSONResponse)

    @router.get("/studies/{study}/pictures/{kind}.json", response_class=JSONResponse)
    def picture(study: Segment, kind: str) -> JSONResponse:
        """One picture as Plotly's JSON, without its template."""
        _, view = site.opened(study)
        return drawn_picture(site, view, kind)

    @router.get("/pictures/theme.json", response_class=JSONResponse)
    def theme() -> JSONResponse:
        """The templates of pictures, for light and dark grounds."""
        return JSONResponse({"light": template(dark=False), "dark": template(dark=True)})

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
    body, sentence = said(answer)
    if body is None:
        raise StudyError(sentence)
    headers = {} if answer.again_s is None else {"x-again-s": f"{answer.again_s:.1f}"}
    response = JSONResponse(None, headers=headers)
    response.body = body
    response.headers["content-length"] = str(len(body))
    return response

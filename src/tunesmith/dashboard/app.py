"""The application: routes, files, errors, and the guard around all of them."""

import gzip
import re
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from tunesmith._core.errors import (
    NotSupported,
    ResultError,
    SettingError,
    SpaceError,
    StorageError,
    StudyNotFound,
    TunesmithError,
)
from tunesmith._core.version import VERSION
from tunesmith.dashboard import api, attached, comparing, figures, forms, pages
from tunesmith.dashboard.guard import Access, Guard, plain_page
from tunesmith.dashboard.live import Hub
from tunesmith.dashboard.site import HERE, Site
from tunesmith.storage import Bundle, Storage

_STATUS: Final[tuple[tuple[type[TunesmithError], int], ...]] = (
    (StudyNotFound, 404),
    (SpaceError, 400),
    (SettingError, 400),
    (ResultError, 400),
    (NotSupported, 400),
    (StorageError, 503),
)


def application(storage: Storage, access: Access) -> FastAPI:
    """Return the dashboard of a storage, as an ASGI application.

    Args:
        storage: Where the studies are kept.
        access: Who may do what; a storage that nobody can write is only read.
    """
    if isinstance(storage, Bundle) and not access.read_only:
        access = Access(access.host, access.token, access.names, read_only=True)
    site = Site(Hub(storage), access, needless=_needless_style())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        site.backroom.close()
        site.summaries.close()

    app = FastAPI(
        title="Tunesmith",
        version=VERSION,
        description="Studies of one storage: how they stand, what was tried, notes, and what is to be tried next.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    for part in (pages, comparing, figures, attached, forms):
        app.include_router(part.routes(site), tags=["pages"])
    app.include_router(api.routes(site), prefix="/api", tags=["api"])

    @app.get("/login", include_in_schema=False)
    @app.post("/login", include_in_schema=False)
    def login() -> Response:
        """Ask for the token; who has it is let in by the guard."""
        return Response(site.render("login.html"), media_type="text/html")

    @app.get("/static/plotly.js", include_in_schema=False)
    def plotly(request: Request) -> Response:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"cache-control": "max-age=86400", "vary": "accept-encoding"}
        if packed:
            headers["content-encoding"] = "gzip"
        return Response(_plotly(packed=packed), media_type="text/javascript", headers=headers)

    app.mount("/static", StaticFiles(directory=HERE / "static"))
    _errors(app, site)
    app.add_middleware(Guard, access=access)
    return app


@cache
def _needless_style() -> str:
    """The id under which Plotly would put a style for maps into the page, unless it finds one there."""
    found = re.search(rb'getElementById\("([0-9a-f]{64})"\)', _plotly(packed=False))
    return "none" if found is None else found[1].decode()


@cache
def _plotly(*, packed: bool) -> bytes:
    """The library that draws, from the installed package."""
    script = files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return gzip.compress(script, 6) if packed else script


def _errors(app: FastAPI, site: Site) -> None:
    """Answer every error with one sentence."""

    def said(request: Request, status: int, sentence: str) -> Response:
        if request.url.path.startswith(("/api/", "/static/")) or request.url.path.endswith(".json"):
            return JSONResponse({"detail": sentence}, status)
        try:
            text = site.render("error.html", sentence=sentence, status=status)
        except Exception:  # noqa: BLE001 - an error in the page of errors
            return plain_page(status, sentence)
        return Response(text, status, media_type="text/html")

    @app.exception_handler(TunesmithError)
    async def _(request: Request, error: TunesmithError) -> Response:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 409)
        return said(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> Response:
        first: Any = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the request"
        return said(request, 422, f"{where}: {first['msg'].lower()}")

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        sentence = "there is no such page here" if error.status_code == 404 else str(error.detail)
        response = said(request, error.status_code, sentence)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        traceback.print_exception(error, file=sys.stderr)
        return said(
            request, 500, "something went wrong here; the terminal of the dashboard says what"
        )

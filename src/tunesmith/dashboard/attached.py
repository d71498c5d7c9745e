"""What was attached to a trial: pictures and text are shown, everything else is only handed out.

Whoever runs a trial attaches what he likes, and it is served from the address of our own pages: so nothing of it is ever
sent as a kind that a browser would run, such as HTML or SVG, whatever its name says.
"""

from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse, Response

from tunesmith._core.errors import StudyNotFound
from tunesmith.dashboard.asked import Number, Segment
from tunesmith.dashboard.live import View
from tunesmith.dashboard.site import Site, url
from tunesmith.records import Record

PICTURES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
TEXTS: Final = (".txt", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".md")
MOST: Final = 1000  # files of a folder that are listed

Name = Annotated[str, Query(max_length=255)]
File = Annotated[str, Query(max_length=4096)]


def link(view: View, record: Record[Any], name: str, file: str = "") -> str:
    """Return the address of what was attached by a name, or of a file in it."""
    asked = {"name": name, **({"file": file} if file else {})}
    return f"{url(view.name, 'trials', record.number, 'attached')}?{urlencode(asked)}"


def is_picture(name: str) -> bool:
    """Return whether a page may show it, by what its name says."""
    return Path(name).suffix.lower() in PICTURES


def routes(site: Site) -> APIRouter:
    """Return the routes of what was attached."""
    router = APIRouter()

    @router.get("/studies/{study}/trials/{number}/attached", response_class=Response)
    def attached(study: Segment, number: Number, name: Name, file: File = "") -> Response:
        """Hand out a file that was attached, or a page of those in a folder."""
        live, view = site.opened(study)
        record = site.trial(view, number)
        if name not in record.attachments:
            raise StudyNotFound(f"nothing was attached to trial {number} as {name!r}")
        path = record.attachments[name]
        if path.is_file():
            return handed_out(path)
        inside = {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*"))}
        files = {there: one for there, one in inside.items() if one.is_file()}
        if not file:
            some = [
                (there, link(view, record, name, there), one.stat().st_size)
                for there, one in [*files.items()][:MOST]
            ]
            shown = {"record": record, "name": name, "files": some, "n": len(files)}
            seen = live.changes.version(view.position)
            return HTMLResponse(
                site.render("attached.html", view=view, tab="trials", seen=seen, **shown)
            )
        if file not in files:  # so no path leads out of the folder
            raise StudyNotFound(f"{name!r} of trial {number} has no file {file!r}")
        return handed_out(files[file])

    return router


def handed_out(path: Path) -> FileResponse:
    """Return a file as what it may be shown as, else to be kept by whoever asks."""
    suffix = path.suffix.lower()
    kind = PICTURES.get(suffix, "text/plain" if suffix in TEXTS else "application/octet-stream")
    shown = suffix in PICTURES or suffix in TEXTS
    return FileResponse(
        path,
        media_type=kind,
        filename=path.name.encode("utf-8", "backslashreplace").decode(),
        content_disposition_type="inline" if shown else "attachment",
    )

"""The forms of the pages: what they send becomes events, and leads back to a page."""

from typing import Any, Literal
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from tunesmith._core.errors import SettingError
from tunesmith.dashboard import verbs
from tunesmith.dashboard.asked import Segment
from tunesmith.dashboard.live import View
from tunesmith.dashboard.site import Site, url
from tunesmith.records import Record


def routes(site: Site) -> APIRouter:
    """Return the routes of all forms."""
    router = APIRouter()

    def named(view: View, number: str) -> Record[Any] | None:
        """The trial that a field names; None: it is empty."""
        return site.trial(view, whole(number)) if number else None

    @router.post("/studies/{study}/notes")
    async def add_note(request: Request, study: Segment) -> RedirectResponse:
        """Keep a note on the study, or on a trial (`trial`)."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            record = named(view, form.get("trial", ""))
            tags = form.get("tags", "").split(",")
            verbs.note(live, record, form.get("text", ""), tags, form.get("who", ""))
            return url(view.name, *(("trials", record.number) if record else ("notes",)))

        return RedirectResponse(await run_sync(work), 303)

    @router.post("/studies/{study}/commands")
    async def give_command(request: Request, study: Segment) -> RedirectResponse:
        """Pause the study or go on with it, stop its runs, or stop a trial (`trial`)."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            record = named(view, form.get("trial", ""))
            verbs.command(live, command_of(form.get("command", "")), record, form.get("who", ""))
            return url(view.name, *(("trials", record.number) if record else ()))

        return RedirectResponse(await run_sync(work), 303)

    @router.post("/studies/{study}/enqueue")
    async def enqueue(request: Request, study: Segment) -> RedirectResponse:
        """Have a configuration tried next: fields `p:<path>`, `note`, `parent`."""
        form = await form_of(request)

        def work() -> str:
            live, view = site.opened(study)
            given = {k.removeprefix("p:"): v for k, v in form.items() if k.startswith("p:")}
            params = verbs.typed(view.history.problem.space.parameters, given)
            parent = named(view, form.get("parent", ""))
            if form.get("same") and parent is not None:
                params = dict(parent.logged)
            verbs.enqueue(live, view, params, form.get("note", ""), parent, form.get("who", ""))
            return url(view.name)

        return RedirectResponse(await run_sync(work), 303)

    return router


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent.

    Raises:
        SettingError: It has more than any of ours.
    """
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=2000))
    except ValueError:
        raise SettingError("a form has at most 2,000 fields") from None


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

"""What all routes share: the open studies, the templates, and pages that are made once for all who look."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tunesmith._core.errors import StudyNotFound, TunesmithError
from tunesmith.dashboard import markdown, naming, sketch, texts
from tunesmith.dashboard.backroom import Answer, Backroom
from tunesmith.dashboard.guard import Access
from tunesmith.dashboard.live import Hub, Live, View
from tunesmith.records import Record

HERE: Final = Path(__file__).parent
MOST: Final = 200  # pages that are kept


@final
class Site:
    """The dashboard of one storage.

    Args:
        hub: Its studies.
        access: Who may do what.
        needless: The id of a style that Plotly shall find in the page, and not put there itself.
    """

    def __init__(self, hub: Hub, access: Access, needless: str) -> None:
        self.hub = hub
        self.access = access
        self.backroom = Backroom()
        self.summaries = Backroom(math.inf)  # small, and the list of studies needs all of them
        self._lock = threading.Lock()
        self._pages: OrderedDict[Hashable, Future[bytes]] = OrderedDict()
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(texts.FILTERS, markdown=markdown.rendered)
        self._templates.globals.update(
            url=url,
            access=access,
            spark=sketch.spark,
            drawn=sketch.drawn,
            hub=hub,
            needless=needless,
        )

    def opened(self, segment: str) -> tuple[Live, View]:
        """Return the study that a segment of a path names, as it is now.

        Raises:
            StudyNotFound: There is none.
        """
        name = naming.name_of(segment)
        view = self.hub.view(name)
        return self.hub.live(name), view

    def trial(self, view: View, number: int) -> Record[Any]:
        """Return a trial.

        Raises:
            StudyNotFound: There is none of this number.
        """
        if not 0 <= number < len(view.history):
            raise StudyNotFound(
                f"there is no trial {number}; {view.name!r} has {len(view.history)}"
            )
        return view.history[number]

    def page(
        self, request: Request, version: Hashable, template: str, make: Callable[[], dict[str, Any]]
    ) -> HTMLResponse:
        """Return a page, made once for all who ask for it at this version.

        Args:
            request: Who asks; pages know nothing of him but the address.
            version: Of what the page shows.
            template: Its template.
            make: Returns what the template needs.
        """
        key = request.url.path, request.url.query, version
        with self._lock:
            future = self._pages.get(key)
            mine = future is None
            if future is None:
                future = self._pages[key] = Future()
                while len(self._pages) > MOST:
                    self._pages.popitem(last=False)
        if mine:
            try:
                future.set_result(self.render(template, version=version, **make()).encode())
            except Exception as error:
                future.set_exception(error)
                with self._lock:
                    self._pages.pop(key, None)
                raise
        return HTMLResponse(future.result())

    def render(self, template: str, **context: Any) -> str:
        """Return a template as text."""
        return self._templates.get_template(template).render(**context)

    def answer(self, live: Live, view: View, what: str, work: Callable[[], Any]) -> Answer:
        """Return what is known of a question that takes long; open pages hear when there is more.

        Args:
            live: The study.
            view: It as it is now.
            what: The question.
            work: Answers it.
        """
        return self.backroom.ask(
            (view.name, view.created, what), finished(view), work, live.changes.nudge
        )


def finished(view: View) -> int:
    """Return what the answers to most questions depend on: how many trials have finished."""
    return view.history.count("complete", "stopped", "failed")


def said(answer: Answer) -> tuple[Any, str]:
    """Return what came out, or None, and a sentence in its place."""
    if answer.made is None:
        return None, "computing …"
    error = answer.made.exception()
    if error is None:
        return answer.made.result(), ""
    if isinstance(error, TunesmithError):
        return None, str(error)
    return None, f"this could not be computed ({type(error).__name__})"


def url(name: str, *parts: object) -> str:
    """Return the path of a study's page."""
    return "/".join(["/studies", naming.slug(name), *map(str, parts)])

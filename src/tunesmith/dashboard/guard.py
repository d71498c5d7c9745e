"""Who may do what: asked once for each request, before anything else sees it.

Host names keep a page of somebody else from reaching us under a name of its own (DNS rebinding). A token, where
there is one, says who may read. Whatever writes must come from a page of ours: same origin, and with a word
that only our pages know, or with the token itself.
"""

import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Final, final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunesmith._core.errors import SettingError

COOKIE: Final = "tunesmith"
LONGEST: Final = 64 * 1024  # bytes of a body
SHORTEST: Final = 16  # characters of a token
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
OPEN: Final = ("/login", "/static/")  # what may be seen without a token
SAFE: Final = ("GET", "HEAD")

EMPTY: Final = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"  # a style that Plotly fills by script
)
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {EMPTY}",
        "style-src-attr 'unsafe-inline'",  # which Plotly's colour bars write; no template of ours does
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without, browsers say that our own forms come from nowhere
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def is_local(host: str) -> bool:
    """Return whether only this machine reaches a server that listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@final
@dataclass(frozen=True)
class Access:
    """Who may do what.

    Args:
        host: Where the server listens.
        token: What whoever comes must know; None: nothing, which only a local host allows.
        names: Further host names under which it may be asked for, such as that of a proxy.
        read_only: Whether nothing is written.

    Attributes:
        csrf: The word that our pages know.
        boot: What tells this server from the one before.

    Raises:
        SettingError: Other machines would reach it without a token, or the token is too short.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    names: tuple[str, ...] = ()
    read_only: bool = False
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    boot: str = field(default_factory=lambda: secrets.token_hex(4), repr=False)

    def __post_init__(self) -> None:
        if self.token is None and not is_local(self.host):
            raise SettingError(
                f"host={self.host!r} is reached from other machines, so the dashboard needs a token"
            )
        if not is_local(self.host):
            _own_names()  # now, and not while others wait for their pages
        if self.token is not None and (len(self.token) < SHORTEST or not self.token.isascii()):
            raise SettingError(
                f"a token has at least {SHORTEST} characters, all of them ASCII; left out, one is made"
            )

    @property
    def cookie(self) -> str:
        """The name of that cookie: browsers know no ports, and several dashboards one by another token."""
        return f"{COOKIE}-{hmac.new((self.token or '').encode(), b'name', sha256).hexdigest()[:8]}"

    @property
    def session(self) -> str:
        """What the cookie of who knows the token holds."""
        return hmac.new((self.token or "").encode(), b"session", sha256).hexdigest()

    def knows(self, token: str) -> bool:
        """Return whether this is the token."""
        return self.token is not None and hmac.compare_digest(token.encode(), self.token.encode())

    def allows_host(self, header: str) -> bool:
        """Return whether the server may be asked for under this `Host`."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:
            return False
        if name in LOCAL or name in (self.host.lower(), *(one.lower() for one in self.names)):
            return True
        if is_local(self.host):
            return False
        try:  # an address cannot be made to mean another machine
            ipaddress.ip_address(name)
        except ValueError:
            return name in _own_names()
        return True

    def may_read(self, headers: Headers) -> bool:
        """Return whether whoever asks may see anything."""
        return self.token is None or self.bears(headers) or self._has_session(headers)

    def bears(self, headers: Headers) -> bool:
        """Return whether the request itself carries the token."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.knows(token.strip())

    def _has_session(self, headers: Headers) -> bool:
        # as browsers send them: what other servers of this host have set may look like anything
        found = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        return hmac.compare_digest(found.encode(), self.session.encode())

    def is_ours(self, headers: Headers) -> bool:
        """Return whether a request comes from where its server is, as far as the browser says."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get("origin")
        if origin is None:
            return True
        try:
            return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
        except ValueError:
            return False

    def has_word(self, headers: Headers, body: bytes) -> bool:
        """Return whether a request has the word that our pages know, in its head or its form."""
        words = [headers.get("x-csrf-token", "")]
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            words += fields(body, 2000).get("csrf", [])
        return any(hmac.compare_digest(word.encode(), self.csrf.encode()) for word in words)


def fields(body: bytes, most: int) -> dict[str, list[str]]:
    """Return the fields of a form or of a query; none if there are more than `most`."""
    try:
        return parse_qs(body.decode("latin-1"), max_num_fields=most)
    except ValueError:
        return {}


@cache  # who asks may wait for a name server
def _own_names() -> Iterable[str]:
    return socket.gethostname().lower(), socket.getfqdn().lower()


@final
class Guard:
    """Lets through what may pass, and gives each answer its headers.

    Args:
        app: What is guarded.
        access: Who may do what.
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                kept = "no-cache" if scope["path"].startswith("/static/") else "no-store"
                headers.setdefault("cache-control", kept)
            await send(message)

        body = b""
        refusal = self._refusal(scope)
        if refusal is None and scope["method"] not in SAFE:
            body, whole = await _read(receive)
            refusal = self._refused_write(scope, body) if whole else _said(
                scope, 413, f"a request has at most {LONGEST:,} bytes"
            )  # fmt: skip
        if refusal is None and scope["path"] == "/login":
            refusal = self._login(scope, body)
        if refusal is not None:
            await refusal(scope, receive, dressed)
            return
        if scope["method"] not in SAFE:
            await self._app(scope, _replayed(body, receive), dressed)
        else:
            await self._app(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, access = Headers(scope=scope), self._access
        host = headers.get("host", "")
        if not access.allows_host(host):
            return _said(
                scope,
                421,
                f"this dashboard is not known as {host!r}; if it should be, start it with --allow-host",
            )
        if not scope["path"].startswith(OPEN) and not access.may_read(headers):
            if scope["path"].startswith("/api/") or scope["method"] not in SAFE:
                return _said(scope, 401, "this dashboard needs its token, as Authorization: Bearer")
            return RedirectResponse("/login", 303)
        return None

    def _refused_write(self, scope: Scope, body: bytes) -> Response | None:
        headers, access = Headers(scope=scope), self._access
        if scope["path"] == "/login":
            if not access.is_ours(headers):
                return _said(scope, 403, "a page of another site asked for this; nothing was done")
            return None
        if access.read_only:
            return _said(scope, 403, "this dashboard only reads; nothing was done")
        if access.bears(headers):
            return None
        if not access.is_ours(headers):
            return _said(scope, 403, "a page of another site asked for this; nothing was done")
        if not access.has_word(headers, body):
            return _said(
                scope,
                403,
                "this page is older than the server, or no page of it; reload it, nothing was done",
            )
        return None

    def _login(self, scope: Scope, body: bytes) -> Response | None:
        """Let in who knows the token: a small page leads on, since a cookie of ours goes only with own links."""
        given = scope["query_string"] if scope["method"] in SAFE else body
        (token,) = fields(given, 50).get("token", [""])[:1]
        if not token:
            return None
        if not self._access.knows(token):
            return _said(scope, 401, "this is not the token that the dashboard printed")
        response = HTMLResponse(
            '<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url=/">'
            '<title>Tunesmith</title><p><a href="/">Go on</a></html>'
        )
        secure = Request(scope).url.scheme == "https"
        response.set_cookie(
            self._access.cookie,
            self._access.session,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """The body of a request, and whether that is all of it."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return body, True
        body += message.get("body", b"")
        if len(body) > LONGEST:
            return b"", False
        if not message.get("more_body", False):
            return body, True


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _said(scope: Scope, status: int, sentence: str) -> Response:
    """One sentence, as JSON where programs ask."""
    if scope["path"].startswith("/api/"):
        return JSONResponse({"detail": sentence}, status)
    return plain_page(status, sentence)


def plain_page(status: int, sentence: str) -> HTMLResponse:
    """Return a page of one sentence."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Tunesmith</title><p>{_escaped(sentence)}</p>"
        '<p><a href="/">All studies</a></p></html>',
        status,
    )


def _escaped(text: str) -> str:
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(raw, safe)
    return text


def as_json(data: object) -> str:
    """Return data as JSON that may stand inside HTML."""
    return json.dumps(data).replace("<", "\\u003c")

"""The server: one process, one storage, until it is interrupted."""

import socket
import sys
from urllib.parse import quote

import uvicorn

from tunesmith._core.errors import StorageError
from tunesmith.dashboard.app import application
from tunesmith.dashboard.guard import Access
from tunesmith.storage import Storage


def address(access: Access, port: int) -> str:
    """Return the link under which the dashboard is opened, with the token where there is one."""
    host = socket.gethostname() if access.host in ("0.0.0.0", "::") else access.host  # noqa: S104 - compared
    start = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    return start if access.token is None else f"{start}login?token={quote(access.token, safe='')}"


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        StorageError: Somebody else listens there, or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except (OSError, OverflowError) as error:
        taken.close()
        raise StorageError(
            f"nothing can listen on {host}:{port} ({error}); --port names another, 0 takes a free one"
        ) from None
    taken.listen()
    return taken


def serve(storage: Storage, access: Access, taken: socket.socket) -> None:
    """Serve until the process is told to leave."""
    config = uvicorn.Config(
        application(storage, access),
        log_level="critical",  # what goes wrong is printed by ourselves
        access_log=False,  # a link with a token would stand there
        server_header=False,
        timeout_graceful_shutdown=1,  # pages that listen to events do not hang up by themselves
        limit_concurrency=1000,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = uvicorn.Server(config)
    server.run(sockets=[taken])
    sys.stderr.flush()

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn

import tunesmith as ts
from tunesmith.dashboard import Access, application
from tunesmith.dashboard.server import listening
from tunesmith.storage import Memory, Storage

Serve = Callable[..., httpx.Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a storage on a port of its own; the client knows it by `127.0.0.1`."""
    begun: list[tuple[uvicorn.Server, threading.Thread, httpx.Client]] = []

    def start(storage: Storage, **access: Any) -> httpx.Client:
        taken = listening("127.0.0.1", 0)
        app = application(storage, Access(**access))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        client = httpx.Client(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", timeout=60)
        begun.append((server, thread, client))
        client.get("/static/icon.svg")  # it serves
        return client

    yield start
    for server, thread, client in begun:
        client.close()
        server.should_exit = True
        thread.join()


SPACE: dict[str, Any] = {
    "lr": ts.Float(1e-5, 1e-1, log=True, default=1e-3),
    "opt": ts.Choice({"sgd": {"momentum": ts.Float(0, 1)}, "adam": {}}),
    "layers": ts.List(ts.Int(8, 64), length=(1, 3)),
    "batch": ts.Categorical([16, 32], default=32),
    "warm": ts.Categorical([False, True], default=False),
}


def train(trial: ts.Trial[dict[str, Any]]) -> None:
    if trial.number in (3, 5):
        raise ValueError("out of <luck>")
    for epoch in trial.steps():
        trial.report(epoch, accuracy=0.5 + trial["lr"] * epoch, loss=1 / epoch)


@pytest.fixture
def storage() -> Memory:
    """A study `digits` of eight trials, two of which failed."""
    storage = Memory()
    study = ts.Study(
        SPACE, maximize="accuracy", name="digits", storage=storage, seed=3, scheduler=None,
        sampler=ts.samplers.Random(), resource=ts.Resource("epoch", max=4),
    )  # fmt: skip
    study.run(train, trials=6, progress=False)
    return storage


@pytest.fixture
def digits(storage: Memory) -> ts.Study[Any]:
    """The study of `storage`."""
    return ts.load(storage, "digits")

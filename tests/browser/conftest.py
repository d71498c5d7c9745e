import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import tunesmith as ts
from tunesmith.dashboard import Access, application
from tunesmith.dashboard.server import listening
from tunesmith.storage import Storage

Open = Callable[..., Page]

TRAINER = """
import math, random, sys
import tunesmith as ts

def train(trial):
    luck = random.Random(trial.seed)
    if luck.random() < 0.1:
        raise ValueError("out of luck")
    quality = 0.9 - 0.05 * abs(math.log10(trial["lr"]) + 2.5) + 0.03 * (trial["act"] == "gelu")
    for epoch in trial.steps():
        trial.report(epoch, accuracy=quality * (1 - math.exp(-epoch / 4)) + luck.gauss(0, 0.004))

study = ts.Study(
    {
        "lr": ts.Float(1e-5, 1e-1, log=True, default=1e-3),
        "act": ts.Categorical(["relu", "gelu", "silu"], default="relu"),
        "opt": ts.Choice({"sgd": {"momentum": ts.Float(0, 1)}, "adam": {}}),
        "layers": ts.List(ts.Int(8, 64), length=(1, 3)),
    },
    maximize="accuracy", name="digits", storage=sys.argv[1], seed=3, sampler=ts.samplers.TPE(),
    resource=ts.Resource("epoch", max=20),
)
study.run(train, trials=int(sys.argv[2]), progress=False)
"""


@pytest.fixture
def trainer(tmp_path: Path) -> Callable[[int], None]:
    """Runs the study `digits` to so many trials, in a process of its own."""
    (tmp_path / "trainer.py").write_text(TRAINER)

    def run(trials: int) -> None:
        command = [sys.executable, "trainer.py", "studies.db", str(trials)]
        subprocess.run(command, cwd=tmp_path, check=True)

    return run


@pytest.fixture
def storage(tmp_path: Path, trainer: Callable[[int], None]) -> Storage:
    """A file with the study `digits`."""
    trainer(60)
    return ts.storage.connect(tmp_path / "studies.db")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("there is no chromium; apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def served() -> Iterator[Callable[[Storage], str]]:
    """Serves a storage; returns where."""
    begun: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(storage: Storage) -> str:
        taken = listening("127.0.0.1", 0)
        config = uvicorn.Config(application(storage, Access()), log_level="critical", timeout_graceful_shutdown=1)  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
        thread.start()
        begun.append((server, thread))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"

    yield start
    for server, thread in begun:
        server.should_exit = True
        thread.join()


@pytest.fixture
def opened(browser: Browser, served: Callable[[Storage], str]) -> Iterator[Open]:
    """Opens a page of a served storage; the test fails if a script of it fails, or its policy is broken."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def start(
        storage: Storage | str, path: str = "/", width: int = 1440, scheme: Any = "light"
    ) -> Page:
        base = storage if isinstance(storage, str) else served(storage)
        context = browser.new_context(
            base_url=base, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        page.goto(path)
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Keeps a picture of a whole page in the folder `$TUNESMITH_SCREENSHOTS`, if it is set."""
    folder = os.environ.get("TUNESMITH_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            page.evaluate(
                "async () => { for (let y = 0; y < document.body.scrollHeight; y += 500) {"
                " scrollTo({ top: y, behavior: 'instant' }); await new Promise(requestAnimationFrame); }"
                " scrollTo({ top: 0, behavior: 'instant' }); }"
            )
            page.wait_for_load_state("networkidle") if not page.query_selector(
                "[data-events]"
            ) else None
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep

"""The pictures of docs/pictures.md, of a small study: writes SVG, which a browser on this machine draws.

python docs/pictures/make.py [chromium]
"""

import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from plotly.offline import get_plotlyjs

import tunesmith as ts
from tunesmith.plots import Plots, registry
from tunesmith.records import History

HERE = Path(__file__).parent
WIDTH = 760
_SOURCE = re.compile(r' data-(unformatted|math)="[^"]*"')
_PLACES = re.compile(r' (d|transform|x|y|width|height)="[^"]*"')
_DIGITS = re.compile(r"(\d+\.\d\d)\d+")  # hundredths of a pixel will do
SPACE = {
    "optimizer": ts.Choice(
        {
            "sgd": {
                "lr": ts.Float(1e-4, 1, log=True, default=0.01),
                "momentum": ts.Float(0, 0.99, default=0.0),
            },
            "adam": {"lr": ts.Float(1e-5, 0.1, log=True, default=1e-3)},
        },
        default="sgd",
    ),
    "batch_size": ts.Ordinal([16, 32, 64, 128], default=64),
    "weight_decay": ts.Float(1e-6, 0.1, log=True, default=1e-4),
    "dropout": ts.Float(0, 0.6, default=0.0),
    "layers": ts.Int(1, 6, default=2, role="model"),
}


def accuracy(params: Any) -> float:
    """What a training under these params comes to, without luck."""
    best = {"sgd": 0.08, "adam": 0.002}[params["optimizer"]]
    lr = params[f"optimizer.{params['optimizer']}.lr"] * (64 / params["batch_size"]) ** 0.5
    momentum = params.get("optimizer.sgd.momentum", 0.9)
    return float(
        0.955
        - 0.02 * np.log10(lr / best) ** 2
        - 0.03 * (momentum - 0.85) ** 2
        - 0.004 * (np.log10(params["weight_decay"]) + 4.3) ** 2
        - 0.15 * (params["dropout"] - 0.25) ** 2
        - 0.003 * (params["layers"] - 3.5) ** 2
        - 0.01 * (params["optimizer"] == "adam")
    )


def train(trial: Any) -> None:
    """A training of 27 epochs that is over in no time."""
    luck = np.random.default_rng(trial.seed)
    end = accuracy(dict(trial)) + luck.normal(0, 0.004)
    test = end - 0.01 + luck.normal(0, 0.004)
    speed = luck.uniform(2.5, 4)
    trial.resumable()
    for epoch in trial.steps():
        way = np.exp(-speed * epoch / 27)
        trial.report(
            epoch, accuracy=end - 0.4 * way + luck.normal(0, 0.002), test_accuracy=test - 0.4 * way
        )


def size(trial: Any) -> dict[str, float]:
    """What it comes to, and how long an answer of the model takes."""
    return {
        "accuracy": accuracy(dict(trial)),
        "latency_ms": 2.0 + trial["layers"] ** 1.5 + 6 * trial["dropout"],
    }


def population(trial: Any) -> None:
    """A training whose learning rate should fall."""
    folder = trial.checkpoint
    loss = [float((folder / "loss").read_text()) if folder else 3.0]
    trial.resumable(
        save=lambda place: (place / "loss").write_text(str(loss[0])), load=lambda _: None
    )
    for epoch in trial.steps():
        off = np.log10(trial["lr"] / (0.3 * 0.85**epoch))
        loss[0] *= 1 - 0.12 * np.exp(-(off**2))
        trial.report(epoch, loss=loss[0])


def histories() -> dict[str, History[Any]]:
    """Return the study of a training, one of two objectives, and a population."""
    epochs = ts.Resource("epoch", max=27)
    training = ts.Study(SPACE, maximize="accuracy", resource=epochs, seed=7)
    training.run(train, trials=120, progress=False)
    two = ts.Study(SPACE, maximize="accuracy", minimize="latency_ms", seed=7)
    two.run(size, trials=80, progress=False)
    changing = {"lr": ts.Float(1e-4, 1, log=True), "momentum": ts.Float(0, 0.99)}
    many = ts.Study(changing, minimize="loss", resource=ts.Resource("epoch", max=40), scheduler=ts.schedulers.PBT(interval=5), seed=3)  # fmt: skip
    many.run(population, trials=12, progress=False)
    return {"": training.history, "front": two.history, "hypervolume": two.history, "lineage": many.history, "schedules": many.history}  # fmt: skip


def drawn(figures: dict[str, Any], browser: str) -> dict[str, str]:
    """Return figures as SVG."""
    calls = "".join(
        f"draw({name!r}, {figure.update_layout(width=WIDTH).to_json()});"
        for name, figure in figures.items()
    )
    script = (
        "function draw(name, f) { const d = document.createElement('div'); document.body.append(d);"
        "Plotly.newPlot(d, f.data, f.layout).then(() => Plotly.toImage(d, {format: 'svg', width: f.layout.width, height: f.layout.height}))"
        ".then(url => { const p = document.createElement('pre'); p.id = name; p.textContent = decodeURIComponent(url.split(',').slice(1).join(',')); document.body.append(p); }); }"
    )
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(f"<script>{get_plotlyjs()}</script><body><script>{script}{calls}</script>")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--virtual-time-budget=60000",
            "--dump-dom",
            page.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.findall(r'<pre id="(\w+)">(.*?)</pre>', done.stdout, re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


def main(browser: str = "chromium") -> None:
    """Write all pictures."""
    known = histories()
    figures = {name: getattr(Plots(known.get(name, known[""])), name)() for name in registry}
    for name, svg in drawn(figures, browser).items():
        slim = _PLACES.sub(lambda found: _DIGITS.sub(r"\1", found[0]), _SOURCE.sub("", svg))
        (HERE / f"{name}.svg").write_text(slim)
        print(name, len(slim), figures[name].layout.title.text)


if __name__ == "__main__":
    main(*sys.argv[1:])

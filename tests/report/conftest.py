import random
from collections.abc import Callable
from typing import Any

import pytest

import tunesmith as ts

NASTY = "<script>alert(1)</script>\"'`|*_@here $x$ </script><img src=x onerror=alert(2)>"
Make = Callable[..., ts.Study[Any]]


@pytest.fixture(scope="session")
def make() -> Make:
    """Makes a study in memory with so many trials, told by a function of the params."""

    def made(
        space: dict[str, Any],
        value: Callable[[Any], Any],
        n: int = 20,
        **settings: Any,
    ) -> ts.Study[Any]:
        settings = {"minimize": "loss", "seed": 1, "sampler": ts.samplers.Random(), **settings}
        study: ts.Study[Any] = ts.Study(space, **settings)
        for trial in study.ask(n) if n else []:
            told = value(trial)
            if isinstance(told, str):
                study.fail(trial, told)
            else:
                study.tell(trial, told)
        return study

    return made


@pytest.fixture(scope="session")
def line(make: Make) -> ts.Study[Any]:
    """One parameter that matters, and one that does not."""
    luck = random.Random(1)
    space = {"x": ts.Float(0, 1, default=0.9), "idle": ts.Int(1, 5, default=2)}
    return make(space, lambda t: t["x"] + luck.gauss(0, 0.01), 24)


@pytest.fixture(scope="session")
def nasty(make: Make) -> ts.Study[Any]:
    """Names, labels and failures that are programs."""
    space = {NASTY: ts.Categorical([NASTY, "a|b\nc"]), "__proto__": ts.Float(0, 1)}

    def value(trial: Any) -> Any:
        return NASTY if trial.number == 3 else trial["__proto__"]

    return make(space, value, 20, minimize=NASTY, name=NASTY, storage=ts.storage.Memory())

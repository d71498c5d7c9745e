"""What type checkers infer in users' programs. Read by mypy and pyright, never run."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_type

import tunesmith as ts


@dataclass(frozen=True)
class Adam:
    lr: Annotated[float, ts.Float(1e-5, 1e-1, log=True)] = 1e-3


@dataclass(frozen=True)
class SGD:
    lr: Annotated[float, ts.Float(1e-4, 1.0, log=True)] = 1e-2


@dataclass(frozen=True)
class Params:
    optimizer: Adam | SGD = Adam()
    units: Annotated[int, ts.Int(32, 512, log=True)] = 128
    act: Literal["relu", "gelu"] = "relu"


def train(trial: ts.Trial[Params]) -> None:
    assert_type(trial.params.units, int)
    assert_type(trial.params.optimizer, Adam | SGD)
    for step in trial.steps():
        assert_type(step, int)


def loss(trial: ts.Trial[Params]) -> float:
    return 1 / trial.params.units


def fit(lr: Annotated[float, ts.Float(1e-5, 1e-1)] = 1e-3) -> float:
    return lr


# a dataclass
typed = ts.Study(
    Params, maximize="accuracy", resource=ts.Resource("epoch", max=3), name="s", seed=7
)
assert_type(typed, ts.Study[Params])
assert_type(typed.best.params.units, int)
assert_type(typed.best.params.act, Literal["relu", "gelu"])
assert_type(typed.ask(), ts.Trial[Params])
assert_type(typed.ask(4), list[ts.Trial[Params]])
assert_type(typed.history[0], ts.Record[Params])
assert_type(typed.history[1:], list[ts.Record[Params]])
assert_type([record.params.units for record in typed.history], list[int])
assert_type(typed.run(train, trials=100), ts.Study[Params])
assert_type(typed.front[0].params, Params)
typed.enqueue(Params(units=64))
typed.enqueue({"units": 64})

# an objective's annotation
annotated = ts.Study(loss, minimize="loss")
assert_type(annotated, ts.Study[Params])
assert_type(ts.minimize(loss, trials=5).best.params.units, int)
assert_type(ts.minimize(loss, Params, trials=5), ts.Study[Params])

# a dict
plain = ts.Study({"x": ts.Float(-10, 10)}, minimize=["loss", "latency"])
assert_type(plain, ts.Study[dict[str, Any]])
assert_type(
    ts.minimize(lambda t: (t["x"] - 2) ** 2, {"x": ts.Float(-10, 10)}, trials=50),
    ts.Study[dict[str, Any]],
)
trial = plain.ask()
assert_type(trial["x"], Any)
assert_type(dict(**trial), dict[str, Any])
assert_type(plain.tell(trial, loss=0.5, latency=3), ts.Record[dict[str, Any]])

# a signature
assert_type(ts.maximize(fit, trials=5), ts.Study[dict[str, Any]])
assert_type(ts.Study(fit, minimize="loss"), ts.Study[dict[str, Any]])

# a space
space = ts.Space(Params)
assert_type(space, ts.Space[Params])
assert_type(ts.Space({"x": ts.Float(0, 1)}), ts.Space[dict[str, Any]])
assert_type(space.fix(units=128), ts.Space[Params])
assert_type(ts.Study(space, minimize="loss"), ts.Study[Params])

# kept studies
assert_type(ts.load("tunesmith.db", "digits", space=Params), ts.Study[Params])
assert_type(ts.load("tunesmith.db", "digits").best.params, Any)
assert_type(ts.studies("tunesmith.db"), list[str])

# words of other tools, and misspellings, stay unknown
plain.optimize(loss)  # type: ignore[attr-defined]
trial.suggest_float("x", 0, 1)  # type: ignore[attr-defined]
ts.create_study()  # type: ignore[attr-defined]
ts.samplers.TPESampler()  # type: ignore[attr-defined]
plain.run(loss, n_trials=5)  # type: ignore[call-arg]
typed.best.params.unit  # type: ignore[attr-defined]  # noqa: B018

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import Importance


def tried(
    space: dict[str, Any] | ts.Space[Any],
    f: Callable[[Mapping[str, Any]], float],
    n: int,
    **more: Any,
) -> ts.Study[Any]:
    """A study of n random trials."""
    study = ts.Study(space, minimize="loss", seed=1, sampler=ts.samplers.Random(), **more)
    for trial in study.ask(n):
        study.tell(trial, f(trial.params))
    return study


def cube(d: int) -> dict[str, Any]:
    return {f"x{j}": ts.Float(0, 1) for j in range(d)}


def linear(p: Mapping[str, Any]) -> float:
    """Of independent terms, whose shares are those of the squares: 16, 4 and 1 of 21."""
    return float(4 * p["x0"] + 2 * p["x1"] + p["x2"])


def shares(found: Importance) -> dict[str, float]:
    return {effect.parameter: effect.share for effect in found.effects}


@pytest.mark.parametrize("n", [60, 600])
def test_shares_of_a_sum(n: int) -> None:
    """By few trials and by many: what each term has of the variance, and nothing together."""
    found = tried(cube(4), linear, n).importance()

    assert shares(found) == pytest.approx(
        {"x0": 16 / 21, "x1": 4 / 21, "x2": 1 / 21, "x3": 0.0}, abs=0.04
    )
    assert all(pair.share < 0.03 for pair in found.interactions)
    assert all(e.interval[0] <= e.share <= e.interval[1] for e in found.effects)
    assert found.explained > 0.9
    assert found.trials == n


def test_what_only_goes_together() -> None:
    """A product around 0: neither does anything by itself."""
    found = tried(cube(3), lambda p: (p["x0"] - 0.5) * (p["x1"] - 0.5), 120).importance()

    assert max(shares(found).values()) < 0.1
    assert found.interactions[0].parameters == ("x0", "x1")
    assert found.interactions[0].share > 0.8


@pytest.mark.parametrize("n", [80, 500])
def test_a_conditional_parameter_counts_where_it_is_active(n: int) -> None:
    """Half of the variance that it makes there, and what the branches differ by is their parent's."""
    space = {
        "kind": ts.Choice({"a": {"x": ts.Float(0, 1)}, "b": {"y": ts.Float(0, 1)}}),
        "z": ts.Float(0, 1),
    }

    def f(p: Mapping[str, Any]) -> float:
        return float(3 * p["kind.a.x"] if p["kind"] == "a" else 3 + 2 * p["kind.b.y"])

    found = shares(tried(space, f, n).importance())
    kind, x, y = 2.5**2 / 4, 9 / 12 / 2, 4 / 12 / 2
    total = kind + x + y

    assert found == pytest.approx(
        {"kind": kind / total, "kind.a.x": x / total, "kind.b.y": y / total, "z": 0.0}, abs=0.05
    )


def test_where_a_search_has_looked_does_not_matter() -> None:
    """Trials that crowd around the best of a parameter do not make it seem less important."""
    study = ts.Study(cube(3), minimize="loss", seed=1, sampler=ts.samplers.TPE())
    for _ in range(80):
        trial = study.ask()
        study.tell(trial, linear(trial.params))

    assert shares(study.importance())["x0"] == pytest.approx(16 / 21, abs=0.1)


def test_within_the_best() -> None:
    """What matters only among the good ones comes forward there: far off the other decides."""

    def f(p: Mapping[str, Any]) -> float:
        return float(10 * max(0.0, p["x0"] - 0.5) + p["x1"])

    study = tried(cube(3), f, 150)

    assert study.importance().effects[0].parameter == "x0"
    assert study.importance(within=0.3).effects[0].parameter == "x1"
    assert "within the best 30%" in str(study.importance(within=0.3))


def test_by_density() -> None:
    """What tells the best tenth apart, quickly; in the same order, and with intervals."""
    found = tried(cube(4), linear, 1000).importance(method="density")

    assert [effect.parameter for effect in found.effects[:2]] == ["x0", "x1"]
    assert found.interactions == ()
    assert found.effects[0].interval[0] > 0.1
    assert found.effects[-1].share < 0.02
    assert "what tells the best tenth by loss" in str(found)


@pytest.mark.parametrize("method, share", [("anova", 8 / 9), ("density", 0.22)])
def test_many_categories(method: Any, share: float) -> None:
    """Each of 60 labels is one of its own, near to none."""
    space = {"kind": ts.Categorical(list(range(60))), "x": ts.Float(0, 1)}
    found = tried(space, lambda p: p["kind"] % 3 + p["x"], 500).importance(method=method)

    assert shares(found)["kind"] == pytest.approx(share, abs=0.08)


def test_roles_are_summed() -> None:
    """The model's parameters, and those of the training."""
    space = {"width": ts.Float(0, 1, role="model"), "rate": ts.Float(0, 1), "decay": ts.Float(0, 1)}
    found = tried(space, lambda p: p["width"] + 2 * p["rate"], 60).importance()

    assert found.roles == pytest.approx({"algorithm": 0.8, "model": 0.2}, abs=0.05)


def test_what_is_not_explained_is_said() -> None:
    """Of nothing but luck: not to be relied on."""
    rng = np.random.default_rng(0)
    found = tried(cube(3), lambda _: float(rng.standard_normal()), 60).importance()

    assert found.explained < 0.3
    assert "do not rely on this" in str(found)


def test_it_says_what_it_is_of() -> None:
    """A line for each, those that do nothing in one."""
    text = str(tried(cube(6), linear, 100).importance())

    assert text.startswith("shares of the variance of loss over the space, by 100 configurations:")
    assert "  x0" in text
    assert "others: under 5%" in text


@pytest.mark.parametrize("method", ["anova", "density"])
def test_nothing_to_explain(method: Any) -> None:
    """All equal, and nothing that could differ: no parameter, no effect, no NaN."""
    flat = tried(cube(2), lambda _: 1.0, 12).importance(method=method)
    still = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for value in range(10):
        still.enqueue({"x": 0.5})
        still.tell(still.ask(), float(value))
    alike = still.importance(method=method)

    assert shares(flat) == {"x0": 0.0, "x1": 0.0}
    assert "no parameter shows an effect" in str(flat)
    assert shares(alike) == {"x": 0.0}


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_trials(n: int) -> None:
    """One sentence says that there are too few."""
    with pytest.raises(ts.NoTrials, match="completed"):
        tried(cube(3), linear, n).importance()


def test_what_cannot_be_asked() -> None:
    """Another method, another share, an objective that there is not."""
    study = tried(cube(2), lambda p: p["x0"], 10)

    with pytest.raises(ts.SettingError, match='"anova" or "density"'):
        study.importance(method="shap")  # type: ignore[arg-type]
    with pytest.raises(ts.SettingError, match="within is a share"):
        study.importance(within=0.0)
    with pytest.raises(ts.SettingError, match="there is no objective 'acc'; the study has loss"):
        study.importance("acc")


def test_one_of_several_objectives() -> None:
    """Each has its own; it must be named."""
    study = ts.Study(
        cube(2), minimize="loss", maximize="score", seed=1, sampler=ts.samplers.Random()
    )
    for trial in study.ask(60):
        study.tell(trial, loss=trial.params["x0"], score=trial.params["x1"])

    with pytest.raises(ts.SettingError, match=r"several objectives \(loss, score\)"):
        study.importance()
    assert study.importance("loss").effects[0].parameter == "x0"
    assert study.importance("score").effects[0].parameter == "x1"


def test_constraints_failures_and_all_kinds_of_parameters() -> None:
    """Only what the space allows counts; failed and running trials are left out; steps, logarithms, lists and labels are welcome."""
    space = ts.Space(
        {
            "low": ts.Float(0, 1, step=0.25),
            "high": ts.Float(0, 1),
            "n": ts.Int(1, 1000, log=True),
            "kind": ts.Categorical(["a", "b", "c"]),
            "size": ts.Ordinal([1, 2, 4]),
            "layers": ts.List(ts.Int(1, 8), length=(1, 3)),
        },
        constraints=["low <= high"],
    )
    study = ts.Study(space, maximize="score", seed=1, sampler=ts.samplers.Random())
    for trial in study.ask(90):
        if trial.number % 9 == 0:
            study.fail(trial, "out of memory")
        elif trial.number % 10:
            study.tell(trial, trial.params["high"] + (trial.params["kind"] == "b"))
    found = study.importance()

    assert {effect.parameter for effect in found.effects[:2]} == {"high", "kind"}
    assert set(shares(found)) == set(study.space.names)
    assert study.effects("layers.2")[0].active < 0.5


def test_what_ended_early_counts() -> None:
    """Trials that a scheduler stopped tell of the parameters, too."""
    study = ts.Study(
        cube(2), minimize="loss", resource=ts.Resource("epoch", max=9), seed=1,
        sampler=ts.samplers.Random(),
    )  # fmt: skip

    def train(trial: ts.Trial[Any]) -> None:
        for epoch in trial.steps():
            trial.report(epoch, loss=trial.params["x0"] + 1 / epoch)

    study.run(train, trials=40, progress=False)
    found = study.importance()

    assert found.trials == 40
    assert study.history.count("complete") < 20
    assert shares(found)["x0"] > 0.9


def test_the_same_log_says_the_same() -> None:
    """No luck is in it."""
    study = tried(cube(3), linear, 250)

    assert study.importance() == study.importance()

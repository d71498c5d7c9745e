import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.records import Limit, Objective, Problem
from tunesmith.samplers import GP, Random, Sampler
from tunesmith.space import Categorical, Choice, Float, Int, Space
from tunesmith.testing.samplers import LOSS, SPACES, Play

PLANE: Space[Any] = Space({"x": Float(0, 1), "y": Float(0, 1)})


def bowl(params: Any) -> float:
    """Least, 0, at (0.3, 0.8)."""
    return float((params["x"] - 0.3) ** 2 + (params["y"] - 0.8) ** 2)


def study_of(
    sampler: Sampler[Any],
    objective: Callable[[Any], Any],
    space: Space[Any] | dict[str, Any],
    trials: int,
    seed: int = 1,
    minimize: str | list[str] = "loss",
    subject_to: Sequence[str] = (),
) -> ts.Study[Any]:
    """A study after some trials, told by hand."""
    study: ts.Study[Any] = ts.Study(
        space, sampler=sampler, seed=seed, minimize=minimize, subject_to=subject_to
    )
    for _ in range(trials):
        trial = study.ask()
        try:
            study.tell(trial, objective(trial.params))
        except ts.Infeasible as error:
            study.fail(trial, error)
    return study


def test_a_bowl_is_found_in_few_trials() -> None:
    """After 20 trials the loss is a hundredth of what 20 random ones leave."""
    ours = study_of(GP(), bowl, PLANE, 20).best.value
    theirs = np.median(
        [study_of(Random(), bowl, PLANE, 20, seed=seed).best.value for seed in range(9)]
    )

    assert ours < 0.01 * theirs


def test_mixed_and_conditional() -> None:
    """The right branch and its best parameters are found, categories and integers included."""
    space = {
        "kind": Choice(
            {"bad": {"x": Float(0, 1)}, "good": {"x": Float(0, 1), "n": Int(1, 100, log=True)}}
        ),
        "mode": Categorical(["p", "q", "r"]),
    }

    def objective(params: Any) -> float:
        kind = params["kind"]
        loss = 1.0 if kind == "bad" else 0.1 * abs(np.log(params["kind.good.n"] / 10))
        x = params[f"kind.{kind}.x"]
        return float(loss + (x - 0.7) ** 2 + 0.5 * (params["mode"] != "q"))

    best = study_of(GP(), objective, space, 40).best

    assert best.logged["kind"] == "good"
    assert best.logged["mode"] == "q"
    assert best.value < 0.05


def test_failures_are_learned_from() -> None:
    """Where half of the space cannot be run, far fewer than half of the trials fail."""

    def objective(params: Any) -> float:
        if params["x"] > 0.5:
            raise ts.Infeasible
        return bowl(params)

    study = study_of(GP(), objective, PLANE, 30)

    assert study.history.count("failed") <= 8
    assert study.best.value < 1e-2


def test_limits_are_kept() -> None:
    """The best within the limit is approached, though outside of it things would be better."""

    def objective(params: Any) -> dict[str, float]:
        return {"loss": bowl(params), "cost": params["x"]}

    study = study_of(GP(), objective, PLANE, 30, subject_to=["cost <= 0.2"])

    assert study.best.values["cost"] <= 0.2
    assert study.best.value < 0.01 + 0.01


def test_several_objectives() -> None:
    """The front of two bowls is covered better than by random trials."""

    def objective(params: Any) -> dict[str, float]:
        x, y = params["x"], params["y"]
        return {"a": (x - 0.1) ** 2 + (y - 0.5) ** 2, "b": (x - 0.9) ** 2 + (y - 0.5) ** 2}

    def gap(sampler: Sampler[Any]) -> float:
        front = study_of(sampler, objective, PLANE, 30, minimize=["a", "b"]).front
        points = np.array([[r.values["a"], r.values["b"]] for r in front])
        ideal = np.array([[0.64 * t**2, 0.64 * (1 - t) ** 2] for t in np.linspace(0, 1, 11)])
        return float(np.mean([(points - one).max(axis=1).min() for one in ideal]))

    assert gap(GP()) < 0.75 * gap(Random())


def test_open_trials_repel() -> None:
    """Eight trials asked for at once, after a start, lie apart from one another."""
    play = Play(GP(), Problem(PLANE, LOSS))
    for _ in range(8):
        play.turn()

    units = PLANE.encode([s.params for s in play.ask(8)])

    distance = np.linalg.norm(units[:, None] - units[None], axis=-1) + 9 * np.eye(8)
    assert distance.min() > 0.005
    assert np.median(distance) > 0.2


def test_many_trials() -> None:
    """Beyond what one model takes in, suggestions are still valid and still good."""
    problem = Problem(PLANE, LOSS)
    play = Play(GP(), problem)
    for params in PLANE.sample(np.random.default_rng(0), 400):
        play.finish(play.start(params, source="queue"))

    [suggestion] = play.ask()

    assert suggestion.memo["by"] == "ucb"
    assert len(suggestion.memo["theta"]["objective"][1]) == 2 + 2 * 2 + 3


def test_what_was_fitted_travels_in_the_log() -> None:
    """Theta stands in the memo of the trials at which it was fitted, and there only."""
    study = study_of(GP(), bowl, PLANE, 30)

    fitted = [r.number for r in study.history if "theta" in r.memo]

    assert fitted[:3] == [3, 4, 5]
    assert len(fitted) < 20
    assert {r.memo["by"] for r in study.history if "theta" not in r.memo and r.memo} <= {
        "sobol",
        "ucb",
    }


def test_verify_recomputes_every_suggestion() -> None:
    """The log alone gives each suggestion again, to the last bit."""
    space = SPACES["conditional"]
    study = study_of(GP(), lambda params: float(params["depth"]) + len(params), space, 25)

    verification = study.verify()

    assert verification
    assert (verification.checked, verification.close) == (25, 0)


def test_nothing_is_suggested_twice() -> None:
    """On a finite space, all of which is bad, each configuration comes once."""
    space = {"a": Int(0, 4), "b": Categorical(["p", "q", "r"])}
    study = study_of(GP(), lambda params: 1.0, space, 15)

    assert len({tuple(r.logged.items()) for r in study.history}) == 15


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_losses(scale: float) -> None:
    """The unit of a loss does not matter, nor does a diverged trial among them."""

    def objective(params: Any) -> float:
        return float("nan") if params["y"] < 0.1 else scale * (1 + bowl(params))

    best = study_of(GP(), objective, PLANE, 20).best

    assert bowl(best.logged) < 0.01


THREADS = """
import sys
from threadpoolctl import threadpool_limits
import numpy as np, scipy.linalg
import tunesmith as ts
np.random.seed(int(sys.argv[1]))
with threadpool_limits(int(sys.argv[1])):
    study = ts.Study({f"x{i}": ts.Float(0, 1) for i in range(6)}, minimize="loss", seed=3,
                     sampler=ts.samplers.GP())
    for _ in range(30):
        trial = study.ask()
        study.tell(trial, sum(v**2 for v in trial.params.values()))
    print([r.logged for r in study.history])
"""


def test_depends_on_nothing_but_state_and_generator() -> None:
    """Other threads, another process and another global seed: the same trials to the last bit."""
    one, two = (
        subprocess.run(
            [sys.executable, "-c", THREADS, n], capture_output=True, text=True, check=True
        ).stdout
        for n in ("1", "2")
    )

    assert one == two
    assert one.count("x0") == 30


PAGES = """
import resource
import tunesmith as ts
study = ts.Study({f"x{i}": ts.Float(0, 1) for i in range(40)}, minimize="loss", seed=3,
                 sampler=ts.samplers.GP())
for i in range(12):
    if i == 8:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    trial = study.ask()
    study.tell(trial, sum(v**2 for v in trial.params.values()))
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 4)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory of another C library")
def test_memory_is_used_again() -> None:
    """One suggestion after the other gets by with the pages of the first, not with hundreds more."""
    run = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)

    assert int(run.stdout) < 100


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"first": -1}, r"GP\(first=\.\.\.\) is a whole number from 0 on, got -1"),
        ({"beta": -0.5}, r"GP\(beta=\.\.\.\) is a finite number from 0 on, got -0.5"),
        ({"beta": np.inf}, r"GP\(beta=\.\.\.\) is a finite number from 0 on, got inf"),
        ({"beta": "high"}, r"GP\(beta=\.\.\.\) is a number, got 'high'"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    """What came, what is allowed."""
    with pytest.raises(ts.SettingError, match=message):
        GP(**settings)


@pytest.mark.slow
def test_beats_random_on_problems_it_has_not_seen() -> None:
    """Sign test over 24 random functions: more than 20 wins have a chance below 2e-5."""
    wins = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        centre, weight = rng.random(5), rng.exponential(size=5)
        space = {f"x{i}": Float(0, 1) for i in range(5)}

        def objective(params: Any, c: Any = centre, w: Any = weight) -> float:
            u = np.array(list(params.values()))
            return float(w @ (u - c) ** 2 + 0.02 * np.sin(20 * u).sum())

        ours, theirs = (
            study_of(sampler, objective, space, 40, seed=seed).best.value
            for sampler in (GP(), Random())
        )
        wins += ours < theirs

    assert wins > 20


def test_objectives_are_seen_through_changing_weights() -> None:
    """Two suggestions of one batch look for different compromises."""
    problem = Problem(PLANE, (*LOSS, Objective("accuracy", "maximize")))
    play = Play(GP(), problem)
    for _ in range(12):
        play.turn()

    scores = [s.memo["score"] for s in play.ask(3)]

    assert len(set(scores)) == 3


def test_limits_that_nothing_measured_do_not_matter() -> None:
    """Until some trials have measured what is limited, there is no model of it."""
    problem = Problem(PLANE, LOSS, limits=(Limit.parse("absent <= 1"),))
    play = Play(GP(), problem)
    for _ in range(12):
        play.turn()

    [suggestion] = play.ask()

    assert suggestion.memo["by"] == "ucb"


def test_a_plain_is_searched_evenly() -> None:
    """Where all losses are equal there is nothing to model: a needle is found as by Sobol' points."""

    def needle(trial: ts.Trial[dict[str, Any]]) -> float:
        return float(abs(trial["x"] - 3) > 0.6 or abs(trial["y"] + 2) > 0.6)

    space = {"x": ts.Float(-5, 5), "y": ts.Float(-5, 5)}
    for seed in range(3):  # random points miss it in each with a chance of 3 %
        study = ts.minimize(
            needle, space, trials=240, seed=seed, sampler=ts.samplers.GP(), progress=False
        )
        assert study.best.value == 0


def test_trials_that_were_stopped_early_are_learned_from() -> None:
    """Also if none has ever completed."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=0, sampler=ts.samplers.GP())

    def train(trial: ts.Trial[dict[str, Any]]) -> None:
        study.stop(trial)
        trial.report(1, loss=(trial["x"] - 0.3) ** 2)

    study.run(train, trials=25, progress=False)

    assert {r.state for r in study.history} == {"stopped"}
    assert np.mean([abs(r.params["x"] - 0.3) for r in study.history[15:]]) < 0.15


def test_limits_that_are_met_exactly_or_never() -> None:
    """What lies on the edge counts on its side; what was never met is approached."""

    def run(limit: str, cost: Callable[[float, float], float]) -> ts.Study[dict[str, Any]]:
        study = ts.Study(
            {"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, minimize="loss", subject_to=[limit],
            seed=0, sampler=ts.samplers.GP(),
        )  # fmt: skip
        for _ in range(40):
            trial = study.ask()
            study.tell(trial, loss=trial["x"], cost=cost(trial["x"], trial["y"]))
        return study

    exact = run("cost < 1", lambda x, y: 1.0 if x < 0.75 else 1e10 * (x - 0.9))
    assert len(exact.history) == 40
    never = run("cost <= 1", lambda x, y: 5 + y)
    assert np.mean([r.params["y"] for r in never.history[20:]]) < 0.25


def test_memos_of_others_are_read_with_care() -> None:
    """What another sampler, or a later version, wrote under our names is left alone."""
    memos: list[dict[str, Any]] = [
        {"by": "ucb", "theta": {"objective": [3, [0.0, 0.0]]}},
        {"sobol": "x7", "theta": [1, 2], "accuracy": None},
        {"theta": {"objective": "none"}, "accuracy": "high"},
    ]

    @dataclass(frozen=True)
    class Stranger(ts.samplers.HistorySampler):
        """Writes what ours would read."""

        def propose(
            self, problem: Any, history: Any, rng: Any, n: int
        ) -> list[ts.samplers.Suggestion]:
            return [ts.samplers.Suggestion({"x": rng.random()}, memos[len(history) % 3])] * n

    storage = ts.storage.Memory()
    space = {"x": ts.Float(0, 1)}
    study = ts.Study(
        space, minimize="loss", seed=0, name="s", storage=storage, sampler=Stranger()
    ).run(lambda t: t["x"], trials=8, progress=False)
    study = ts.Study(space, minimize="loss", name="s", storage=storage, sampler=ts.samplers.Auto())
    study.run(lambda t: t["x"], trials=14, progress=False)

    assert study.history[-1].memo["model"] == "gp"
    assert study.best.value < 0.01

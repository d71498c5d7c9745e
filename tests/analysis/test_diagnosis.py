import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunesmith as ts
from tunesmith.analysis import Diagnosis, diagnose
from tunesmith.records import Failure, Objective, State
from tunesmith.space import Params, Space
from tunesmith.testing.curves import Curves, problem_of, recorded

STEPS = 40
T = np.arange(1, STEPS + 1)
PROBLEM = problem_of(STEPS)
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.005, (200, STEPS))


def one(
    curves: Curves,
    *,
    state: State = "complete",
    failure: Failure | None = None,
    problem: Any = None,
) -> set[str]:
    """The kinds of symptom of a single trial."""
    record = recorded(problem or PROBLEM, 0, curves, {"lr": 0.1}, state=state, failure=failure)
    return {symptom.kind for symptom in diagnose(record).symptoms.get(0, ())}


def falling(rate: float, number: int = 0) -> np.ndarray[Any, Any]:
    """A loss that comes down to 0.1 with noise."""
    return np.asarray(0.1 + np.exp(-T * rate) + NOISE[number])


def logistic(lr: float, seed: int, epochs: int = STEPS) -> dict[str, list[float]]:
    """Losses of logistic regression by stochastic gradient descent, in training and validation."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(300, 10)) * np.geomspace(0.1, 3, 10)
    y = np.sign(X @ rng.normal(size=10) + rng.normal(size=300))
    w, order = np.zeros(10), np.random.default_rng(seed)
    losses: dict[str, list[float]] = {"train_loss": [], "val_loss": []}
    for _ in range(epochs):
        for batch in np.array_split(order.permutation(150), 10):
            margin = np.clip(y[batch] * (X[batch] @ w), -50, 50)
            w += lr * (y[batch] / (1 + np.exp(margin))) @ X[batch] / len(batch)
        for name, part in (("train_loss", slice(0, 150)), ("val_loss", slice(150, 300))):
            losses[name].append(float(np.logaddexp(0, -y[part] * (X[part] @ w)).mean()))
    return losses


VALUES = st.floats() | st.sampled_from([0.0, 1.0, 1e308, -1e308, 5e-324])
STATES: list[State] = ["complete", "stopped", "failed", "running", "paused"]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(VALUES, VALUES), max_size=16),
            st.sampled_from(STATES),
            st.none() | st.floats(1e-6, 1e2),
        ),
        max_size=12,
    )
)
def test_whatever_was_reported_is_digested(
    rows: list[tuple[list[tuple[float, float]], State, float | None]],
) -> None:
    """No report, NaN, infinities, huge and constant values: no error, and no strength but a number."""
    records = [
        recorded(
            problem_of(16), number,
            {"val_loss": [a for a, _ in curve], "train_loss": [b for _, b in curve]},
            {} if lr is None else {"lr": lr}, state=state,
        )
        for number, (curve, state, lr) in enumerate(rows)
    ]  # fmt: skip
    found = diagnose(records)

    assert str(found)
    for wrong in found.symptoms.values():
        assert all(math.isfinite(symptom.strength) and symptom.text for symptom in wrong)


@pytest.fixture(scope="module")
def learning_rates() -> Diagnosis:
    """A study in which the learning rate alone differs by seven orders of magnitude."""
    records = [
        recorded(PROBLEM, number, logistic(float(lr), number), {"lr": float(lr)})
        for number, lr in enumerate(RNG.permutation(np.geomspace(1e-5, 1e2, 24)))
    ]
    return diagnose(records)


def test_a_healthy_curve_is_healthy() -> None:
    """It comes down, settles, and its training goes on a little."""
    assert not one({"val_loss": falling(0.25), "train_loss": falling(0.2, 1) - 0.05})


@pytest.mark.parametrize(
    "curve, kind",
    [
        (0.5 + 0.01 * T**2, "diverged"),
        (1 - 0.02 * T + NOISE[0], "too slow"),
        (0.1 + np.exp(-T / 13) + NOISE[0], "still improving"),
        (0.1 + np.exp(-T / 4) + np.where((T > 20) & (T < 23), 0.6, 0), "unstable"),
        (0.5 + np.exp(-T / 5) + 0.3 * (-1.0) ** T, "overshooting"),
    ],
)
def test_a_single_curve_tells(curve: np.ndarray[Any, Any], kind: str) -> None:
    """Each symptom on a curve that shows it plainly, and no other."""
    assert one({"val_loss": curve}) == {kind}


def test_whether_more_is_better() -> None:
    """A score that is maximised is judged as the loss that it mirrors."""
    problem = problem_of(STEPS, Objective("score", "maximize"))

    assert one({"score": 0.02 * T + NOISE[0]}, problem=problem) == {"too slow"}
    assert not one({"score": 0.9 - np.exp(-T / 4) + NOISE[0]}, problem=problem)


def test_a_trial_that_failed_as_diverged() -> None:
    """It is told at any number of reports, with what was said of it."""
    record = recorded(
        PROBLEM,
        0,
        {"val_loss": [3.0]},
        state="failed",
        failure=Failure("diverged", "val_loss is nan"),
    )
    [symptom] = diagnose(record).symptoms[0]

    assert (symptom.kind, symptom.strength) == ("diverged", 1.0)
    assert "nan" in symptom.text


def test_overfitting_needs_a_training_that_goes_on() -> None:
    """The same validation is overfitting where the training improves, and divergence where it does not."""
    valid = np.where(T < 12, 1.5 - 0.1 * T, 0.3 + 0.03 * (T - 12)) + NOISE[0]
    train = np.exp(-T / 10) + NOISE[1]

    assert one({"val_loss": valid, "train_loss": train}) == {"overfitting"}
    assert one({"val_loss": valid, "train_loss": valid - 0.1}) == {"diverged"}
    assert one({"val_loss": valid}) == {"overfitting"}
    [symptom] = diagnose(recorded(PROBLEM, 0, {"val_loss": valid})).symptoms[0]
    assert "report the training's, too" in symptom.text


@pytest.mark.parametrize("state", ["stopped", "paused", "running"])
def test_what_was_stopped_is_not_too_slow(state: State) -> None:
    """Nobody knows how it would have ended; nor of one that ended before the resource's end."""
    slow = 1 - 0.02 * T + NOISE[0]

    assert one({"val_loss": slow}, state=state) == set()
    assert one({"val_loss": slow[:20]}) == set()


def test_few_reports_say_nothing() -> None:
    """Below 12 no trend is judged, and the remark says so."""
    found = diagnose(recorded(problem_of(11), 0, {"val_loss": 1 - 0.09 * T[:11]}))

    assert not found
    assert not found.symptoms
    assert "fewer than 12 reports" in found.remark


def test_folds_are_no_curve() -> None:
    """Reports that are averaged have no order, so none is a trend."""
    found = diagnose(recorded(problem_of(STEPS, value="mean"), 0, {"val_loss": 1 - 0.02 * T}))

    assert not found.symptoms
    assert "folds" in found.remark


def test_metrics_that_are_left_out_of_reports() -> None:
    """A validation every third step is a curve of its own."""
    valid = np.where(T % 3 == 0, 1 - 0.02 * T, np.nan)

    assert one({"val_loss": valid, "train_loss": 1 - 0.021 * T}) == {"too slow"}


def test_learning_rates_that_are_too_low(learning_rates: Diagnosis) -> None:
    """Real descent: the slow ones are those with the lowest rates, which are to be raised."""
    slow = next(f for f in learning_rates.findings if f.kind == "too slow")
    [move, *_] = slow.moves

    assert (move.parameter, move.to) == ("lr", "raise")
    assert move.here < 1e-3 < move.elsewhere
    assert -1 <= move.low <= move.correlation <= move.high < -0.4
    assert "too low" in move.known


def test_learning_rates_that_are_too_high(learning_rates: Diagnosis) -> None:
    """Those bounce, and are to be lowered."""
    over = next(f for f in learning_rates.findings if f.kind == "overshooting")
    [move, *_] = over.moves

    assert (move.parameter, move.to) == ("lr", "lower")
    assert move.here > 1
    assert "explain learning_rate_init" in move.known


def test_underfitting_is_seen_beside_the_best() -> None:
    """What settles high in training, too, while others show what is possible; more units are needed."""
    space = Space({"units": ts.Int(1, 64), "flavour": ts.Categorical(["a", "b"])})
    problem = problem_of(STEPS, space=space)
    records = []
    for number in range(20):
        units = 1 + 3 * number
        floor = 0.8 if units < 15 else 0.1
        curve = floor + (1.5 - floor) * np.exp(-T / 4)
        curves = {
            "val_loss": curve + NOISE[number],
            "train_loss": curve - 0.02 + NOISE[50 + number],
        }
        records.append(
            recorded(problem, number, curves, {"units": units, "flavour": "ab"[number % 2]})
        )
    [finding] = diagnose(records).findings

    assert finding.kind == "underfitting"
    assert finding.trials == (0, 1, 2, 3, 4)
    assert [(move.parameter, move.to) for move in finding.moves] == [("units", "raise")]
    assert finding.strength == pytest.approx(0.5, abs=0.1)


def test_overfitting_without_curves() -> None:
    """Train and test scores alone: the better the fit, the worse the test, among those that fit best."""
    space = Space({"max_depth": ts.Int(1, 30)})
    problem = problem_of(1, Objective("test_score", "maximize"), space=space)
    records = [
        recorded(
            problem, depth,
            {"train_score": [1 - 0.5 / depth], "test_score": [0.9 - 0.01 * abs(depth - 8)]},
            {"max_depth": depth},
        )
        for depth in range(1, 25)
    ]  # fmt: skip
    records = [
        recorded(problem, 0, {"train_score": [0.4], "test_score": [0.4]}, {"max_depth": 1}),
        *records,
    ]
    [finding] = diagnose(records).findings

    assert finding.kind == "overfitting"
    assert min(finding.trials) > 8
    assert (finding.moves[0].parameter, finding.moves[0].to) == ("max_depth", "lower")


def test_a_choice_to_avoid() -> None:
    """Where a choice goes with the symptom, and nothing else does, the choice is named."""
    space = Space({"optimizer": ts.Categorical(["sgd", "adam"]), "x": ts.Float(0, 1)})
    problem = problem_of(STEPS, space=space)
    records = []
    for number in range(24):
        bad = number % 3 == 0
        params: Params = {"optimizer": "sgd" if bad else "adam", "x": (number * 7 % 24) / 24}
        curve = 0.5 + 0.01 * T**2 if bad else falling(0.25, number)
        records.append(recorded(problem, number, {"val_loss": curve}, params))
    [finding] = diagnose(records).findings

    assert [(move.parameter, move.to) for move in finding.moves] == [("optimizer", "avoid sgd")]


def test_what_is_known_stands_in_where_trials_do_not_tell() -> None:
    """All trials have it: the parameter that is known to cause it is named, as known and not as seen."""
    records = [
        recorded(
            PROBLEM, number, {"val_loss": 1 - 0.02 * T + NOISE[number]}, {"lr": 1e-4 * (number + 1)}
        )
        for number in range(6)
    ]
    [finding] = diagnose(records).findings
    [move] = finding.moves

    assert (move.parameter, move.to, move.seen) == ("lr", "raise", False)
    assert math.isnan(move.correlation)
    assert "not seen in these trials" in str(move)


def test_several_objectives_are_judged_each() -> None:
    """Each by its own curve; being behind in one of them is a choice, not underfitting."""
    problem = problem_of(STEPS, Objective("val_loss", "minimize"), Objective("ms", "minimize"))
    records = [
        recorded(
            problem, number, {"val_loss": 1 - 0.02 * T + NOISE[number], "ms": np.full(STEPS, 9.0 - number % 8)},
            {"lr": 0.1},
        )
        for number in range(12)
    ]  # fmt: skip

    assert [(f.kind, f.metric) for f in diagnose(records).findings] == [("too slow", "val_loss")]


def test_a_study_diagnoses_itself() -> None:
    """`study.diagnosis()` is `diagnose` of its history; of an empty one it says so."""
    study = ts.Study({"lr": ts.Float(1e-3, 1, log=True)}, minimize="loss", seed=1)
    assert study.diagnosis().remark == "there are no trials yet"
    trial = study.ask()
    for step in range(1, 21):
        trial.report(step, loss=1 - 0.04 * step)
    study.tell(trial)

    assert [finding.kind for finding in study.diagnosis().findings] == ["too slow"]
    assert "too slow: 1 of 1" in str(study.diagnosis())
    assert study.diagnosis()


def test_real_networks() -> None:
    """A network that learns wrong labels by heart overfits, one with tiny steps is too slow."""
    from sklearn.datasets import load_digits
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    X, y = load_digits(return_X_y=True)
    y = np.where(rng.random(len(y)) < 0.3, rng.integers(0, 10, len(y)), y)
    classes = np.arange(10)

    def train(lr: float) -> dict[str, list[float]]:
        model = MLPClassifier([32], learning_rate_init=lr, random_state=0)
        losses: dict[str, list[float]] = {"train_loss": [], "val_loss": []}
        for _ in range(20):
            model.partial_fit(X[:200] / 16, y[:200], classes=classes)
            for name, part in (("train_loss", slice(0, 200)), ("val_loss", slice(200, 400))):
                guess = model.predict_proba(X[part] / 16)
                losses[name].append(float(log_loss(y[part], guess, labels=classes)))
        return losses

    problem = problem_of(20)
    assert one(train(0.06), problem=problem) == {"overfitting"}
    assert one(train(1e-4), problem=problem) == {"too slow"}


def test_jumps_are_told_from_noise() -> None:
    """A step up of 0.6 is a jump in noise of 0.01; in noise of 0.15 it is one of many."""
    noise = NOISE[3] / 0.005
    curve = 0.1 + np.exp(-T / 4) + np.where(T == 20, 0.6, 0)

    assert one({"val_loss": curve + 0.01 * noise}) == {"unstable"}
    assert "unstable" not in one({"val_loss": curve + 0.15 * noise})


def test_bouncing_is_seen_beside_calm_trials() -> None:
    """What is much rougher than the good trials overshoots; where all are as rough, it is the measure."""
    noise = NOISE / 0.005
    calm = [0.1 + np.exp(-T / 4) + 0.01 * noise[n] for n in range(12)]
    rough = 0.3 + np.exp(-T / 4) + 0.2 * noise[20]
    alike = [0.1 + np.exp(-T / 4) + 0.2 * noise[n] for n in range(12)]

    def kinds(curves: list[np.ndarray[Any, Any]]) -> set[str]:
        records = [recorded(PROBLEM, n, {"val_loss": y}) for n, y in enumerate([*curves, rough])]
        return {symptom.kind for symptom in diagnose(records).symptoms.get(12, ())}

    assert kinds(calm) == {"overshooting"}
    assert kinds(alike) == set()


def test_a_trade_off_is_no_underfitting() -> None:
    """With one objective what hardly moves underfits; with two it may be good in the other."""
    two = problem_of(STEPS, Objective("val_loss", "minimize"), Objective("ms", "minimize"))
    curves = [1 + NOISE[0], *(falling(0.25, n) for n in range(1, 13))]

    def kinds(problem: Any) -> set[str]:
        records = [
            recorded(problem, n, {"val_loss": y, "ms": T * 0 + 5}) for n, y in enumerate(curves)
        ]
        return {symptom.kind for symptom in diagnose(records).symptoms.get(0, ())}

    assert kinds(PROBLEM) == {"underfitting"}
    assert kinds(two) == set()

from collections import Counter
from typing import Any

import msgspec
import numpy as np

import tunesmith as ts

X = {"x": ts.Float(0, 1), "y": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


def models(study: ts.Study[dict[str, Any]]) -> list[str]:
    return [r.memo.get("model", "") for r in study.history]


def noise(trial: T) -> float:
    return float(np.random.default_rng(trial.seed).random())


def bowl(trial: T) -> float:
    return float((trial["x"] - 0.3) ** 2 + (trial["y"] - 0.7) ** 2)


def test_it_is_the_default() -> None:
    """A study says so in its log."""
    study = ts.Study(X, minimize="loss")

    assert study.sampler == ts.samplers.Auto()


def test_a_landscape_that_is_foreseen_is_the_gaussian_process_own() -> None:
    """It proposes every trial, and is close to the optimum within 20."""
    study = ts.minimize(bowl, X, trials=30, seed=0, progress=False)

    assert Counter(models(study)) == {"": 1, "gp": 29}  # the baseline is nobody's
    assert min(r.value for r in study.history[:20]) < 1e-3


def test_noise_is_shared_with_the_parzen_estimator() -> None:
    """From 20 trials on, half of them, however many are asked for at a time; it says why."""
    study = ts.Study(X, minimize="loss", seed=0)
    while len(study.history) < 80:
        for trial in study.ask(4):
            study.tell(trial, noise(trial))

    assert set(models(study)[1:20]) == {"gp"}
    # 15 calls of 4, each TPE's with 1/2: fewer than 2 or more than 13 has a chance of 1e-3
    assert 8 <= Counter(models(study)[20:])["tpe"] <= 52
    reasons = {r.memo["why"] for r in study.history if r.memo.get("model") == "tpe"}
    assert all("the Gaussian process has an accuracy of" in reason for reason in reasons)


def test_the_fast_one_goes_on_where_suggestions_take_longer_than_trials() -> None:
    """As soon as they have taken 10 s in all; the same trials with quick suggestions change nothing."""
    study = ts.minimize(bowl, X, trials=12, seed=0, progress=False)
    sampler = ts.samplers.Auto()
    proposed = []
    for ask_s in (0.001, 2.0):
        heard = []
        for record in study.history:
            heard += [msgspec.structs.replace(record.begun(), ask_s=ask_s), record]
        state = sampler.tell(sampler.init(study.problem, np.random.default_rng(0)), heard)
        [suggestion] = sampler.ask(state, np.random.default_rng(0), 1)
        proposed.append((suggestion.memo["model"], suggestion.memo.get("why")))

    assert proposed == [("gp", None), ("tpe", "suggestions take longer than trials")]


def test_every_decision_of_many_workers_is_verified() -> None:
    """Whoever proposed: it follows from the log alone."""
    study = ts.Study(X, minimize="loss", seed=1)
    study.run(noise, trials=60, workers=4, progress=False)

    assert set(models(study)) == {"", "gp", "tpe"}
    verification = study.verify()
    assert verification, verification.difference

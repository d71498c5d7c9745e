from typing import Any

import tunesmith as ts
from tunesmith.analysis import Difference, compare_studies, compare_trials


def study_of(space: dict[str, ts.Float], **options: Any) -> ts.Study[dict[str, Any]]:
    study = ts.Study(space, seed=1, **options)
    return study.run(lambda trial: sum(trial.params.values()), trials=3, progress=False)


def test_two_studies_differ_in_space_problem_and_what_came_of_it() -> None:
    """What one lacks is None; what both have alike is left out."""
    a = study_of({"x": ts.Float(0, 1)}, minimize="loss")
    b = study_of({"x": ts.Float(0, 1), "y": ts.Float(0, 1)}, maximize="loss")
    found = {(one.part, one.name): (one.a, one.b) for one in compare_studies(a.history, b.history)}

    assert found["space", "y"] == (None, "Float(0.0, 1.0)")
    assert found["problem", "objective loss"] == ("minimize", "maximize")
    assert ("space", "x") not in found
    assert ("trials", "complete") not in found
    assert found["best", "loss"] == (a.best.value, b.best.value)


def test_a_study_differs_from_itself_in_nothing() -> None:
    """Whatever its settings."""
    study = study_of({"x": ts.Float(0, 1)}, minimize="loss")

    assert compare_studies(study.history, study.history, (study.settings, study.settings)) == []


def test_trials_differ_in_params_values_and_how_they_ended() -> None:
    """And in what they were run with, of which both say the same here."""
    study = study_of({"x": ts.Float(0, 1)}, minimize="loss")
    study.fail(study.ask(), "no luck")
    found = compare_trials(study.history[0], study.history[3])

    assert Difference("trial", "failure", None, "error") in found
    assert {one.part for one in found} == {"params", "values", "trial"}


def test_studies_without_trials_are_compared_all_the_same() -> None:
    """There is no best, and nothing is known of who ran them."""
    empty, one = (ts.Study({"x": ts.Float(0, high)}, minimize="loss", seed=1) for high in (1, 2))

    assert [d.name for d in compare_studies(empty.history, one.history)] == ["x"]

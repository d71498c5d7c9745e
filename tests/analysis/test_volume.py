from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.analysis import hypervolume


def study_of(rows: list[tuple[float, float]], **more: Any) -> ts.Study[dict[str, Any]]:
    """A loss that is minimised and a score that is maximised."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", maximize="score", seed=1, **more)
    for trial, (loss, score) in zip(study.ask(len(rows)), rows, strict=True):
        study.tell(trial, loss=loss, score=score)
    return study


def test_by_hand() -> None:
    """Of the box from (0, 10) to (1, 0): a half, then three quarters, then nothing more."""
    study = study_of([(0.0, 5.0), (0.5, 10.0), (0.9, 1.0)])
    found = study.hypervolume({"loss": 1.0, "score": 0.0})

    assert found.values == pytest.approx([0.5, 0.75, 0.75])
    assert found.volumes == pytest.approx([5.0, 7.5, 7.5])
    assert found.ideal == {"loss": 0.0, "score": 10.0}
    assert found.reference == {"loss": 1.0, "score": 0.0}
    assert (found.front, found.paid) == (2, 1)
    assert not found.error.any()


def test_the_reference_lies_a_tenth_beyond_the_front() -> None:
    """What is on no front does not move it; where all on the front are alike, the worst of all does."""
    far = study_of([(0.0, 0.0), (1.0, 10.0), (50.0, -70.0)]).hypervolume()
    single = study_of([(0.0, 10.0), (4.0, 2.0)]).hypervolume()

    assert far.reference == pytest.approx({"loss": 1.1, "score": -1.0})
    assert single.reference == {"loss": 4.0, "score": 2.0}
    assert single.values.tolist() == [1.0, 1.0]


def test_trials_count_in_the_order_in_which_they_ended() -> None:
    """What breaks a limit, fails or runs is not among them."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize=["a", "b"], subject_to=["ms <= 5"], seed=1)
    trials = study.ask(5)
    study.tell(trials[3], a=1.0, b=1.0, ms=1)
    study.tell(trials[0], a=0.0, b=2.0, ms=1)
    study.tell(trials[1], a=0.0, b=0.0, ms=9)
    study.fail(trials[2], ts.Infeasible("no"))
    found = study.hypervolume()

    assert found.trials.tolist() == [3, 0]
    assert (np.diff(found.values) >= 0).all()


def test_it_is_said_in_words() -> None:
    """How much, between what, and since when."""
    text = str(study_of([(0.0, 5.0), (0.5, 10.0), (0.9, 1.0)]).hypervolume({"loss": 1, "score": 0}))

    assert text == (
        "2 trials on the front cover 75.0% of what lies between the best of each (loss 0, score 10) and the reference "
        "(loss 1, score 0); trial 1 was the last to add to it"
    )


def test_what_cannot_be_is_refused() -> None:
    """One objective, no trial, another reference."""
    one = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    study = study_of([(0.0, 5.0)])

    with pytest.raises(ts.NotSupported, match=r"the study has loss; see \.best"):
        hypervolume(one.history)
    with pytest.raises(ts.NoTrials, match="no trial has completed"):
        study_of([]).hypervolume()
    with pytest.raises(ts.SettingError, match="a value for each of loss, score"):
        study.hypervolume({"loss": 1.0})
    with pytest.raises(ts.SettingError, match=r"score=7.0 is better than all trials"):
        study.hypervolume({"loss": 1.0, "score": 7.0})
    with pytest.raises(ts.SettingError, match="finite"):
        study.hypervolume({"loss": 1.0, "score": float("nan")})

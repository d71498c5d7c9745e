from typing import Any

import pytest

import tunesmith as ts
from tunesmith.analysis.remembering import remembered
from tunesmith.records import History

asked: list[str | None] = []


@remembered
def mean(history: History[Any], objective: str | None = None) -> float:
    asked.append(objective)
    return sum(record.value for record in history) / len(history)


@pytest.fixture
def study() -> ts.Study[Any]:
    asked.clear()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    for trial in study.ask(3):
        study.tell(trial, trial.number)
    return study


def test_the_same_question_is_answered_once(study: ts.Study[Any]) -> None:
    """However it is asked: by place, by name, or with the only objective left out."""
    found = {
        mean(study.history),
        mean(study.history, "loss"),
        mean(study.history, objective="loss"),
    }

    assert found == {1.0}
    assert len(asked) == 1


def test_a_history_that_grows_forgets(study: ts.Study[Any]) -> None:
    """After another trial the answer is another."""
    before = mean(study.history)
    study.tell(study.ask(), 9.0)

    assert (before, mean(study.history)) == (1.0, 3.0)

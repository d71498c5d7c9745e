from typing import Any

import tunesmith as ts
from tunesmith.dashboard import sketch
from tunesmith.dashboard.table import Rows


def line_of(study: ts.Study[dict[str, Any]]) -> list[float]:
    line = sketch.incumbents(study.history, Rows(study.problem).update(study.history))
    return [] if line is None else line.y.tolist()


def test_means_count_where_configurations_are_evaluated_repeatedly() -> None:
    """The line ends at the value that is said to be the best, which no lucky evaluation is."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1, replicates=2)
    for value in (1.0, 5.0, 2.0, 3.0):
        study.tell(study.ask(), value)

    assert study.best.value == 2.5
    assert line_of(study)[-1] == 2.5


def test_what_breaks_a_limit_is_not_the_best() -> None:
    """And where nothing keeps it there is no line."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1, subject_to=["ms <= 1"])
    study.tell(study.ask(), {"loss": 1.0, "ms": 2.0})
    assert line_of(study) == []
    study.tell(study.ask(), {"loss": 3.0, "ms": 0.5})
    assert line_of(study)[-1] == 3.0

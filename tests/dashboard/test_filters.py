import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tunesmith as ts
from tunesmith.dashboard.filters import kept
from tunesmith.dashboard.table import Rows, ordered


def numbers(study: ts.Study[Any], text: str, **tagged: set[int]) -> list[int]:
    """Which trials of a study a filter keeps."""
    columns = Rows(study.problem).update(study.history)
    found: list[int] = np.flatnonzero(kept(text, columns, tagged)).tolist()
    return found


@pytest.mark.parametrize(
    "text, keeps",
    [
        ("", lambda r: True),
        ('state == "failed"', lambda r: r.state == "failed"),
        ("lr > 0.001 and batch == 16", lambda r: r.params["lr"] > 0.001 and r.params["batch"] == 16),
        ("accuracy > 0.51 or number < 2", lambda r: r.values.get("accuracy", 0) > 0.51 or r.number < 2),
        ("accuracy < 10", lambda r: "accuracy" in r.values),
        ("not accuracy < 10", lambda r: False),
        ("number in [1, 4]", lambda r: r.number in (1, 4)),
        ("len(layers) == 2", lambda r: len(r.params["layers"]) == 2),
        ("layers[0] >= 20", lambda r: r.params["layers"][0] >= 20),
        ('opt == "sgd" and opt.sgd.momentum > 0.2', lambda r: r.logged.get("opt.sgd.momentum", 0) > 0.2),
        ("warm", lambda r: r.params["warm"]),
        ("warm == False and values.loss == 0.25", lambda r: not r.params["warm"] and r.values.get("loss") == 0.25),
        ('source == "default" or trial.step < 1', lambda r: r.source == "default" or not r.step),
        ("tags.odd", lambda r: r.number in (2, 3)),
        ("not tags.odd", lambda r: r.number not in (2, 3)),
    ],
)  # fmt: skip
def test_a_filter_keeps_what_it_says(digits: ts.Study[Any], text: str, keeps: Any) -> None:
    """Parameters, metrics, states and tags, in the language of the space's own conditions."""
    assert numbers(digits, text, odd={2, 3}) == [r.number for r in digits.history if keeps(r)]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("lrr > 1", "lrr is nothing that trials have; did you mean lr?"),
        ("tags.od", "no trial has the tag 'od'; did you mean 'odd'?"),
        ("lr = 1", "write == to compare"),
        ("lr > __import__('os')", "there is no function '__import__'"),
        ('state == "fail"', "'fail' in"),
        ("lr", "neither true nor false"),
        ("1 < 2", "mentions no parameter"),
        ("lr > " + "(" * 300 + "1" + ")" * 300, "cannot be read"),
    ],
)
def test_what_is_no_filter_is_refused_by_one_sentence(
    digits: ts.Study[Any], text: str, sentence: str
) -> None:
    """And the sentence says what is wrong."""
    with pytest.raises(ts.SpaceError) as caught:
        numbers(digits, text, odd={1})

    assert sentence in str(caught.value)


def test_names_that_meet_are_told_apart() -> None:
    """A parameter keeps its name; the metric and the trial's own are reached by their kind."""
    study = ts.Study({"state": ts.Int(0, 9), "loss": ts.Int(0, 9)}, minimize="loss", seed=1)
    study.run(lambda t: t["state"] + 10.0, trials=5, progress=False)
    columns = Rows(study.problem).update(study.history)

    assert numbers(study, "values.loss >= state + 10") == [0, 1, 2, 3, 4]
    assert numbers(study, 'trial.state == "complete" and loss < 10') == [0, 1, 2, 3, 4]
    assert {"state", "trial.state", "loss", "values.loss", "number"} <= set(columns)


def test_rows_are_sorted_with_those_without_a_value_last(digits: ts.Study[Any]) -> None:
    """Ascending and descending; failed trials, which have no accuracy, come last in both."""
    columns = Rows(digits.problem).update(digits.history)
    rows = np.arange(len(digits.history))
    values = {r.number: r.values.get("accuracy") for r in digits.history}
    done = sorted((v, n) for n, v in values.items() if v is not None)

    assert ordered(columns, rows, "accuracy").tolist()[:-2] == [n for _, n in done]
    assert ordered(columns, rows, "-accuracy").tolist()[-2:] == [3, 5]
    assert ordered(columns, rows, "nothing").tolist() == rows.tolist()


def test_columns_that_grow_with_the_log_are_those_made_at_once() -> None:
    """After every event they equal the columns of the whole history."""
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", seed=1)
    rows = Rows(study.problem)
    for trial in [*study.ask(3), *study.ask(300)]:
        if trial.number % 3 == 0:
            trial.report(1, loss=trial["x"], **{f"m{trial.number % 2}": 1.0})
        if trial.number % 50 == 0:
            grown = rows.update(study.history)
            fresh = Rows(study.problem).update(study.history)
            assert list(grown) == list(fresh)
            for key, column in fresh.items():
                np.testing.assert_array_equal(grown[key].values, column.values)
        if trial.number % 2 == 0:
            study.tell(trial, trial["x"])


def test_a_name_of_a_thousand_parts_is_refused(digits: ts.Study[Any]) -> None:
    """As any other that is not there."""
    with pytest.raises(ts.SpaceError, match="nothing that trials have"):
        numbers(digits, f"a{'.a' * 999}")


def test_a_name_that_is_said_often_costs_no_more_memory(digits: ts.Study[Any]) -> None:
    """A long filter over many trials takes a column for each name, not for each time that it stands there."""
    study = ts.Study({"a": ts.Float(0, 1)}, minimize="loss", seed=1)
    study.run(lambda t: t["a"], trials=3, progress=False)
    columns = {
        name: replace(column, values=np.resize(column.values, 50_000))
        for name, column in Rows(study.problem).update(study.history).items()
    }
    tracemalloc.start()
    kept(" or ".join(["a<0"] * 280), columns, {})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 80e6

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tunesmith as ts

X = {"x": ts.Float(-10, 10)}


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=1, **options)


SUGGESTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "outside": ({"x": 70.0}, {}),
    "missing": ({}, {}),
    "unknown": ({"x": 1.0, "y": 1.0}, {}),
    "memo": ({"x": 1.0}, {"a": object()}),
    "numpy": ({"x": np.float64(1.5)}, {"t": (1, 2), "a": np.float32(0.5)}),
}


@dataclass(frozen=True)
class Own(ts.samplers.HistorySampler):
    """A sampler that nobody registered, with a fixed suggestion."""

    kind: str
    times: int = 1

    def propose(self, problem: Any, history: Any, rng: Any, n: int) -> list[ts.samplers.Suggestion]:
        return [ts.samplers.Suggestion(*SUGGESTED[self.kind])] * n * self.times


@pytest.mark.parametrize(
    "sampler, sentence",
    [
        (Own("outside"), r"Own.ask broke its contract: x: 70.0 is not in Float"),
        (Own("missing"), "Own.ask broke its contract: x is missing"),
        (Own("unknown"), "Own.ask broke its contract: there is no parameter 'y'"),
        (Own("memo"), "Own.ask broke its contract"),
        (Own("numpy", times=2), "Own.ask made 2 suggestions, asked for 1"),
    ],
    ids=lambda v: v.kind if isinstance(v, Own) else "",
)
def test_a_sampler_that_breaks_its_contract_is_named(sampler: Own, sentence: str) -> None:
    """Nothing of what it suggested gets into the log."""
    study = study_of(sampler=sampler)
    study.ask()

    with pytest.raises(ts.SettingError, match=sentence):
        study.ask()

    assert len(study.history) == 1


def test_a_samplers_numpy_numbers_become_pythons(tmp_path: Path) -> None:
    """Params and memo are the same live and read from the log; the study can be read without it."""
    own = Own("numpy")
    study = study_of(sampler=own, name="s", storage=tmp_path / "s.db")
    study.ask(2)

    loaded = ts.load(tmp_path / "s.db", "s")
    assert list(loaded.history) == list(study.history)
    assert loaded.history[1].memo == {"t": [1, 2], "a": 0.5}
    assert study.verify(own).checked == 2
    assert (loaded.verify().checked, loaded.verify().skipped) == (1, 1)
    with pytest.raises(ts.StudyError, match="which is not registered here; open it with sampler="):
        loaded.ask()

from typing import Any

import pytest

import tunesmith as ts
from tunesmith.integrations.sklearn.pace import Pace


@pytest.mark.parametrize("candidates, told", [(None, True), (10**9, False)])
def test_a_long_grid_names_the_cheaper_way(
    capsys: pytest.CaptureFixture[str], candidates: int | None, told: bool
) -> None:
    """A grid of over an hour's work says, once, how long it takes and what would be cheaper."""
    pace = Pace(candidates=candidates, expected=10**9, workers=1, errors_before=0)

    def objective(trial: ts.Trial[Any]) -> float:
        trial.report(1, {"fit_time": 0.01, "score_time": 0.02})
        return float(trial["x"])

    ts.minimize(objective, {"x": ts.Float(0, 1)}, trials=3, until=pace, progress=False)
    said = capsys.readouterr().err

    assert said.count(" h for the 999,999,999 candidates left") == 1
    assert ("without sampler=Grid()" in said) == told


def test_it_ends_at_its_number_of_candidates() -> None:
    """Failed candidates count, too."""
    pace = Pace(candidates=5, expected=None, workers=1, errors_before=0)
    study = ts.minimize(
        lambda t: float("nan") if t["x"] > 0.5 else t["x"], {"x": ts.Float(0, 1)}, until=pace,
        progress=False, sampler=ts.samplers.Random(), seed=1,
    )  # fmt: skip

    assert len(study.history) == 5
    assert study.history.count("failed") > 0

import json
import subprocess
import sys
from typing import Any

import pytest

import tunesmith as ts

PROBE = """
import json, sys
{code}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh process has after running code."""
    command = [sys.executable, "-c", PROBE.format(code=code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


EXTRAS = {
    "pandas", "polars", "sklearn", "hypothesis", "pytest", "torch", "fsspec", "plotly", "IPython", "fastapi"
}  # fmt: skip


def test_importing_loads_next_to_nothing() -> None:
    """`import tunesmith` loads neither numpy nor scipy nor an extra."""
    assert not loaded("import tunesmith") & (
        EXTRAS | {"numpy", "scipy", "msgspec", "rich", "sqlite3"}
    )


def test_a_study_needs_no_extra() -> None:
    """A study in memory runs with the hard dependencies alone, and without those it does not use."""
    code = (
        "import tunesmith as ts\n"
        "ts.minimize(lambda t: t['x'], {'x': ts.Float(0, 1)}, trials=3, progress=False)"
    )

    assert not loaded(code) & (EXTRAS | {"rich", "sqlite3"})


def test_pictures_load_plotly_when_one_is_made() -> None:
    """A study shows itself in a notebook, and lists its pictures, without it."""
    code = (
        "import tunesmith as ts\n"
        "study = ts.Study({'x': ts.Float(0, 1)}, minimize='loss', seed=0)\n"
        "study.tell(study.ask(), 1.0)\n"
        "study._repr_html_(), dir(study.plots)\n"
    )

    assert "plotly" not in loaded(code)
    assert "plotly" in loaded(code + "study.plots.history()")


def test_everything_that_is_public_is_there() -> None:
    """Every name of __all__ exists, and dir() lists it."""
    for name in ts.__all__:
        assert getattr(ts, name) is not None
    assert set(ts.__all__) <= set(dir(ts))


@pytest.mark.parametrize(
    "use, line",
    [
        (lambda: ts.create_study, "ts.Study("),  # type: ignore[attr-defined]
        (lambda: ts.TrialPruned, "ends the trial by itself"),  # type: ignore[attr-defined]
        (lambda: ts.samplers.GridSampler, "ts.samplers.Grid()"),  # type: ignore[attr-defined]
        (lambda: study().optimize(lambda t: 1.0), "study.run(objective, trials=100)"),
        (lambda: study().best_params, "study.best.params"),
        (lambda: study().ask().suggest_float("lr", 0, 1), '"lr": ts.Float'),
        (lambda: study().ask().suggest_int("depth", 0, 1), 'read trial["depth"]'),
        (lambda: study().ask().should_prune(), "trial.decide(step, loss=...)"),
    ],
)
def test_words_of_other_tools_are_answered_with_ours(use: Any, line: str) -> None:
    """An attribute that another tuner has raises AttributeError that shows our line."""
    with pytest.raises(AttributeError) as caught:
        use()

    assert "is another tool's word; here: " in str(caught.value)
    assert line in str(caught.value)


@pytest.mark.parametrize(
    "use, line",
    [
        (lambda: study(direction="maximize"), 'maximize="accuracy"'),
        (lambda: study(study_name="a"), 'name="digits"'),
        (lambda: study().run(lambda t: 1.0, n_trials=5), "trials=100"),
        (lambda: ts.minimize(lambda t: 1.0, {}, n_trials=5), "trials=100"),  # type: ignore[call-overload]
    ],
)
def test_keywords_of_other_tools_are_answered_with_ours(use: Any, line: str) -> None:
    """A keyword that another tuner has raises TypeError that shows our line."""
    with pytest.raises(TypeError) as caught:
        use()

    assert line in str(caught.value)


def test_unknown_names_stay_unknown() -> None:
    """A misspelling is an ordinary AttributeError, and hasattr answers False."""
    assert not hasattr(study(), "hystory")
    assert not hasattr(ts, "Studdy")
    assert not hasattr(study().ask(), "para")


def study(**options: Any) -> Any:
    return ts.Study({"x": ts.Float(0, 1)}, minimize="loss", **options)

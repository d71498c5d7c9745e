"""What each scheduler makes of two simulated studies, as files that show any change.

`python tests/golden/test_schedulers.py` writes them anew; what changed belongs in CHANGELOG.md under
"Results change".
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.schedulers import registry
from tunesmith.testing.schedulers import PROBLEMS, Conditions, Play

FOLDER = Path(__file__).parent / "schedulers"
STUDIES = {
    "saved": ("epochs", Conditions(trials=12)),
    "not saved": ("epochs", Conditions(trials=12, savable=0)),
    "folds": ("folds", Conditions(trials=12, savable=0)),
}


def studies(name: str) -> dict[str, list[list[Any]]]:
    """Of each trial: where it comes from, how far it came, how it ended, and a fork's learning rate."""
    played = {}
    for title, (problem, conditions) in STUDIES.items():
        if name == "race" and problem != "folds":
            continue
        play = Play(registry.get(name)(), PROBLEMS[problem], conditions, seed=7).study()
        played[title] = [
            [r.parent, r.step, r.state, r.logged["lr"] if r.parent else None] for r in play.history
        ]
    return played


@pytest.mark.parametrize("name", list(registry))
def test_decisions_are_those_of_the_file(name: str) -> None:
    """The same seed gives what it always gave; numbers within 1e-9, for other machines' sake."""
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    given = studies(name)

    assert given.keys() == expected.keys()
    for title, listed in expected.items():
        assert [row[:3] for row in given[title]] == [row[:3] for row in listed]
        for ours, theirs in zip(given[title], listed, strict=True):
            assert ours[3] == (
                theirs[3] if theirs[3] is None else pytest.approx(theirs[3], rel=1e-9)
            )


def regenerate() -> None:
    for name in registry:
        played = []
        for title, listed in studies(name).items():
            rows = ",\n".join(map(json.dumps, listed))
            played.append(f"{json.dumps(title)}: [\n{rows}\n]")
        (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(played) + "\n}\n")


if __name__ == "__main__":
    regenerate()

"""The first 20 suggestions of each sampler on three spaces, as files that show any change.

`python tests/golden/test_golden.py` writes them anew; what changed belongs in CHANGELOG.md under
"Results change".
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tunesmith.records import Problem
from tunesmith.samplers import registry
from tunesmith.testing.samplers import LOSS, SPACES, Play

FOLDER = Path(__file__).parent
SETTINGS: dict[str, dict[str, Any]] = {"grid": {"levels": 3}}


def suggestions(name: str) -> dict[str, list[dict[str, Any]]]:
    sampler = registry.make(name, SETTINGS.get(name, {}))
    given = {}
    for space in ("numeric", "conditional", "constrained list"):
        play = Play(sampler, Problem(SPACES[space], LOSS), seed=7)
        given[space] = [
            {"params": s.params, "memo": s.memo} for _ in range(20) for s in play.turn()
        ]
    return given


@pytest.mark.parametrize("name", list(registry))
def test_suggestions_are_those_of_the_file(name: str) -> None:
    """The same seed gives what it always gave; numbers within 1e-12, for other machines' sake."""
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    given = suggestions(name)

    assert given.keys() == expected.keys()
    for space, listed in expected.items():
        assert len(given[space]) == len(listed) == (0 if name == "queue" else 20)
        for ours, theirs in zip(given[space], listed, strict=True):
            assert list(ours["params"]) == list(theirs["params"])
            assert ours["params"] == {
                key: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
                for key, value in theirs["params"].items()
            }
            assert ours["memo"] == theirs["memo"]


def regenerate() -> None:
    for name in registry:
        spaces = []
        for space, listed in suggestions(name).items():
            rows = ",\n".join(map(json.dumps, listed))
            spaces.append(f"{json.dumps(space)}: [\n{rows}\n]")
        (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(spaces) + "\n}\n")


if __name__ == "__main__":
    regenerate()

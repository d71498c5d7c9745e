import subprocess
import sys
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))


@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["pyright"]], ids=["mypy", "pyright"])
def test_users_programs_are_inferred(checker: list[str]) -> None:
    """Both checkers infer what the cases assert, and refuse what must stay unknown."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", *checker, *map(str, CASES)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr

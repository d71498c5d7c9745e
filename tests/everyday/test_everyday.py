import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREAMBLE = Path(__file__).with_name("preamble.py")
GROUPS = [(1,), (2,), (3, 4, 5), (6,)]


def programs() -> dict[int, str]:
    """The numbered programs of docs/design.md, word for word."""
    text = (ROOT / "docs" / "design.md").read_text()
    (block,) = re.findall(r"```python\n(import tunesmith as ts\n.*?)```", text, re.DOTALL)
    parts = re.split(r"^# (\d+)\. .*\n", block, flags=re.MULTILINE)
    return {int(number): code for number, code in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.fixture(scope="module")
def everyday(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One file for each group of programs that build on each other."""
    folder = tmp_path_factory.mktemp("everyday")
    code = programs()
    for group in GROUPS:
        parts = [code[number] for number in group]
        name = f"program_{group[0]}.py"
        (folder / name).write_text("\n".join([PREAMBLE.read_text(), *parts]))
    return sorted(folder.iterdir())


def test_the_design_has_six_programs() -> None:
    """The programs that users see first are all found in the design."""
    assert list(programs()) == [1, 2, 3, 4, 5, 6]


def test_everyday_programs_run(everyday: list[Path]) -> None:
    """They run, print what they found, and keep what is named in one file, its checkpoints beside it."""
    kept = "digits: kept in ./tunesmith.db"
    for program, out, err in zip(
        everyday, ["'lr':", "", "", ""], ["in memory only", "in memory only", kept, ""], strict=True
    ):
        done = subprocess.run(
            [sys.executable, "-W", "error", str(program)],
            cwd=program.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        assert out in done.stdout
        assert err in done.stderr
    names = [path.name for path in everyday]
    assert sorted(p.name for p in everyday[0].parent.iterdir()) == [
        *names, "tunesmith.db", "tunesmith.db.files",
    ]  # fmt: skip


@pytest.mark.parametrize("checker", [["mypy", "--strict"], ["pyright"]], ids=["mypy", "pyright"])
def test_everyday_programs_type_check(everyday: list[Path], checker: list[str]) -> None:
    """The programs are clean under strict mypy and under pyright."""
    for program in everyday:
        done = subprocess.run(
            [sys.executable, "-m", *checker, str(program)],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert done.returncode == 0, done.stdout + done.stderr

import sys
from pathlib import Path

import pytest

from tunesmith._core.packages import versions_of
from tunesmith._core.sources import sources_of


def test_own_files_are_found_wherever_they_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages, modules of them, relative ones, in brackets over lines; what is named in a comment is not."""
    files = {
        "main.py": "import os, pkg.one as o\nfrom pkg import (\n    two,\n    name,\n)\nimport numpy.linalg\n",
        "pkg/__init__.py": "name = 1\n",
        "pkg/one.py": "def f():\n    from . import three\n    from .deep.four import x\n",
        "pkg/two.py": "from ..outside import y  # import unseen\n",
        "pkg/three.py": "import pandas as pd; import data\n",
        "pkg/deep/four.py": "",
        "outside.py": "import main\n",
        "unseen.py": "",
        "data.py": "",
        "data/rows.csv": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir("/")
    found = sources_of([tmp_path / "main.py"])

    names = {path.relative_to(tmp_path).as_posix() for path in found.files}
    assert names == files.keys() - {"unseen.py", "data/rows.csv"} - {"data.py"}
    assert found.packages == {"numpy", "pandas"}


def test_what_is_no_program_has_no_sources(tmp_path: Path) -> None:
    """Scripts of packages, files that are not there, and folders."""
    pytest_itself = Path(pytest.__file__)

    assert sources_of([pytest_itself, tmp_path, tmp_path / "none.py"]).files == {}


def test_any_text_is_read(tmp_path: Path) -> None:
    """A program in another language, or one that is no valid Python, is a source all the same."""
    (tmp_path / "run.sh").write_text("import x\n")
    (tmp_path / "broken.py").write_bytes(b"\xff import (\nfrom import\n")

    assert len(sources_of([tmp_path / "run.sh", tmp_path / "broken.py"]).files) == 2


def test_versions_are_found_without_importing() -> None:
    """Under the name that people import; of what is not installed nothing is said."""
    before = set(sys.modules)
    versions = versions_of(["xgboost", "sklearn", "click", "nosuchpackage"])

    assert versions.keys() >= {"xgboost", "sklearn", "click", "numpy"}
    assert "nosuchpackage" not in versions
    assert set(sys.modules) == before

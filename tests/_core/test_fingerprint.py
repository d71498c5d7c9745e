from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

import tunesmith as ts
from tunesmith._core.fingerprint import fingerprint


def different() -> list[Any]:
    X = np.arange(6.0).reshape(2, 3)
    return [
        X,
        X.T,
        X.astype(np.float32),
        X.reshape(-1),
        X + 1e-12,
        [X, X],
        {"X": X},
        {"Y": X},
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pd.DataFrame({"a": [1, 3], "b": ["x", None]}),
        pd.DataFrame({"a": [1, 2], "c": ["x", None]}),
        pl.DataFrame({"a": [1.5, 2.0]}),
        sparse.csr_matrix(X),
        np.array(["a", "b"], dtype=object),
        b"v1",
        b"v2",
        None,
        1,
        1.0,
        True,
    ]


def test_what_differs_has_another_fingerprint() -> None:
    """In values, kind, shape, names; and the same has the same, however it lies in memory."""
    once, again = (list(map(fingerprint, different())) for _ in range(2))
    X = np.arange(6.0).reshape(2, 3)

    assert once == again
    assert len(set(once)) == len(once)
    assert fingerprint(np.asfortranarray(X)) == fingerprint(X)
    assert fingerprint(pl.Series([1, 2])) == fingerprint(pd.Series([1, 2]))


def test_files_count_by_content_and_folders_by_names_too(tmp_path: Path) -> None:
    """Wherever they lie, and whenever they were written."""
    for name in ("one", "two"):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / "a.csv").write_text("1,2")
    same = fingerprint(tmp_path / "one") == fingerprint(str(tmp_path / "two"))
    (tmp_path / "two" / "in" / "a.csv").rename(tmp_path / "two" / "in" / "b.csv")

    assert same
    assert fingerprint(tmp_path / "one") != fingerprint(tmp_path / "two")
    assert fingerprint(tmp_path / "one/in/a.csv") == fingerprint(tmp_path / "two/in/b.csv")


def test_large_data_are_known_by_pieces(tmp_path: Path) -> None:
    """Of 100 MB a change of its first, last or middle bytes shows, as does one of its size."""
    large = np.zeros(100_000_000, np.uint8)
    found = {fingerprint(large), fingerprint(large[:-1])}
    for place in (0, -1):
        changed = large.copy()
        changed[place] = 1
        found.add(fingerprint(changed))

    assert len(found) == 4


@pytest.mark.parametrize(
    "data, sentence",
    [
        ("nowhere.csv", "there is no file or folder 'nowhere.csv'"),
        (np.array([object()]), "nothing but their address tells apart"),
        ({1, 2}, r'got set; a version of your own is bytes, such as data=b"v3"'),
    ],
)
def test_what_has_no_fingerprint_is_refused(data: Any, sentence: str) -> None:
    """With what can be given instead."""
    with pytest.raises(ts.SettingError, match=sentence):
        fingerprint(data)

import re

import pytest

from tunesmith._core.errors import SettingError
from tunesmith.knowledge.schema import read

SOURCES = {"a1999"}
GOOD = """
[parameters.depth]
does = "How deep."
typical = "3"
type = "Int"
low = 1
high = "min(9, n)"
special = {None = inf}
[parameters.depth.sources]
a1999 = "1 to 9."
[estimators."lib.Tree"]
parameters = ["depth"]
[estimators."lib.Stump"]
parameters = ["depth"]
other.depth = {high = 2}
"""


def test_an_estimator_has_what_its_family_has_save_what_differs() -> None:
    """A range is the family's unless the estimator says another."""
    tree, stump = read(GOOD, "woods", SOURCES)

    assert tree.name == "lib.Tree"
    assert tree.entries["depth"].high == "min(9, n)"
    assert stump.entries["depth"].high == 2
    assert stump.entries["depth"].sources == {"a1999": "1 to 9."}


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("low = 1", "low = ", "Invalid value"),
        ("low = 1", 'low = 1\ncolour = "red"', "unknown field `colour`"),
        ('does = "How deep."', "", "missing required field `does`"),
        ('"Int"', '"Integer"', "Invalid enum value 'Integer'"),
        ('a1999 = "1 to 9."', "", "depth: it has no source"),
        ("a1999", "b2000", "the source 'b2000' is not in sources.toml"),
        ("low = 1", "", "low and high belong to Float and Int"),
        ("low = 1", "choices = [1]\nlow = 1", "choices belong to Choice"),
        ("low = 1", "low = 10", "a finite low <= high"),
        ("low = 1", "low = 0\nlog = true", "on a log scale above 0"),
        ('"min(9, n)"', '"min(9, rows)"', "'min(9, rows)' is no number"),
        ("{None = inf}", '{None = "q"}', "'q' is no number"),
        ("low = 1", 'low = 1\nwhere = "rows < 3"', "'rows' is no number"),
        ("low = 1", 'low = 1\nwhen = {kind = ["a"]}', "when names 'kind'"),
        ("other.depth", "other.width", "other.width is no parameter of it"),
        ('type = "Int"\nlow = 1\nhigh = "min(9, n)"', 'type = "Choice"\nchoices = [1]', "log, share"),
        ("[parameters.depth]", "[parameters.width]", "no estimator has width"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(old: str, new: str, message: str) -> None:
    """The message names the file, where in it, and what is wrong."""
    with pytest.raises(SettingError, match=f"woods.toml.*{re.escape(message)}"):
        read(GOOD.replace(old, new), "woods", SOURCES)

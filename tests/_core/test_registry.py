import pytest

import tunesmith as ts
from tunesmith._core.registry import Registry


def registry() -> "Registry[object]":
    return Registry("tunesmith.none", "thing", {"list": "builtins:list", "dict": "builtins:dict"})


def test_names_stand_for_classes() -> None:
    """A class is found by its name and gives its name back."""
    assert list(registry()) == ["dict", "list"]
    assert registry().get("list") is list
    assert registry().name_of(dict) == "dict"
    assert registry().name_of(set) is None
    assert "list" in registry()
    assert "set" not in registry()


def test_unknown_names_are_refused_with_what_there_is() -> None:
    """The sentence lists the known names."""
    with pytest.raises(ts.SettingError, match="there is no thing 'set'; there are dict, list"):
        registry().get("set")

"""Registries: which parts exist under which name, ours in one line each, others' by entry point."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from tunesmith._core.errors import SettingError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and the classes they stand for, imported when first asked for.

    Args:
        group: Entry-point group under which packages of others register theirs.
        noun: What one entry is called in messages.
        own: Our entries, `name: "module:qualname"`.
    """

    def __init__(self, group: str, noun: str, own: Mapping[str, str]) -> None:
        self._group = group
        self._noun = noun
        self._places = dict(own)
        self._own = frozenset(own)
        self._scanned = False

    def _scan(self) -> None:
        if self._scanned:
            return
        for point in entry_points(group=self._group):
            if self._places.setdefault(point.name, point.value) != point.value:
                raise SettingError(
                    f"two packages register the {self._noun} {point.name!r}: "
                    f"{self._places[point.name]} and {point.value}; uninstall or rename one"
                )
        self._scanned = True

    def __iter__(self) -> Iterator[str]:
        self._scan()
        return iter(sorted(self._places))

    def __contains__(self, name: object) -> bool:
        if name not in self._own:
            self._scan()  # the packages of others are looked through only when it must be
        return name in self._places

    def get(self, name: str) -> type[T]:
        """Return the class registered as `name`.

        Raises:
            SettingError: Nothing is registered under this name.
        """
        if name not in self:
            known = ", ".join(self)
            raise SettingError(f"there is no {self._noun} {name!r}; there are {known}")
        module, _, qualname = self._places[name].partition(":")
        found: type[T] = getattr(import_module(module), qualname)
        return found

    def make(self, name: str, settings: Mapping[str, Any]) -> T:
        """Return what is registered as `name`, with `settings` as a log keeps them.

        Raises:
            SettingError: There is no such part, or it has no such setting.

        Example:
            >>> from tunesmith.samplers import registry
            >>> registry.make("grid", {"levels": 3})
            Grid(levels=3)
        """
        kind: Any = self.get(name)  # its fields are its own
        known = [field.name for field in fields(kind)]
        for setting in settings:
            if setting not in known:
                raise SettingError(
                    f"the {self._noun} {name!r} has no setting {setting!r}; it has "
                    f"{', '.join(known) or 'none'}"
                )
        made: T = kind(**settings)
        return made

    def name_of(self, kind: type[T]) -> str | None:
        """Return the name under which `kind` is registered, or None."""
        place = f"{kind.__module__}:{kind.__qualname__}"
        if place not in self._places.values():
            self._scan()
        return next((name for name, value in self._places.items() if value == place), None)

"""The state of a training in PyTorch: of its parts, and of every generator that it draws from.

A training that goes on from it equals one that was not interrupted, bit by bit, where PyTorch itself
computes the same twice.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final, Protocol, final, runtime_checkable

import numpy as np

from tunesmith._core.errors import SettingError, StorageError
from tunesmith._core.optional import need

FILE: Final = "state.pt"
LUCK: Final = "generators"
BUILT: Final = "as built"  # the settings of optimisers when the training began


@runtime_checkable
class Stateful(Protocol):
    """What can say its state and take it: modules, optimisers, schedulers of rates, gradient scalers."""

    def state_dict(self) -> Any:
        """Return the state."""

    def load_state_dict(self, state_dict: Any, /) -> object:
        """Take a state."""


@final
class State:
    """What a training is made of, to be saved and loaded at once; see `state`.

    Args:
        parts: By name: what has a state, or a generator (PyTorch's or NumPy's) of the training's own.

    Raises:
        SettingError: A part has no state.
        MissingExtra: PyTorch is not installed.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self._torch = need("torch", "torch")
        self._parts = dict(parts)
        for name in (LUCK, BUILT):
            if name in self._parts:
                raise SettingError(f"state(...) keeps {name!r} itself; give that part another name")
        for name, part in self._parts.items():
            if not isinstance(part, Stateful | np.random.Generator | self._torch.Generator):
                raise SettingError(
                    "state(...) takes what has state_dict and load_state_dict, such as a model or an "
                    f"optimiser, or a generator; {name} is {part!r}"
                )

        self._built = {
            name: [_settings(group) for group in part.param_groups]
            for name, part in self._parts.items()
            if isinstance(part, self._torch.optim.Optimizer)
        }

    def save(self, folder: Path) -> None:
        """Write the state of all parts, and that of the generators of Python, NumPy and PyTorch."""
        states = {name: self._state_of(part) for name, part in self._parts.items()}
        self._torch.save({**states, LUCK: self._luck(), BUILT: self._built}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Take all of it back, on whatever device the parts are now.

        Nothing but tensors and plain values is unpickled. Settings of an optimiser that are built otherwise than they
        were there, as in a fork that goes on with another learning rate, stay as they are built; a rate that had
        changed in between, by a schedule, keeps its share of the rate it began with.

        Raises:
            StorageError: It was written by a training of other parts, or has something else in it.
        """
        path = folder / FILE
        try:
            states = self._torch.load(path, map_location="cpu", weights_only=True)
        except UnpicklingError as error:
            raise StorageError(
                f"{path} holds more than tensors and plain values, and that is not read: {error}"
            ) from None
        if states.keys() != {*self._parts, LUCK, BUILT}:
            there = ", ".join(name for name in states if name not in (LUCK, BUILT))
            raise StorageError(
                f"{path} is of a training made of {there}; this one is made of {', '.join(self._parts)}"
            )
        for name, part in self._parts.items():
            self._give(part, states[name])
        for name, was in states[BUILT].items():
            self._rebuild(self._parts[name], was, self._built[name])
        self._take_luck(states[LUCK])

    def _state_of(self, part: Any) -> Any:
        if isinstance(part, np.random.Generator):
            return _text(part.bit_generator.state)
        return part.get_state() if isinstance(part, self._torch.Generator) else part.state_dict()

    def _give(self, part: Any, state: Any) -> None:
        if isinstance(part, np.random.Generator):
            part.bit_generator.state = json.loads(state)
        elif isinstance(part, self._torch.Generator):
            part.set_state(state)
        else:
            part.load_state_dict(state)

    def _rebuild(
        self, optimiser: Any, was: list[dict[str, Any]], now: list[dict[str, Any]]
    ) -> None:
        """Give an optimiser the settings that it was built with now, where it was built otherwise."""
        for group, before, built in zip(optimiser.param_groups, was, now, strict=True):
            for name in built.keys() & before.keys():
                if built[name] == before[name]:
                    continue
                if name == "lr" and before[name]:
                    share = built[name] / before[name]
                    group["lr"] = group["lr"] * share
                    if "initial_lr" in group:
                        group["initial_lr"] = group["initial_lr"] * share
                else:
                    group[name] = built[name]
        rates = [group.get("initial_lr", group["lr"]) for group in optimiser.param_groups]
        for part in self._parts.values():
            if getattr(part, "optimizer", None) is optimiser and hasattr(part, "base_lrs"):
                part.base_lrs = rates

    def _luck(self) -> dict[str, Any]:
        """The state of the generators that are everybody's."""
        torch = self._torch
        gpus = torch.cuda.is_available() and torch.cuda.is_initialized()
        return {
            "python": _text(random.getstate()),
            "numpy": _text(np.random.get_state(legacy=False)),  # noqa: NPY002 - users' code may use it
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if gpus else [],
        }

    def _take_luck(self, luck: Mapping[str, Any]) -> None:
        torch = self._torch
        version, words, gauss = json.loads(luck["python"])
        random.setstate((version, tuple(words), gauss))
        np.random.set_state(json.loads(luck["numpy"]))  # noqa: NPY002 - likewise
        torch.set_rng_state(luck["torch"])
        for device, state in enumerate(luck["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state, device)


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a group of parameters that are plain values."""
    plain = (bool, int, float, str, tuple, list, type(None))
    known = {name: value for name, value in group.items() if isinstance(value, plain)}
    return {name: value for name, value in known.items() if name not in ("params", "initial_lr")}


def _text(state: Any) -> str:
    """The state of a generator as JSON, which keeps every bit of it."""
    return json.dumps(state, default=np.ndarray.tolist)


def state(*parts: Stateful | np.random.Generator, **named: Stateful | np.random.Generator) -> State:
    """Return what a training is made of, as one thing to be saved and loaded.

    The generators of Python, NumPy and PyTorch are part of it, those of GPUs included. A generator of
    one's own, as of a `DataLoader`, is a part like others. What an optimiser is built with otherwise than in the
    training that was saved, as in a fork of `PBT`, stays as it is built.

    Args:
        parts: A model, its optimiser, a scheduler of its rate and the like, in the same order every time.
        named: The same, by name.

    Raises:
        SettingError: A part has no state.
        MissingExtra: PyTorch is not installed.

    Example::

        state = tunesmith.torch.state(model, optimiser, scheduler)
        trial.resumable(save=state.save, load=state.load)
    """
    return State({**{f"{type(p).__name__} {n}": p for n, p in enumerate(parts)}, **named})

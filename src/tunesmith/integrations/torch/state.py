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
        if LUCK in self._parts:
            raise SettingError(f"state(...) keeps {LUCK!r} itself; give that part another name")
        for name, part in self._parts.items():
            if not isinstance(part, Stateful | np.random.Generator | self._torch.Generator):
                raise SettingError(
                    "state(...) takes what has state_dict and load_state_dict, such as a model or an "
                    f"optimiser, or a generator; {name} is {part!r}"
                )

    def save(self, folder: Path) -> None:
        """Write the state of all parts, and that of the generators of Python, NumPy and PyTorch."""
        states = {name: self._state_of(part) for name, part in self._parts.items()}
        self._torch.save({**states, LUCK: self._luck()}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Take all of it back, on whatever device the parts are now.

        Nothing but tensors and plain values is unpickled.

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
        if states.keys() != {*self._parts, LUCK}:
            there = ", ".join(name for name in states if name != LUCK)
            raise StorageError(
                f"{path} is of a training made of {there}; this one is made of {', '.join(self._parts)}"
            )
        for name, part in self._parts.items():
            self._give(part, states[name])
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


def _text(state: Any) -> str:
    """The state of a generator as JSON, which keeps every bit of it."""
    return json.dumps(state, default=np.ndarray.tolist)


def state(*parts: Stateful | np.random.Generator, **named: Stateful | np.random.Generator) -> State:
    """Return what a training is made of, as one thing to be saved and loaded.

    The generators of Python, NumPy and PyTorch are part of it, those of GPUs included. A generator of
    one's own, as of a `DataLoader`, is a part like others. An optimiser's state has its learning rate in
    it: in a fork of `PBT`, whose params are others, set `param_groups` after `trial.resumable`.

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

"""Signs of life of this process, given in the background while it may have trials."""

import atexit
import os
import threading
from contextlib import suppress
from functools import cache
from typing import TypeAlias, final
from weakref import WeakSet, finalize

from tunesmith._core.errors import TunesmithError
from tunesmith.storage import Storage
from tunesmith.storage.forks import ForkLock
from tunesmith.study.owner import this_process

_Place: TypeAlias = tuple[int, str, str]  # process id, URL, study


@final
class Pulse:
    """Beats for a study until it is dropped; then, or at exit, it gives the lease back.

    Args:
        storage: Where the study is kept.
        study: Its name.
        lease_s: How long each beat holds; three are given in that time.
    """

    def __init__(self, storage: Storage, study: str, lease_s: float) -> None:
        self.lease_s = lease_s
        self.place: _Place = (os.getpid(), storage.url, study)
        self.storage = storage
        _at_exit()
        with _changing.lock:
            _pulses.add(self)
            storage.beat(study, this_process(), lease_s)
        dropped = threading.Event()
        finalize(self, dropped.set).atexit = False
        threading.Thread(
            target=_beat, args=(storage, self.place, lease_s, dropped), name="tunesmith pulse",
            daemon=True,
        ).start()  # fmt: skip

    @property
    def here(self) -> bool:
        """Whether it beats for the calling process, not for one that has forked it."""
        return self.place[0] == os.getpid()


_pulses: WeakSet[Pulse] = WeakSet()
_changing = ForkLock()
_left = threading.Event()


def _beat(storage: Storage, place: _Place, lease_s: float, dropped: threading.Event) -> None:
    """Beat until dropped. It holds no pulse, or that would never be dropped."""
    while not dropped.wait(lease_s / 3):
        with _changing.lock:
            _say(storage, place, lease_s)
    with _changing.lock:  # several studies of one process may be the same one
        _say(storage, place, max((p.lease_s for p in _pulses if p.place == place), default=0))


def _say(storage: Storage, place: _Place, lease_s: float) -> None:
    if _left.is_set():  # the storage is closed for good
        return
    with suppress(TunesmithError, OSError):  # a storage that is not there now is asked again later
        storage.beat(place[2], this_process(), lease_s)


@cache
def _at_exit() -> None:
    # not on import: what is registered last runs first, and a storage closes its file at exit
    atexit.register(_leave)


def _leave() -> None:
    with _changing.lock:
        for pulse in list(_pulses):
            if pulse.here:
                _say(pulse.storage, pulse.place, 0)
        _left.set()

"""Signals that a cluster sends to all processes of a job: a worker stays, what its works fork leaves."""

import os
import signal
import threading

TO_LEAVE = (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
_forking = threading.local()


def stay() -> None:
    """Let this process go on when it is told to leave: its parent decides.

    Handlers pass on to what is forked. There the ordinary ones come back, so that `terminate` of
    `multiprocessing` ends it; until that is so, the signals wait. Programs hear them as ever.
    """
    for number in TO_LEAVE:
        signal.signal(number, _go_on)
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_be_ordinary)


def _go_on(*_: object) -> None:
    pass


def _hold() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, TO_LEAVE)


def _let_go() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


def _be_ordinary() -> None:
    for number in TO_LEAVE:
        if signal.getsignal(number) is _go_on:  # not one that the work has set
            signal.signal(number, signal.SIG_DFL)
    _let_go()

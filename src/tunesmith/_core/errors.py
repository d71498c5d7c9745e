"""Every error that Tunesmith raises on purpose.

TunesmithError
├── SpaceError (ValueError)         a space, a parameter or a configuration is not valid
├── SettingError (ValueError)       an argument or setting is not valid
├── ResultError (ValueError)        what an objective returned or reported cannot be used
├── NotSupported (ValueError)       a sampler cannot do what the problem asks
├── MissingExtra (ImportError)      an optional package is not installed
├── StudyError                      the study as it stands does not allow this
│   ├── StudyNotFound (LookupError)
│   ├── StudyFinished               nothing is left to try, or the budget is taken
│   ├── NoTrials (LookupError)      no trial has completed yet
│   └── Superseded                  another attempt of the trial has taken over
├── StorageError                    the storage cannot be opened, read or written
│   └── Conflict                    the log has grown past what was expected
├── LogError (ValueError)           a line of a log cannot be understood
├── Infeasible                      raised by an objective: this configuration cannot be run
└── TrialFailed                     raised by an objective: its text says why, no traceback is needed

Stopped (BaseException)             raised by `Trial.report` when the trial must end
Cancelled (BaseException)           raised in a work that its executor has been told to end
Interrupted (KeyboardInterrupt, SystemExit)   Ctrl-C during `Study.run`, after everything was kept
Preempted (SystemExit)              SIGTERM or its like during `Study.run`, likewise
"""


class TunesmithError(Exception):
    """The base of every error of Tunesmith."""


class SpaceError(TunesmithError, ValueError):
    """A search space, a parameter or a configuration is not valid."""


class SettingError(TunesmithError, ValueError):
    """An argument or a setting is not valid."""


class ResultError(TunesmithError, ValueError):
    """What an objective returned or reported cannot be used."""


class NotSupported(TunesmithError, ValueError):  # noqa: N818 - reads as what it says
    """A sampler or scheduler cannot do what the problem asks."""


class MissingExtra(TunesmithError, ImportError):  # noqa: N818 - reads as what it says
    """An optional package is needed and not installed."""


class StudyError(TunesmithError):
    """The study, as it stands, does not allow what was asked."""


class StudyNotFound(StudyError, LookupError):  # noqa: N818 - reads as what it says
    """No study of this name is in the storage."""


class StudyFinished(StudyError):  # noqa: N818 - an end, not a fault
    """Nothing is left to try: the space is exhausted or the budget is taken."""


class NoTrials(StudyError, LookupError):  # noqa: N818 - reads as what it says
    """No trial has completed yet."""


class Superseded(StudyError):  # noqa: N818 - reads as what it says
    """Another attempt of this trial has taken over; what this one says has no effect."""


class StorageError(TunesmithError):
    """A storage cannot be opened, read or written."""


class Conflict(StorageError):  # noqa: N818 - reads as what it says
    """The log has grown past the expected length; nothing was appended.

    Attributes:
        length: How many lines the log has now.
    """

    def __init__(self, expected: int, length: int) -> None:
        super().__init__(f"the log has {length} lines, {expected} were expected; read on and retry")
        self.length = length


class LogError(TunesmithError, ValueError):
    """A line of a log cannot be understood."""


class Infeasible(TunesmithError):  # noqa: N818 - raised by users, as a statement
    """Raise it in an objective: this configuration cannot be run; samplers learn to avoid such."""


class TrialFailed(TunesmithError):  # noqa: N818 - raised by users, as a statement
    """Raise it in an objective to fail the trial with a text of your own, without a traceback."""


class Stopped(BaseException):
    """Raised by `Trial.report` when the trial must end; let it pass."""


class Cancelled(BaseException):
    """Raised in a work, at its next message, after `Executor.cancel`; let it pass."""


class Interrupted(KeyboardInterrupt, SystemExit):
    """Ctrl-C during `Study.run`, raised after everything was kept.

    As a `SystemExit` with code 130 it ends a program without a traceback; as a
    `KeyboardInterrupt` it is caught by whoever catches that.
    """

    def __init__(self) -> None:
        super().__init__(130)
        self.code = 130


class Preempted(SystemExit):
    """SIGTERM, SIGUSR1 or SIGHUP during `Study.run`, raised after everything was kept.

    With code 0 it ends a program as if it had done its work: any other process goes on with it.
    """

    def __init__(self) -> None:
        super().__init__(0)


for _error in [*globals().values()]:
    if isinstance(_error, type) and _error.__module__ == __name__:
        _error.__module__ = "tunesmith"  # where users find it, and what tracebacks show

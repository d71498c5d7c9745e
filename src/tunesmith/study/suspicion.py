"""Whether failures are the fault of the machine: it lacks what others have.

Both questions are about a run in which nothing has gone well yet.
"""

from typing import Any, Final

from tunesmith.records import History, Record
from tunesmith.study.owner import is_here, this_host

FEWEST: Final = 3  # failures of a run that say anything of the machine
ACCIDENT: Final = 1e-3  # chance below which failures that only one machine has are no accident
STUMBLES: Final = (
    3  # runs that end before a trial which others have trained is taken to be at fault
)


def is_fault(record: Record[Any]) -> bool:
    """Return whether a trial failed for what may be the machine's fault: not by what its params came to."""
    return record.failure is not None and record.failure.kind not in ("infeasible", "diverged")


def suspicion(history: History[Any], failures: int) -> str:
    """Return what speaks against this machine, where nothing but `failures` trials has ended in a run; empty: nothing.

    Where f of n trials failed on other machines, one fails with a chance of about (f + 1) / (n + 2).
    """
    if failures < FEWEST:
        return ""
    ended = [is_fault(r) for r in history if r.finished and not is_here(r.owner)]
    failed, n = sum(ended), len(ended)
    if failed == n or ((failed + 1) / (n + 2)) ** failures > ACCIDENT:
        return ""
    return (
        f"all {failures} trials of this run failed, on other machines {failed} of {n} did: "
        f"{this_host()} may lack something"
    )


def is_innocent(record: Record[Any]) -> bool:
    """Return whether a trial that has just failed is to be tried elsewhere.

    So it is if it came to a checkpoint before, and failed now before its next report, until `STUMBLES` runs have seen that.
    """
    stumbled = [why for _, _, why in record.spells].count("error")
    return 0 < record.saved == record.step and stumbled < STUMBLES

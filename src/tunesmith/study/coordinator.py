"""The process that runs a study in the background."""

import os
import sys
import traceback
from pickle import loads

from tunesmith._core.errors import TunesmithError
from tunesmith.study.background import Job
from tunesmith.study.ledger import Ledger
from tunesmith.study.progress import say
from tunesmith.study.study import Study


def main(ready: int) -> None:
    """Read what to run from standard input, say that it is understood, and run it.

    Args:
        ready: File descriptor to say so on.
    """
    os.set_inheritable(ready, False)
    job: Job = loads(sys.stdin.buffer.read())  # noqa: S301 - of our parent
    ledger = Ledger(job.storage, job.name, job.space)
    ledger.data = job.data
    study = Study.opened(ledger, job.sampler, job.scheduler, stops=job.stops)
    os.write(ready, b".")
    os.close(ready)
    try:
        study.run(job.objective, **job.options)
    except Exception as error:  # noqa: BLE001 - whatever an objective may raise
        # whoever follows the study finds it in the log; this file may be on another machine
        study.note(f"the run in the background ended: {type(error).__name__}: {error}", ["run"])
        if isinstance(error, TunesmithError):
            say(str(error))
        else:
            traceback.print_exception(error)
        sys.exit(1)

"""Studies: ask for trials, run them, tell their results; list, load and delete what was kept.

`Study` is what users hold. Behind it stand `Desk`, where every word on a trial becomes an event;
`Asker`, which decides what is handed out; `Proposer`, a sampler at work; and `Ledger`, this
process's view of the log, which alone talks to the storage.
"""

from tunesmith.study.library import delete, load, studies
from tunesmith.study.shortcuts import maximize, minimize
from tunesmith.study.study import Study
from tunesmith.study.trial import Trial
from tunesmith.study.verification import Verification

__all__ = ["Study", "Trial", "Verification", "delete", "load", "maximize", "minimize", "studies"]

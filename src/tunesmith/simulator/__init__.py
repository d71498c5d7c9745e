"""The simulator: trainings whose curves are known, under any sampler, scheduler and number of workers.

Virtual workers take virtual seconds, and everything else is real: a study in memory, its log, its
sampler and scheduler, asked and told by the public verbs. So what is simulated is what would run.

* `simulate`: a study of which a function says what each training would report.
* `Recorded`: a study that was run, under other settings, from the curves that it recorded.
* `play`: the virtual workers alone, for whatever can be written as a generator of waits.
"""

from tunesmith.simulator.course import Course
from tunesmith.simulator.playing import Clock, play
from tunesmith.simulator.recorded import Outcome, Recorded
from tunesmith.simulator.simulation import simulate

__all__ = ["Clock", "Course", "Outcome", "Recorded", "play", "simulate"]

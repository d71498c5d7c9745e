"""What can be read of a study: folds of its log. Nothing here appends to it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, final

from tunesmith._core.errors import NoTrials
from tunesmith._core.types import P
from tunesmith.analysis import (
    Ablation,
    Advice,
    Confirmation,
    Diagnosis,
    EffectCurve,
    Forecast,
    Hypervolume,
    Importance,
    Overtuning,
    Recommendation,
    Sensitivity,
    Spending,
    Surface,
    Tunability,
    Why,
    ablation,
    advice,
    diagnose,
    effects,
    forecast,
    hypervolume,
    importance,
    overtuning,
    recommend,
    sensitivity,
    spending,
    surface,
    tunability,
    why,
)
from tunesmith.analysis.importance import Method
from tunesmith.plots import Plots
from tunesmith.records import History, Problem, Provenance, Record
from tunesmith.records.events import Noted
from tunesmith.report import Answers, Facts, save
from tunesmith.samplers import Sampler
from tunesmith.schedulers import Scheduler
from tunesmith.space import Space
from tunesmith.storage.bundle import BASELINE, CONFIRMS
from tunesmith.study import opening
from tunesmith.study.beside import beside
from tunesmith.study.confirming import outcome
from tunesmith.study.desk import Desk
from tunesmith.study.ledger import Ledger
from tunesmith.study.methods import methods
from tunesmith.study.notebook import page
from tunesmith.study.origin import origin
from tunesmith.study.parts import Parts, shown
from tunesmith.study.progress import shown_place
from tunesmith.study.staleness import Stale, stale
from tunesmith.study.verification import Verification, verify


class Readable(Generic[P]):
    """The half of a study that reads; `Study` adds the verbs that append."""

    _desk: Desk[P]
    _parts: Parts

    @final
    @property
    def _ledger(self) -> Ledger[P]:
        return self._desk.ledger

    @final
    @property
    def name(self) -> str:
        """The name under which it is kept."""
        return self._ledger.name

    @final
    @property
    def seed(self) -> int:
        """The seed of everything random in it."""
        return self._ledger.fold.created.seed

    @final
    @property
    def problem(self) -> Problem[P]:
        """What is tuned."""
        return self._ledger.fold.history.problem

    @final
    @property
    def space(self) -> Space[P]:
        """The search space."""
        return self.problem.space

    @final
    @property
    def sampler(self) -> Sampler[Any] | None:
        """Who proposes; None if that is not at hand."""
        return self._parts.sampler

    @final
    @property
    def scheduler(self) -> Scheduler[Any] | None:
        """Who decides how long trials go on; None: nobody, or whoever does is not at hand."""
        return self._parts.scheduler

    @final
    @property
    def history(self) -> History[P]:
        """All trials, as the log has them now."""
        return self._desk.read().history

    @final
    @property
    def best(self) -> Record[P]:
        """The best trial; see `History.best`."""
        return self.history.best

    @final
    @property
    def front(self) -> list[Record[P]]:
        """The trials that no other beats in every objective; see `History.front`."""
        return self.history.front

    @final
    @property
    def notes(self) -> list[Noted]:
        """All remarks on the study and its trials, in order."""
        return list(self._desk.read().notes)

    @final
    @property
    def settings(self) -> dict[str, Any]:
        """What it is run with beside its problem, by name: seed, sampler, scheduler and the like."""
        fold = self._desk.read()
        created = fold.created
        return {
            "seed": created.seed,
            "sampler": shown(fold.sampler),
            "scheduler": None if fold.scheduler is None else shown(fold.scheduler),
            "replicates": None if fold.replicates is None else shown(fold.replicates),
            "deterministic": created.deterministic,
            "keep_checkpoints": created.keep,
            "data": opening.data_of(fold) or None,
        }

    @final
    @property
    def provenance(self) -> Provenance:
        """What the process said of itself that joined last; see `Record.provenance` for each trial."""
        fold = self._desk.read()
        joined = fold.history.problem.joined
        return joined[max(joined)] if joined else fold.created.provenance

    @final
    def stale(self, objective: Callable[..., Any] | None = None) -> Stale:
        """Return which trials ran with other code, packages or data than this process has.

        Args:
            objective: What would be run now; by default, what this process ran last, or else its script.
        """
        now = self._ledger.origin
        if objective is not None or now is None:
            now = origin(objective, self._ledger.data)
        return stale(self.history, now)

    @final
    @property
    def paused(self) -> bool:
        """Whether nothing may begin, until `resume`."""
        return self._desk.read().paused

    def __repr__(self) -> str:
        history = self._ledger.fold.history
        return f"<Study {self.name!r} in {self._ledger.storage.url}: {len(history)} trials>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows of it."""
        return page(self.history, self.name, shown_place(self._ledger.storage.url))

    @final
    def verify(self, *parts: Sampler[Any] | Scheduler[Any]) -> Verification:
        """Recompute every suggestion and every decision of a scheduler from the log, and compare.

        Args:
            parts: Samplers and schedulers of the study that are not registered.
        """
        with self._desk.lock:
            self._ledger.sync()
            return verify(self._ledger, parts)

    @final
    @property
    def confirmation(self) -> Confirmation[P] | None:
        """What `confirm` has found so far; None: it was not called."""
        try:
            return self._confirmed() if CONFIRMS in self._beside else None
        except NoTrials:
            return None

    @property
    def _beside(self) -> list[str]:
        """The endings of the studies beside it that confirm its best."""
        return beside(self._ledger.storage, self.name)

    def _confirmed(self) -> Confirmation[P]:
        """What the studies beside it say.

        Raises:
            NoTrials: Nothing yet.
        """
        baseline = self._apart(BASELINE, Space({})) if BASELINE in self._beside else None
        return outcome(self.history, self._apart(CONFIRMS, self.space), baseline)

    def _apart(self, ending: str, space: Space[Any]) -> History[Any]:
        """The trials of a study beside it."""
        ledger = self._ledger
        return Ledger(ledger.storage, self.name + ending, space, ledger.clock).fold.history

    @final
    def diagnosis(self) -> Diagnosis:
        """Say what is wrong with the trainings, by what they reported; see `ts.analysis.diagnose`."""
        return diagnose(self.history)

    @final
    def forecast(self, trials: int = 50) -> Forecast:
        """Say what more trials will gain, and how long they take; see `ts.analysis.forecast`."""
        return forecast(self.history, trials)

    @final
    def overtuning(self, test: str | None = None) -> Overtuning:
        """Say whether the gain holds on test samples; see `ts.analysis.overtuning`."""
        return overtuning(self.history, test)

    @final
    def sensitivity(self) -> Sensitivity:
        """Say how much of the spread is luck, and what it costs to move a parameter of the best trial.

        See `ts.analysis.sensitivity`.
        """
        return sensitivity(self.history)

    @final
    def importance(
        self, objective: str | None = None, *, method: Method = "anova", within: float = 1.0
    ) -> Importance:
        """Say which parameters matter, and which only together; see `ts.analysis.importance`."""
        return importance(self.history, objective, method=method, within=within)

    @final
    def effects(
        self, parameters: str | Sequence[str] | None = None, objective: str | None = None
    ) -> tuple[EffectCurve, ...]:
        """Return how the expected objective goes with each parameter; see `ts.analysis.effects`."""
        return effects(self.history, parameters, objective)

    @final
    def surface(self, first: str, second: str, objective: str | None = None) -> Surface:
        """Return how the expected objective goes with two parameters; see `ts.analysis.surface`."""
        return surface(self.history, first, second, objective)

    @final
    def advice(self, objective: str | None = None) -> tuple[Advice, ...]:
        """Say what to change about the ranges, and how surely; see `ts.analysis.advice`."""
        return advice(self.history, objective)

    @final
    def tunability(self, objective: str | None = None) -> Tunability:
        """Say what tuning gains over the default, of each parameter alone and of all; see `ts.analysis.tunability`."""
        return tunability(self.history, objective)

    @final
    def ablation(self, to: Record[P] | int | None = None, objective: str | None = None) -> Ablation:
        """Return the way from the default to the recommended configuration, or another; see `ts.analysis.ablation`."""
        return ablation(self.history, to, objective)

    @final
    def why(self, trial: Record[P] | int | None = None, objective: str | None = None) -> Why:
        """Say why the recommended configuration, or another, is what it is; see `ts.analysis.why`."""
        return why(self.history, trial, objective)

    @final
    def hypervolume(self, reference: Mapping[str, float] | None = None) -> Hypervolume:
        """Return how much several objectives have reached, trial by trial; see `ts.analysis.hypervolume`."""
        return hypervolume(self.history, reference)

    @final
    def spending(self) -> Spending:
        """Say where the time went; see `ts.analysis.spending`."""
        return spending(self.history)

    @final
    def recommend(self, *, robust: bool = False) -> Recommendation[P]:
        """Return what is expected to be the best in truth; see `ts.analysis.recommend`."""
        return recommend(self.history, robust=robust)

    @final
    @property
    def plots(self) -> Plots:
        """Pictures of it, as figures of Plotly: `study.plots.history()`; see `tunesmith.plots.Plots`."""
        return Plots(self.history)

    @final
    def report(self, path: str | Path) -> None:
        """Write what the study has come to, for who was not there; one that is there is replaced.

        As `.html` it is one page that loads nothing: a summary in plain words, pictures, every trial, and how it was done; needs
        the extra `report`. As `.md` it is short, for the description of a pull request.

        Args:
            path: The file, whose name ends in `.html` or `.md`.

        Raises:
            SettingError: The name has another ending.
            MissingExtra: A page needs what is not installed.
            OSError: It cannot be written.
        """
        save(self._answers(), Path(path))

    @final
    def _answers(self) -> Answers:
        fold, confirmation = self._desk.read(), self.confirmation
        said = methods(fold.history, self.seed, fold.sampler, fold.scheduler, confirmation)
        return Answers(fold.history, Facts(self.name, self.settings, said, confirmation))

"""A study in the words of a paper's methods section, with references; every number is from its log."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

from tunesmith._core.errors import NoTrials
from tunesmith._core.words import number, plural
from tunesmith.analysis import Confirmation
from tunesmith.analysis.confirmation import stands
from tunesmith.analysis.recommendation import Estimate
from tunesmith.records import History, Record
from tunesmith.records.events import Part
from tunesmith.report.words import ranged
from tunesmith.study.parts import shown
from tunesmith.study.progress import baseline_name, baseline_of

Known: TypeAlias = Mapping[str, tuple[str, tuple[str, ...]]]

PAPERS = {
    "asha": "L. Li et al. A system for massively parallel hyperparameter tuning. MLSys 2020.",
    "curve": "K. Swersky, J. Snoek and R. P. Adams. Freeze-thaw Bayesian optimization. arXiv 1406.3896, "
    "2014.",
    "gp": "N. Srinivas et al. Gaussian process optimization in the bandit setting. ICML 2010.",
    "halving": "K. Jamieson and A. Talwalkar. Non-stochastic best arm identification and hyperparameter "
    "optimization. AISTATS 2016.",
    "hyperband": "L. Li et al. Hyperband: a novel bandit-based approach to hyperparameter optimization. "
    "JMLR 18, 2018.",
    "median": "D. Golovin et al. Google Vizier: a service for black-box optimization. KDD 2017.",
    "pbt": "M. Jaderberg et al. Population based training of neural networks. arXiv 1711.09846, 2017.",
    "race": "E. Bergman, L. Purucker and F. Hutter. Don't waste your time: early stopping "
    "cross-validation. AutoML 2024.",
    "random": "J. Bergstra and Y. Bengio. Random search for hyper-parameter optimization. JMLR 13, 2012.",
    "tpe": "S. Watanabe. Tree-structured Parzen estimator: understanding its algorithm components and "
    "their roles for better empirical performance. arXiv 2304.11127, 2023.",
}
# what each registered part is called in a sentence, and the papers that go with it
SAMPLERS: Known = {
    "auto": ("a Gaussian process or a tree-structured Parzen estimator, by how each foresaw trials", ("gp", "tpe")),
    "gp": ("Bayesian optimisation with a Gaussian process", ("gp",)),
    "grid": ("grid search", ()),
    "queue": ("a list of configurations", ()),
    "quasirandom": ("quasi-random search with a scrambled Sobol' sequence", ("random",)),
    "random": ("random search", ("random",)),
    "tpe": ("a tree-structured Parzen estimator", ("tpe",)),
}  # fmt: skip
SCHEDULERS: Known = {
    "asha": ("asynchronous successive halving", ("asha",)),
    "curve": ("extrapolation of learning curves", ("curve",)),
    "hyperband": ("Hyperband", ("hyperband",)),
    "median": ("the median stopping rule", ("median",)),
    "pbt": ("population-based training", ("pbt",)),
    "race": ("a race over folds", ("race",)),
    "successivehalving": ("successive halving", ("halving",)),
}


def methods(
    history: History[Any],
    seed: int,
    sampler: Part,
    scheduler: Part | None,
    confirmation: Confirmation[Any] | None = None,
) -> str:
    """Return paragraphs in the past tense: what was tuned, how, at which expense, with what outcome.

    Args:
        history: The study's trials.
        seed: Of everything random in it.
        sampler: Who proposed last.
        scheduler: Who decided how long trials went on, if anybody did.
        confirmation: Of its best on fresh seeds, if there was one.
    """
    cited: list[str] = []
    sentences = [
        *_searched(history, sampler, scheduler, cited),
        *_expense(history, seed),
        *_outcome(history),
        *_confirmed(history, confirmation),
        *_made_with(history),
    ]
    rows = [f"  {name}: {ranged(p)}" for name, p in history.problem.space.parameters.items()]
    rows += [f"  such that {text}" for text in history.problem.space.constraints]
    references = [f"  [{i}] {PAPERS[name]}" for i, name in enumerate(cited, 1)]
    parts = [" ".join(sentences), "\n".join(["Search space:", *rows])]
    if references:
        parts.append("\n".join(["References:", *references]))
    return "\n\n".join(parts) + "\n"


def _cite(references: tuple[str, ...], cited: list[str]) -> str:
    cited += [one for one in references if one not in cited]
    return "".join(f" [{cited.index(one) + 1}]" for one in references)


def _named(part: Part, known: Known, cited: list[str]) -> str:
    words, references = known.get(part.name, (shown(part), ()))
    return words + _cite(references, cited)


def _searched(
    history: History[Any], sampler: Part, scheduler: Part | None, cited: list[str]
) -> list[str]:
    problem = history.problem
    verbs = {"minimize": "minimised", "maximize": "maximised"}
    aims = " and ".join(f"{o.name} was {verbs[o.direction]}" for o in problem.objectives)
    if problem.limits:
        aims += ", subject to " + " and ".join(limit.text for limit in problem.limits)
    sources = Counter(record.source for record in history)
    proposed = f"Configurations were proposed by {_named(sampler, SAMPLERS, cited)}"
    baseline = baseline_of(history)
    if baseline is not None:
        which = "the default" if baseline_name(baseline) == "default" else "the centre of the space"
        proposed += f", after {which}"
    if sources["queue"]:
        proposed += f"; {_were(sources['queue'], 'configuration')} given by hand"
    n = len(problem.space.names)
    names = f"{plural(n, 'hyperparameter')} (listed below) {'was' if n == 1 else 'were'} tuned"
    said = [f"{names}: {aims}.", f"{proposed}."]
    if problem.resource is not None:
        full = f"A full training took {plural(problem.resource.max, problem.resource.name)}"
        if scheduler is not None:
            full += f"; trainings were ended early by {_named(scheduler, SCHEDULERS, cited)}"
        said.append(f"{full}.")
    return said


def _expense(history: History[Any], seed: int) -> list[str]:
    counts = {
        "completed": history.count("complete"),
        "ended early": history.count("stopped"),
        "failed": history.count("failed"),
        "not finished": history.count("running", "paused"),
    }
    there = {what: n for what, n in counts.items() if n}
    total = f"{_were(len(history), 'trial')} run"
    if len(there) == 1:
        [(what, n)] = there.items()
        were = "" if what == "failed" else "was " if n == 1 else "were "
        total += f", {'which' if n == 1 else 'all of which'} {were}{what}"
    elif there:
        listed = ", ".join(
            f"{_were(n) if what != 'failed' else f'{n:,}'} {what}" for what, n in there.items()
        )
        total += f", of which {listed}"
    if history.problem.resource is not None:
        total += f" ({plural(history.spent, history.problem.resource.name)} in all)"
    if again := sum(record.source == "replicate" for record in history):
        total += f"; {plural(again, 'trial')} of them evaluated a configuration again, on seeds that all shared"
    seeds = f"The seed of the search was {seed}, from which that of each trial was derived"
    return [f"{total}.", f"{seeds}."]


def _were(n: int, noun: str = "") -> str:
    return f"{plural(n, noun) if noun else f'{n:,}'} {'was' if n == 1 else 'were'}"


def _outcome(history: History[Any]) -> list[str]:
    try:
        if len(history.problem.objectives) > 1:
            return [f"{_were(len(history.front), 'trial')} not dominated by any other."]
        best = history.best
    except NoTrials:
        return []
    objective = history.problem.objectives[0].name
    said = f"The best observed {objective} was {number(best.value)}, of trial {best.number} ({_params(best)})"
    baseline = baseline_of(history)
    if baseline is not None and baseline.state == "complete" and baseline is not best:
        said += f"; the {baseline_name(baseline)} had {number(baseline.value)}"
    return [
        f"{said}.",
        "As the best of several measurements this value is optimistic; it is no estimate of a new one.",
    ]


def _confirmed(history: History[Any], found: Confirmation[Any] | None) -> list[str]:
    if found is None:
        return []
    objective, chosen = history.problem.objectives[0].name, found.choice
    of = "" if chosen.baseline else f" ({_params(chosen.record)})"
    fresh = f"{_were(len(found.finalists), 'configuration')} evaluated again on seeds that the search had not used ({plural(found.evaluations, 'evaluation')} in all)"
    worth = f"{chosen.name}{of} was chosen, and its {objective} estimated as {Estimate(found.estimate, found.interval)} (90 % interval)"
    default = ""
    if found.default is not None and found.default is not found.choice:
        its = Estimate(found.default.mean, found.default.interval)
        default = f"; that of {stands(found.default)} was {its}"
    return [f"{fresh}.", f"Of these {worth}{default}."]


def _params(record: Record[Any]) -> str:
    return ", ".join(
        f"{name} = {number(value) if isinstance(value, float) else value}"
        for name, value in record.logged.items()
    )


def _made_with(history: History[Any]) -> list[str]:
    """Versions, machine, code and data, as far as they are known and the same all the time."""
    places = {place for record in history for place in record.ran}
    known = [history.problem.joined[place] for place in sorted(places)]
    if not known:
        return []
    last = known[-1]
    packages = ", ".join(f"{name} {version}" for name, version in sorted(last.packages.items()))
    gpus = Counter(last.gpus)
    cards = "".join(f", {n} x {name}" for name, n in gpus.items())
    said = [
        f"Software: Python {last.python}, {packages}.",
        f"Hardware: {last.cpu}, {plural(last.cores, 'core')}, {last.memory_bytes / 1e9:.0f} GB{cards}.",
    ]
    revisions = list(dict.fromkeys(one.commit[:7] for one in known if one.commit))
    if revisions:
        dirty = ", with changes that were not committed" * any(one.dirty for one in known)
        said.append(f"Code: git {', '.join(revisions)}{dirty}.")
    data = list(dict.fromkeys(one.data for one in known if one.data))
    if data:
        said.append(f"Data: fingerprint {', '.join(data)}.")
    return said

"""What a report says, as sections of sentences and tables; HTML and Markdown are two ways to write them down.

The first one is for who reads no further. A sentence stands only where the analysis behind it has an answer.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from tunesmith._core.words import number, plural
from tunesmith.analysis import Effect, Estimate, Gain, Importance, Recommendation
from tunesmith.analysis.forecast import lasting
from tunesmith.analysis.recommendation import within
from tunesmith.models.gains import LEAST
from tunesmith.plots.words import label, listed
from tunesmith.records import Record, State
from tunesmith.report.answers import Answers
from tunesmith.report.words import ranged, sentence

SURE = 0.95  # chance, from which on the default is beaten
FEW = 6  # names in a sentence, trials in a table of those on the front
LITTLE = 0.3  # share that a model must explain
SMALL = 0.01  # share, below which a parameter is not named
TOP = 3  # parameters in a sentence
STATES: dict[State, tuple[str, str]] = {
    "complete": ("completed", "completed"),
    "stopped": ("was stopped early", "were stopped early"),
    "failed": ("failed", "failed"),
    "running": ("is running", "are running"),
    "paused": ("is paused", "are paused"),
}


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts.

    Attributes:
        about: What it shows.
        heads: Of the columns.
        rows: The first cell of each is its head.
    """

    about: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@final
@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report.

    Attributes:
        title: Its heading.
        said: Sentences, a paragraph each.
        items: Sentences, of which each stands for itself.
        tables: Behind them.
        exact: Text that is to be copied as it is, and what it is.
    """

    title: str
    said: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    exact: tuple[str, str] | None = None


def sections(a: Answers) -> list[Section]:
    """Return what is said of a study; sections that have nothing to say are left out."""
    found = [_short(a), _gained(a), _mattered(a), _next(a), _spent(a)]
    return [one for one in found if one.said or one.items or one.tables]


def heading(a: Answers) -> str:
    """Return what was tuned in a few words: "accuracy, higher is better · 30 trials"."""
    ways = {"minimize": "lower", "maximize": "higher"}
    aims = [f"{o.name}, {ways[o.direction]} is better" for o in a.history.problem.objectives]
    return " · ".join([*aims, plural(len(a.history), "trial")])


def _names(a: Answers) -> list[str]:
    """Names, which keep their small letters at the beginning of a sentence."""
    metrics = next((list(r.values) for r in a.history if r.values), [])
    return [*a.history.problem.space.names, *a.objectives, *metrics]


def _short(a: Answers) -> Section:
    said = [_tuned(a), _outcome(a), " ".join(_depends(a)), " ".join(_advised(a))]
    return Section("In short", tuple(one for one in said if one))


def _tuned(a: Answers) -> str:
    problem, history = a.history.problem, a.history
    ways = {"minimize": "as low", "maximize": "as high"}
    aims = listed([f"{o.name} {ways[o.direction]} as possible" for o in problem.objectives])
    limits = "".join(f", with {limit.text}" for limit in problem.limits)
    n = len(problem.space.names)
    names = f" ({listed(list(problem.space.names))})" if 0 < n <= FEW else ""
    were = "was" if n == 1 else "were"
    text = f"{plural(n, 'hyperparameter')}{names} {were} tuned, to have {aims}{limits}."
    text += f" {_counted(history.count, len(history))}"
    spending = a.spending
    if spending is not None and spending.work_s:
        text += f" That took {lasting(spending.work_s)} of work"
        text += (
            f" in {lasting(spending.wall_s)}, with up to {spending.workers} trials at once."
            if spending.workers > 1
            else "."
        )
    return text


def _counted(count: Any, total: int) -> str:
    """How many trials there are, and what became of them."""
    if not total:
        return "No trial has begun yet."
    counts = {state: count(state) for state in STATES}
    states = [state for state, n in counts.items() if n]
    begun = f"{plural(total, 'trial')} {'was' if total == 1 else 'were'} begun"
    if len(states) == 1:
        word = STATES[states[0]][total > 1]
        return (
            f"{plural(total, 'trial')} {word}." if total == 1 else f"All {total:,} trials {word}."
        )
    parts = [f"{counts[state]:,} {STATES[state][counts[state] > 1]}" for state in states]
    return f"{begun}: {listed(parts)}."


def _outcome(a: Answers) -> str:
    if len(a.objectives) > 1:
        return _of_front(a)
    told = a.recommended
    if told is None:
        return _nothing(a)
    objective = a.objectives[0]
    what = Estimate(told.mean, told.interval)
    if math.isnan(told.noise):
        text = (
            f"The best that was measured is {objective} {number(told.observed.value)}, by trial "
            f"{told.observed.number}; there are too few evaluations to tell it from luck."
        )
        return f"{text} {_against_measured(told)}".strip()
    text = f"Trial {told.record.number} is recommended: its expected {objective} is {what} (90% interval)."
    return " ".join([text, *_beside(a, told)])


def _against_measured(told: Recommendation[Any]) -> str:
    if told.default is None or told.record.source == "default":
        return ""
    return f"The {told.baseline} measured {number(told.default.mean)}."


def _nothing(a: Answers) -> str:
    failed, total = a.history.count("failed"), len(a.history)
    if not total:
        return ""
    if failed == total:
        return "So nothing is known of what was to be tuned; what they failed by stands below."
    if a.history.count("complete"):
        limits = listed([limit.text for limit in a.history.problem.limits])
        return f"None of those that completed keeps {limits}."
    return "None has completed, so nothing can be said of their outcome yet."


def _beside(a: Answers, told: Recommendation[Any]) -> Iterator[str]:
    """How it compares with the default, with others, and with what was measured."""
    if told.default is not None:
        if math.isnan(told.chance):
            yield f"It is the {told.baseline} itself: nothing that was tried is expected to be better."
        elif told.chance < SURE:
            yield (
                f"The {told.baseline} has {told.default}; the two cannot be told apart with confidence: the chance that "
                f"the recommended one is better is {_chance(told.chance)}."
            )
        else:
            gain = abs(told.mean - told.default.mean)
            yield (
                f"The {told.baseline} has {told.default}, so tuning has gained {gain:.2g}; the chance that it is a gain "
                f"is {_chance(told.chance)}."
            )
    n = len(told.rivals)
    if n:
        which = (
            f"trial{'s' * (n > 1)} {listed([str(r.number) for r in told.rivals])}"
            if n <= FEW
            else f"{n:,} others"
        )
        yield f"It cannot be told apart from {which}."
    if told.lucky:
        yield (
            f"Trial {told.observed.number} measured the best value, {number(told.observed.value)}, but is expected to have "
            f"{number(told.expected)}."
        )
    found = a.facts.confirmation
    if found is not None:
        worth = Estimate(found.estimate, found.interval)
        yield f"On fresh seeds {found.choice.name} was confirmed, with {a.objectives[0]} {worth}."


def _chance(chance: float) -> str:
    if chance > 0.999:
        return "over 99.9%"
    return f"{chance:.1%}" if chance > 0.99 else f"{chance:.0%}"


def _of_front(a: Answers) -> str:
    if not a.front:
        return _nothing(a)
    n = len(a.front)
    text = f"{plural(n, 'trial')} {'is' if n == 1 else 'are'} beaten by no other in all of {listed(a.objectives)}."
    found = a.hypervolume
    if found is not None and found.paid < len(a.history) - 1:
        text += f" None since trial {found.paid} has added to them."
    return text


def _depends(a: Answers) -> Iterator[str]:
    """What the objectives depend on; why nothing is said, if nothing can be."""
    complete = a.history.count("complete")
    if complete and not a.importance:
        yield (
            f"What matters can be said from {LEAST} completed trials on, there {'is' if complete == 1 else 'are'} "
            f"{complete}."
        )
    for name, told in a.importance.items():
        shown = [e for e in told.effects if e.share >= SMALL][:TOP]
        sure = [e for e in shown if e.interval[0] >= SMALL]
        if not shown:
            yield f"No hyperparameter shows an effect on {name}."
        elif told.explained < LITTLE:
            yield (
                f"What decides {name} cannot be said: a model foresees only {told.explained:.0%} of its differences."
            )
        elif sure:
            yield f"What decides {name}: {_weighed(sure)}."
        else:
            yield f"Nothing is certain to decide {name} yet; the most likely is {_weighed(shown[:1])}."


def _weighed(effects: Sequence[Effect]) -> str:
    first, *others = effects
    said = [f"{first.parameter} ({first.share:.0%} of its variance)"]
    return listed([*said, *(f"{effect.parameter} ({effect.share:.0%})" for effect in others)])


def _advised(a: Answers) -> Iterator[str]:
    """The most that is to be done next."""
    if a.advice:
        yield sentence(str(a.advice[0]), _names(a))
    if a.forecast is not None:
        yield _foreseen(a)


def _foreseen(a: Answers) -> str:
    told = a.forecast
    if told is None:
        return ""
    if not told.trials:
        return "Every configuration has been tried."
    low, high = told.interval
    if not high:
        return f"Nothing is expected to be gained by {plural(told.trials, 'more trial')}."
    than = "more than the noise" if told.noise.by else "anything"
    text = (
        f"{plural(told.trials, 'more trial')} would make the best measured {told.objective} better by {low:.2g} to {high:.2g} "
        f"(median {told.gain:.2g}); the chance that they gain {than} is {_chance(told.chance)}"
    )
    if math.isnan(told.seconds):
        return f"{text}."
    return f"{text}, and they take about {lasting(told.seconds)}."


def _gained(a: Answers) -> Section:
    title = "What was gained"
    if len(a.objectives) > 1:
        return Section(title, (), (), (_front_table(a),) if a.front else ())
    told = a.recommended
    if told is None:
        return Section(title)
    said: list[str] = []
    why = a.why
    if why is not None and why.trial == told.record.number:
        said += [sentence(line, _names(a)) for line in str(why).splitlines()]
    if a.facts.confirmation is not None:
        said += [f"Confirmation: {line}." for line in str(a.facts.confirmation).splitlines()]
    if a.overtuning is not None and a.overtuning.test:
        said += [sentence(line, _names(a)) for line in str(a.overtuning).splitlines()[:3]]
    if a.sensitivity is not None:
        said.append(sentence(str(a.sensitivity.seeds)))
    attached = list(told.record.attachments)
    if attached:
        said.append(f"Attached to trial {told.record.number}: {listed(attached)}.")
    params = json.dumps(told.record.logged, indent=2, default=str)
    exact = f"The params of trial {told.record.number}, exactly", params
    return Section(title, (), tuple(said), (_outcome_table(a, told),), exact)


def _outcome_table(a: Answers, told: Recommendation[Any]) -> Table:
    """The recommended, the best measured, the confirmed and the default: what was measured, and what is expected."""
    objective = a.objectives[0]
    known = not math.isnan(told.noise)
    rows: list[tuple[str, Record[Any], str]] = []
    if known:
        rows.append(("recommended", told.record, str(Estimate(told.mean, told.interval))))
    if told.lucky or not known:
        rows.append(("best measured", told.observed, number(told.expected)))
    found = a.facts.confirmation
    if found is not None and not found.choice.baseline:
        worth = str(Estimate(found.estimate, found.interval))
        rows.append(("confirmed", found.choice.record, worth))
    if a.baseline is not None and a.baseline.number not in {r.number for _, r, _ in rows}:
        rows.append((told.baseline, a.baseline, str(told.default) if told.default else ""))
    records = [a.history.averaged(record) for _, record, _ in rows]
    metrics = list(
        dict.fromkeys([objective, *(name for record in records for name in record.values)])
    )
    return Table(
        "What was measured, and what is expected with its 90% interval" if known else "What was measured",
        ("", "trial", *[f"{objective} expected"] * known, f"{objective} measured", *metrics[1:]),
        tuple(
            (name, str(record.number), *[expected] * known, *(_measured(record, metric) for metric in metrics))
            for (name, _, expected), record in zip(rows, records, strict=True)
        ),
    )  # fmt: skip


def _measured(record: Record[Any], metric: str) -> str:
    value = record.values.get(metric)
    return "" if value is None else number(value)


def _front_table(a: Answers) -> Table:
    """The ends of the front, and some between."""
    first = a.objectives[0]
    line = sorted(a.front, key=lambda record: record.values[first])
    some = sorted({round(i * (len(line) - 1) / (FEW - 1)) for i in range(FEW)})
    shown = [line[i] for i in some]
    rest = f", {len(shown)} of {len(line)}" if len(shown) < len(line) else ""
    named = list(dict.fromkeys(name for record in shown for name in record.logged))
    return Table(
        f"Trials that no other beats{rest}",
        ("trial", *a.objectives, *named),
        tuple(
            (str(r.number), *(_measured(r, n) for n in a.objectives), *(label(r.logged.get(n, "")) for n in named))
            for r in shown
        ),
    )  # fmt: skip


def _mattered(a: Answers) -> Section:
    space = a.history.problem.space
    if not space.names:
        return Section("What mattered")
    told = a.recommended if len(a.objectives) == 1 else None
    default = a.baseline
    heads, columns = ["hyperparameter", "range"], []
    if default is not None:
        heads.append(default.note)
        columns.append({n: label(v) for n, v in default.logged.items()})
    if told is not None:
        heads.append("best" if math.isnan(told.noise) else "recommended")
        columns.append({n: label(v) for n, v in told.record.logged.items()})
    for name in a.objectives:
        of = f" of {name}" if len(a.objectives) > 1 else ""
        if name in a.importance:
            heads.append(f"share of the variance{of}")
            columns.append(_shares(a.importance[name]))
        if name in a.tunability:
            heads.append(f"gain{of} if tuned alone")
            columns.append({g.parameters[0]: _gain(g) for g in a.tunability[name].single})
    shares: dict[str, float] = {}
    for found in a.importance.values():
        for effect in found.effects:
            shares[effect.parameter] = max(shares.get(effect.parameter, 0.0), effect.share)
    names = sorted(space.names, key=lambda name: -shares.get(name, 0.0))
    parameters = space.parameters
    rows = [
        (name, _domain(parameters[name]), *(column.get(name, "") for column in columns))
        for name in names
    ]
    about = "Hyperparameters, the most important first"
    if a.importance:
        about += "; in brackets where a figure lies with a probability of 90%"
    return Section(
        "What mattered", (), tuple(_together(a)),
        (Table(about if shares else "Hyperparameters", tuple(heads), tuple(rows)),),
    )  # fmt: skip


def _domain(parameter: Any) -> str:
    when = parameter.when
    if when is None:
        return ranged(parameter)
    said = (
        when if isinstance(when, str) else listed([f"{n} is {_either(v)}" for n, v in when.items()])
    )
    return f"{ranged(parameter)}, if {said}"


def _either(values: Any) -> str:
    return " or ".join(map(str, values)) if isinstance(values, list | tuple | set) else str(values)


def _shares(told: Importance) -> dict[str, str]:
    shown = {}
    for effect in told.effects:
        low, high = effect.interval
        shown[effect.parameter] = f"{effect.share:.0%} ({low:.0%} to {high:.0%})"
    return shown


def _gain(gain: Gain) -> str:
    if gain.sure:
        return within(gain.gain, gain.interval)
    high = gain.interval[1]
    return f"none for certain (up to {high:.2g})" if high > 0 else "none"


def _together(a: Answers) -> Iterator[str]:
    """What two parameters do together, and what tuning everything gains."""
    for name, told in a.tunability.items():
        if told.total.sure:
            gain = within(told.total.gain, told.total.interval)
            yield (
                f"Tuning everything gains {gain} in {name} over the {told.called}, "
                f"as a model foresees it."
            )
    for name, found in a.importance.items():
        if found.explained < LITTLE and any(effect.share for effect in found.effects):
            yield (
                f"A model foresees only {found.explained:.0%} of the differences in {name}: do not rely on the shares."
            )
            continue
        sure = [i for i in found.interactions if i.interval[0] >= SMALL][:TOP]
        if sure:
            pairs = listed([f"{' and '.join(i.parameters)} ({i.share:.0%})" for i in sure])
            yield f"In pairs, beyond what each does, {name} depends on {pairs}."


def _next(a: Answers) -> Section:
    items = [sentence(str(one), _names(a)) for one in a.advice]
    for finding in a.diagnosis.findings:
        n = len(finding.trials)
        items.append(
            f"Trainings: {n} of {finding.judged} {'is' if n == 1 else 'are'} {finding.kind}. {finding.text}"
        )
        items += [sentence(str(move), _names(a)) for move in finding.moves]
    if a.forecast is not None:
        items.append(_foreseen(a))
    items += _failed(a)
    if a.facts.confirmation is None and a.recommended is not None and _confirmable(a.recommended):
        items.append(
            "What is expected rests on the measurements by which it was chosen; study.confirm(objective) evaluates the best "
            "and the default again, on fresh seeds."
        )
    return Section("What to do next", (), tuple(items))


def _confirmable(told: Recommendation[Any]) -> bool:
    """Whether luck may have had a part in it."""
    return not math.isnan(told.noise) and told.noise > 0


def _failed(a: Answers) -> list[str]:
    failed = [r for r in a.history if r.failure is not None] if a.history.count("failed") else []
    lines = Counter(last_line(record) for record in failed)
    items = []
    for line, n in lines.most_common(TOP):
        example = next(r.number for r in failed if last_line(r) == line)
        who = f"Trial {example}" if n == 1 else f"{n:,} trials, such as trial {example},"
        items.append(f"{who} failed by {line}")
    return items


def last_line(record: Record[Any]) -> str:
    """Return the kind of a failure, and the last line of its text; empty: it has not failed."""
    failure = record.failure
    return "" if failure is None else f"{failure.kind}: {failure.last}".removesuffix(": ")


def _spent(a: Answers) -> Section:
    if a.spending is None or not a.spending.work_s:
        return Section("Where the time went")
    return Section(
        "Where the time went", (), tuple(sentence(line) for line in str(a.spending).splitlines())
    )

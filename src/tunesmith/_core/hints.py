"""What people and their assistants know by heart from other tuners, and how it is said here.

The table answers names that do not exist; nothing of it is visible to type checkers.
"""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import wraps
from typing import Any, NoReturn, Protocol, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


class Keywords(Protocol):
    """A decorator that leaves a function's type as it is."""

    def __call__(self, function: F) -> F:
        """Return the function, decorated."""


_SPACE = (
    'write the space beside the objective: {"lr": ts.Float(1e-5, 1e-1, log=True)}, '
    'and read trial["lr"]'
)

ATTRIBUTES: dict[str, dict[str, str]] = {
    "tunesmith": {
        "create_study": 'ts.Study({"lr": ts.Float(1e-5, 1e-1, log=True)}, minimize="loss")',
        "load_study": 'ts.load("tunesmith.db", "name")',
        "delete_study": 'ts.delete("tunesmith.db", "name")',
        "copy_study": 'study.save("copy.db")',
        "get_all_study_names": 'ts.studies("tunesmith.db")',
        "get_all_study_summaries": 'ts.studies("tunesmith.db")',
        "TrialPruned": "trial.report(step, loss=...) ends the trial by itself",
        "fmin": "ts.minimize(objective, space, trials=100)",
        "hp": '{"lr": ts.Float(1e-5, 1e-1, log=True), "act": ts.Categorical(["relu", "gelu"])}',
        "Tuner": "ts.minimize(objective, space, trials=100)",
        "sweep": "ts.minimize(objective, space, trials=100)",
        "uniform": '{"lr": ts.Float(0, 1)}',
        "loguniform": '{"lr": ts.Float(1e-5, 1e-1, log=True)}',
        "choice": '{"act": ts.Categorical(["relu", "gelu"])}',
        "randint": '{"depth": ts.Int(1, 12)}',
        "pruners": "scheduler=ts.schedulers.ASHA() of the study",
        "distributions": '{"lr": ts.Float(1e-5, 1e-1, log=True)}',
        "visualization": "study.history.to_pandas()",
    },
    "tunesmith.samplers": {
        "TPESampler": "ts.samplers.TPE()",
        "GPSampler": "ts.samplers.GP()",
        "CmaEsSampler": "the default, ts.samplers.Auto()",
        "RandomSampler": "ts.samplers.Random()",
        "QMCSampler": "ts.samplers.QuasiRandom()",
        "GridSampler": "ts.samplers.Grid()",
        "BruteForceSampler": "ts.samplers.Grid()",
    },
    "tunesmith.schedulers": {
        "ASHAScheduler": "ts.schedulers.ASHA(factor=3)",
        "AsyncHyperBandScheduler": "ts.schedulers.ASHA(factor=3)",
        "SuccessiveHalvingPruner": "ts.schedulers.ASHA(factor=3)",
        "HyperBandScheduler": "ts.schedulers.Hyperband()",
        "HyperbandPruner": "ts.schedulers.Hyperband()",
        "HyperBand": "ts.schedulers.Hyperband()",
        "MedianPruner": "ts.schedulers.Median()",
        "MedianStoppingRule": "ts.schedulers.Median()",
        "PopulationBasedTraining": "ts.schedulers.PBT(interval=5)",
        "PB2": "ts.schedulers.PBT(interval=5)",
        "FIFOScheduler": "scheduler=None",
        "NopPruner": "scheduler=None",
    },
    "Study": {
        "optimize": "study.run(objective, trials=100)",
        "best_params": "study.best.params",
        "best_value": "study.best.value",
        "best_trial": "study.best",
        "best_trials": "study.front",
        "trials": "study.history",
        "get_trials": "study.history",
        "trials_dataframe": "study.history.to_pandas()",
        "enqueue_trial": 'study.enqueue({"lr": 1e-3})',
        "set_user_attr": 'study.note("text", tags=["tag"])',
        "add_trial": 'study.enqueue({"lr": 1e-3})',
        "stop": "until=ts.stop.Target(0.99) in study.run",
        "user_attrs": "study.notes",
        "study_name": "study.name",
        "direction": "study.problem.objectives",
        "directions": "study.problem.objectives",
        "fit": "study.run(objective, trials=100)",
        "search": "study.run(objective, trials=100)",
        "suggest": "study.ask()",
        "observe": "study.tell(trial, 0.93)",
        "best_config": "study.best.params",
        "cv_results_": "study.history.to_dict()",
    },
    "Trial": {
        "suggest_float": _SPACE,
        "suggest_int": _SPACE.replace('"lr": ts.Float(1e-5, 1e-1, log=True)', '"depth": ts.Int(1, 12)')
        .replace('trial["lr"]', 'trial["depth"]'),
        "suggest_categorical": _SPACE.replace(
            '"lr": ts.Float(1e-5, 1e-1, log=True)', '"act": ts.Categorical(["relu", "gelu"])'
        ).replace('trial["lr"]', 'trial["act"]'),
        "suggest_uniform": _SPACE,
        "suggest_loguniform": _SPACE,
        "suggest_discrete_uniform": _SPACE.replace("log=True", "step=0.1"),
        "should_prune": "trial.report(step, loss=...) ends the trial by itself; "
        "in a callback: if trial.decide(step, loss=...): stop",
        "set_user_attr": 'trial.note("text", tags=["tag"], seconds=1.5)',
        "user_attrs": "study.notes",
        "set_constraint": 'subject_to=["latency_ms <= 20"] of the study',
        "config": "trial.params",
        "log_artifact": 'trial.attach("model.pt")',
        "upload_artifact": 'trial.attach("model.pt")',
        "_trial_id": "trial.number",
    },
}  # fmt: skip

KEYWORDS = {
    "n_trials": "trials=100",
    "num_samples": "trials=100",
    "n_iter": "trials=100",
    "max_evals": "trials=100",
    "max_trials": "trials=100",
    "direction": 'maximize="accuracy" or minimize="loss"',
    "directions": 'minimize=["loss", "latency"]',
    "mode": 'maximize="accuracy" or minimize="loss"',
    "study_name": 'name="digits"',
    "load_if_exists": 'name="digits" opens the study if it exists',
    "search_space": "the space as the first argument",
    "show_progress_bar": "progress=False",
    "algo": "sampler=ts.samplers.Random()",
    "random_state": "seed=7",
    "n_jobs": "workers=4",
    "callbacks": "trial.report(step, ...) in the objective, and until= for when to end",
    "pruner": 'scheduler=ts.schedulers.ASHA(), and resource=ts.Resource("epoch", max=30)',
    "verbose": "progress=False",
    "q": "ts.Float(0, 1, step=0.1) in the space",
    "gc_after_trial": "gc.collect() in the objective",
    "state": "study.fail(trial, error)",
}


def _sentence(name: str, instead: str) -> str:
    return f"{name} is another tool's word; here: {instead}"


def hint_attribute(place: str) -> Callable[[Any, str], NoReturn]:
    """Return a `__getattr__` for the class `place` that answers known names with our line."""

    def getattribute(self: Any, name: str) -> NoReturn:
        instead = ATTRIBUTES[place].get(name)
        if instead is None:
            raise AttributeError(f"{place} has no attribute {name!r}", name=name, obj=self)
        # without `obj`, so that Python adds no guess of its own
        raise AttributeError(_sentence(f"{place}.{name}", instead))

    return getattribute


def hint_of_module(module: str, name: str) -> AttributeError:
    """Return the error that a module's `__getattr__` raises for an unknown name."""
    instead = ATTRIBUTES.get(module, {}).get(name)
    if instead is None:
        return AttributeError(f"module {module!r} has no attribute {name!r}", name=name)
    return AttributeError(_sentence(name, instead))


def hint_keywords(names: Iterable[str] = (), own: Mapping[str, str] | None = None) -> Keywords:
    """Return a decorator: unknown keywords are answered with ours.

    Args:
        names: What the function takes beside the parameters that it names.
        own: Further words, and what is written here.
    """
    instead = KEYWORDS | dict(own or {})

    def decorate(function: F) -> F:
        code = function.__code__
        named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        known = frozenset(named).union(names)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for name in kwargs:
                if name not in known:
                    raise TypeError(_unknown(function.__qualname__, name, known, instead))
            return function(*args, **kwargs)

        return cast("F", call)

    return decorate


def _unknown(function: str, name: str, known: frozenset[str], instead: Mapping[str, str]) -> str:
    if name in instead:
        return _sentence(f"{name}=", instead[name])
    takes = sorted(known - {"self"})
    close = get_close_matches(name, takes, 1)
    guess = f"did you mean {close[0]}=?" if close else f"it takes {', '.join(takes)}"
    return f"{function.removesuffix('.__init__')} takes no {name}=; {guess}"

"""Early stopping of boosting within the folds of a search, on each fold's own test samples.

How many trees are enough is known as soon as more of them do not help, and need not be searched. So
the limit is set high, each fold ends `patience` rounds after its best one, and the last fit, which
has no samples to look at, takes the median of what the folds found. The libraries are known by their
classes' names, so that none is imported that is not there.
"""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, ClassVar, final

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object, process_routing

from tunesmith.integrations.sklearn.places import length, samples, share
from tunesmith.integrations.sklearn.scoring import routing_enabled
from tunesmith.records import Record

ROUNDS = "best_iteration"  # the metric of a fold: how many rounds its best model has
RATE = "learning_rate"  # likewise, where a library derives it from the limit of rounds
PATIENCE = 10  # rounds without a better one that are waited for at least


@final
@dataclass(frozen=True)
class Held:
    """The samples on which a fold is tested.

    Attributes:
        X: The samples.
        y: What belongs to them.
        params: What fit's arguments hold for them, sample weights and the like.
    """

    X: Any
    y: Any
    params: Mapping[str, Any]


class Library(ABC):
    """How the estimators of a boosting library are told to stop, and tell where they did.

    Attributes:
        limits: Names of the setting that limits the rounds: the first that is set counts.
        unset: The limit where it is not set.
        given: Arguments of `fit` that bring validation samples of the user's own.
        shares: Arguments of `fit` with an entry for each sample, and their names for the held samples.
    """

    limits: ClassVar[tuple[str, ...]]
    unset: ClassVar[int] = 100
    given: ClassVar[tuple[str, ...]] = ("eval_set",)
    shares: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def able(self, model: Any) -> bool:
        """Return whether a model, as it is set, can be stopped."""

    @abstractmethod
    def watch(self, model: Any, held: Held, patience: int, params: dict[str, Any]) -> None:
        """Set a model, and the arguments of its fit, to stop by the held samples.

        Where the user has set when to stop, that holds.
        """

    @abstractmethod
    def found(self, model: Any) -> dict[str, float]:
        """Return the number of rounds, 1-based, after which a fitted model was best."""

    @abstractmethod
    def release(self, model: Any, params: dict[str, Any]) -> None:
        """Set a model, and the arguments of its fit, to do without held samples."""

    @final
    def limit(self, model: Any) -> tuple[str, int]:
        """Return the name of the setting that limits the rounds, and its value."""
        values = model.get_params()
        name = next((one for one in self.limits if values.get(one) is not None), self.limits[0])
        value = values.get(name)
        return name, self.unset if value is None else int(value)

    @final
    def shared(self, held: Held) -> dict[str, Any]:
        """Return weights and the like of the held samples, by the library's names for them."""
        found = {theirs: held.params.get(ours) for ours, theirs in self.shares.items()}
        return {name: value for name, value in found.items() if value is not None}


@final
class XGBoost(Library):
    """XGBoost: the metric is its own for the objective, unless the user has set `eval_metric`."""

    limits = ("n_estimators",)
    shares: ClassVar = {
        "sample_weight": "sample_weight_eval_set",
        "base_margin": "base_margin_eval_set",
    }

    def able(self, model: Any) -> bool:
        return model.booster in (None, "gbtree")  # the others predict with all rounds

    def watch(self, model: Any, held: Held, patience: int, params: dict[str, Any]) -> None:
        if model.early_stopping_rounds is None and not any(map(_stops, model.callbacks or ())):
            model.set_params(early_stopping_rounds=patience)
        params |= {"eval_set": [(held.X, held.y)]}
        params |= {name: [value] for name, value in self.shared(held).items()}
        params.setdefault("verbose", False)  # it would print each round

    def found(self, model: Any) -> dict[str, float]:
        return {ROUNDS: model.best_iteration + 1}

    def release(self, model: Any, params: dict[str, Any]) -> None:
        others = [one for one in model.callbacks or () if not _stops(one)]
        model.set_params(early_stopping_rounds=None, callbacks=others or None)


@final
class LightGBM(Library):
    """LightGBM, by its callback."""

    limits = (
        *("num_iterations", "num_iteration", "n_iter", "num_tree", "num_trees", "num_round"),
        *("num_rounds", "nrounds", "num_boost_round", "max_iter", "n_estimators"),
    )
    given = ("eval_set", "eval_X")
    shares: ClassVar = {"sample_weight": "eval_sample_weight", "init_score": "eval_init_score"}
    patiences = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")  # fmt: skip

    def able(self, model: Any) -> bool:
        return model.boosting_type in ("gbdt", "goss")  # dart and rf have no best round

    def watch(self, model: Any, held: Held, patience: int, params: dict[str, Any]) -> None:
        callbacks = list(params.get("callbacks") or ())
        values = model.get_params()
        if not any(values.get(name) for name in self.patiences) and not any(map(_stops, callbacks)):
            stopping = import_module("lightgbm").early_stopping(patience, verbose=False)
            params["callbacks"] = [*callbacks, stopping]
        params |= {"eval_set": [(held.X, held.y)]}  # the newer eval_y is not told the class labels
        params |= {name: [value] for name, value in self.shared(held).items()}

    def found(self, model: Any) -> dict[str, float]:
        return {ROUNDS: model.best_iteration_}

    def release(self, model: Any, params: dict[str, Any]) -> None:
        values = model.get_params()
        model.set_params(**{name: None for name in self.patiences if name in values})
        if params.get("callbacks"):
            params["callbacks"] = [one for one in params["callbacks"] if not _stops(one)]


@final
class CatBoost(Library):
    """CatBoost, which derives its learning rate from the limit of rounds: it is found in the folds, too."""

    limits = ("iterations", "n_estimators", "num_boost_round", "num_trees")
    unset = 1000
    shares: ClassVar = {"sample_weight": "weight", "baseline": "baseline"}
    patiences = ("early_stopping_rounds", "od_wait", "od_type", "od_pval")
    columns = ("cat_features", "text_features", "embedding_features")

    def able(self, model: Any) -> bool:
        return True

    def watch(self, model: Any, held: Held, patience: int, params: dict[str, Any]) -> None:
        values = {**model.get_params(), **params}
        if not any(values.get(name) is not None for name in self.patiences):
            params["early_stopping_rounds"] = patience
        if values.get("use_best_model") is None:
            params["use_best_model"] = True
        shared = self.shared(held)
        if shared:
            columns = {name: values[name] for name in self.columns if name in values}
            pool = import_module("catboost").Pool
            params["eval_set"] = pool(held.X, held.y, **columns, **shared)
        else:
            params["eval_set"] = (held.X, held.y)

    def found(self, model: Any) -> dict[str, float]:
        found = {ROUNDS: model.get_best_iteration() + 1}
        values = model.get_params()
        if values.get("learning_rate") is None and values.get("eta") is None:
            found[RATE] = float(model.learning_rate_)
        return found

    def release(self, model: Any, params: dict[str, Any]) -> None:
        if model.get_params().get("use_best_model"):
            model.set_params(use_best_model=False)
        for name in ("early_stopping_rounds", "use_best_model"):
            params.pop(name, None)


@final
class Histograms(Library):
    """scikit-learn's histogram boosting, from 1.7 on.

    It keeps the trees that it has grown while it waited; the round that is told is the best one.
    """

    limits = ("max_iter",)
    given = ("X_val",)
    shares: ClassVar = {"sample_weight": "sample_weight_val"}

    def able(self, model: Any) -> bool:
        return model.early_stopping is not False and "X_val" in signature(model.fit).parameters

    def watch(self, model: Any, held: Held, patience: int, params: dict[str, Any]) -> None:
        if model.early_stopping is not True:
            model.set_params(early_stopping=True, n_iter_no_change=patience)
        params |= {"X_val": held.X, "y_val": held.y, **self.shared(held)}

    def found(self, model: Any) -> dict[str, float]:
        return {ROUNDS: int(np.argmax(model.validation_score_[1:])) + 1}  # [0] is before the first

    def release(self, model: Any, params: dict[str, Any]) -> None:
        model.set_params(early_stopping=False)


LIBRARIES: Mapping[str, Library | None] = {
    "xgboost.XGBClassifier": XGBoost(),
    "xgboost.XGBRegressor": XGBoost(),
    "xgboost.XGBRFClassifier": None,  # forests, which derive from the two above
    "xgboost.XGBRFRegressor": None,
    "lightgbm.LGBMClassifier": LightGBM(),
    "lightgbm.LGBMRegressor": LightGBM(),
    "catboost.CatBoostClassifier": CatBoost(),
    "catboost.CatBoostRegressor": CatBoost(),
    "sklearn.HistGradientBoostingClassifier": Histograms(),
    "sklearn.HistGradientBoostingRegressor": Histograms(),
}
"""By package and class; the nearest base of an estimator counts."""


def stoppable(estimator: Any) -> Library | None:
    """Return the library by which an estimator, or the last step of a pipeline, can be stopped."""
    model = _last(estimator)
    for base in type(model).__mro__:
        name = f"{base.__module__.partition('.')[0]}.{base.__name__}"
        if name in LIBRARIES:
            library = LIBRARIES[name]
            return library if library is not None and library.able(model) else None
    return None


def fit(estimator: Any, X: Any, y: Any, params: Mapping[str, Any], held: Held) -> dict[str, float]:
    """Fit an estimator, and stop where the held samples gain no more, if it can be stopped.

    A pipeline's earlier steps are fitted on the training samples, and transform the held ones.

    Args:
        estimator: What is fitted.
        X: The training samples.
        y: What belongs to them.
        params: Arguments for fit.
        held: The samples to stop by.

    Returns:
        What was found: the number of rounds, and what else the last fit has to be given.
    """
    library = stoppable(estimator)
    if library is None or y is None:
        estimator.fit(*((X,) if y is None else (X, y)), **params)
        return {}
    if isinstance(estimator, Pipeline):
        return _fit_steps(estimator, X, y, params, held)
    arguments = dict(params)
    if any(arguments.get(name) is not None for name in library.given):
        estimator.fit(X, y, **arguments)
        return {}
    _, limit = library.limit(estimator)
    patience = max(PATIENCE, limit // 10)
    library.watch(estimator, _of_known_classes(estimator, y, held), patience, arguments)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")  # LightGBM 4.7
        estimator.fit(X, y, **arguments)
    return library.found(estimator)


def pooled(record: Record[Any]) -> dict[str, float]:
    """Return the median over a candidate's folds of what they found; empty if they found nothing.

    The median, since one fold that ran to the limit shall not decide; as it is, since the loss is
    flat about its minimum, and how it moves with a quarter more samples no rule knows.
    """
    found = {}
    for name in (ROUNDS, RATE):
        _, values = record.reported(name)
        told = values[np.isfinite(values)]  # a fold whose fit raised tells nothing
        if len(told):
            found[name] = float(np.median(told))
    if found:
        found[ROUNDS] = math.ceil(found[ROUNDS])
    return found


def settle(estimator: Any, found: Mapping[str, float], params: Mapping[str, Any]) -> dict[str, Any]:
    """Set an estimator to fit what was found in the folds, without anything to stop by.

    Args:
        estimator: What is fitted next; it is changed.
        found: What `pooled` returns.
        params: Arguments for fit.

    Returns:
        The arguments that it can be given.
    """
    library, model = stoppable(estimator), _last(estimator)
    if library is None or not found:
        return dict(params)
    prefix = "" if routing_enabled() else _prefix(estimator)
    own = {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}
    name, _ = library.limit(model)
    library.release(model, own)
    model.set_params(**{name: int(found[ROUNDS])})
    if RATE in found:
        model.set_params(**{RATE: found[RATE]})
    others = {name: value for name, value in params.items() if not name.startswith(prefix)}
    return others | {prefix + name: value for name, value in own.items()}


def _last(estimator: Any) -> Any:
    """What stands at the end of a pipeline; of its subclasses, which may do anything, themselves."""
    while type(estimator) is Pipeline:
        estimator = estimator.steps[-1][1]
    return estimator


def _prefix(estimator: Any) -> str:
    """What names the last step of a pipeline in the arguments of its fit."""
    prefix = ""
    while type(estimator) is Pipeline:
        name, estimator = estimator.steps[-1]
        prefix += f"{name}__"
    return prefix


def _of_known_classes(model: Any, y: Any, held: Held) -> Held:
    """The held samples without classes that are not among the training samples, which libraries refuse."""
    if not is_classifier(model) or np.ndim(held.y) != 1:
        return held
    known = np.isin(held.y, y)
    if known.all():
        return held
    places = np.flatnonzero(known)
    params = share(held.params, places, length(held.X))
    return Held(samples(held.X, places), samples(held.y, places), params)


def _stops(callback: Any) -> bool:
    """Whether a callback of XGBoost or LightGBM is the one that stops early."""
    return "EarlyStopping" in type(callback).__name__


def _fit_steps(
    pipeline: Any, X: Any, y: Any, params: Mapping[str, Any], held: Held
) -> dict[str, float]:
    """Fit a pipeline as its own `fit` would, but for what its last step is given."""
    name, last = pipeline.steps[-1]
    if len(pipeline.steps) > 1:
        head = pipeline[:-1]
        X = head.fit_transform(X, y, **_of_head(pipeline, head, params))
        own = Held(head.transform(held.X), held.y, _of_last(pipeline, held.params))
    else:
        head, own = None, Held(held.X, held.y, _of_last(pipeline, held.params))
    found = fit(last, X, y, _of_last(pipeline, params), own)
    if head is not None:  # with memory= its steps are copies
        pipeline.steps = [*head.steps, (name, last)]
    return found


def _of_head(pipeline: Any, head: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the earlier steps of a pipeline get."""
    if routing_enabled():
        names = get_routing_for_object(head).consumes("fit_transform", params.keys())
        return {name: params[name] for name in names}
    prefix = f"{pipeline.steps[-1][0]}__"
    return {name: value for name, value in params.items() if not name.startswith(prefix)}


def _of_last(pipeline: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the last step of a pipeline gets."""
    name = pipeline.steps[-1][0]
    if routing_enabled():
        return dict(process_routing(pipeline, "fit", **params)[name]["fit"]) if params else {}
    prefix = f"{name}__"
    return {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}

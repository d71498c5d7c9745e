"""Scorers from scikit-learn's `scoring`, and which arguments of `fit` go to whom."""

import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any, cast, final

from sklearn import get_config
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils import Bunch
from sklearn.utils.metadata_routing import process_routing

from tunesmith._core.errors import SettingError


@final
@dataclass(frozen=True)
class Scoring:
    """How models are scored.

    Attributes:
        scorer: A function of (estimator, X, y) that returns a score, or a dict of them.
        public: What `scorer_` shows: the scorer, or a dict of them.
        names: Of the scores; empty: there is one, or a function will tell.
    """

    scorer: Callable[..., Any]
    public: Any
    names: tuple[str, ...] = ()


def scoring_of(estimator: Any, scoring: Any, error_score: float | str) -> Scoring:
    """Return what `scoring` means, as scikit-learn reads it.

    Args:
        estimator: Whose own score counts if `scoring` is None.
        scoring: None, a name, a function, a collection of names, or a dict of either.
        error_score: "raise": a scorer's exception goes on.

    Raises:
        SettingError: It is none of these, or there is no such scorer.
    """
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise SettingError(
            f"scikit-learn has no scoring {scoring!r}; names such as 'accuracy' are listed by "
            "sklearn.metrics.get_scorer_names()"
        )
    if not callable(scoring) and not isinstance(scoring, Collection | None):
        raise SettingError(
            'scoring is a name such as "accuracy", a function of (estimator, X, y), a list of names, or '
            f"a dict of either; got {scoring!r}"
        )
    if callable(scoring):
        return Scoring(scoring, scoring)
    if scoring is None or isinstance(scoring, str):
        scorer = check_scoring(estimator, scoring)
        return Scoring(scorer, scorer)
    together = check_scoring(estimator, scoring, raise_exc=error_score == "raise")
    each = scoring if isinstance(scoring, Mapping) else {name: name for name in scoring}
    public = {name: check_scoring(estimator, one) for name, one in each.items()}
    return Scoring(together, public, tuple(public))


def check_refit(refit: Any, names: tuple[str, ...]) -> None:
    """Refuse a `refit` that does not say which of several scores decides.

    Raises:
        ValueError: It is neither one of their names, nor a function, nor False.
    """
    if refit is not False and not callable(refit) and refit not in names:
        raise ValueError(
            f"for multi-metric scoring, refit names the score that decides ({', '.join(names)}), or is "
            f"a function of cv_results_ that returns best_index_, or False; got {refit!r}"
        )


def routing_enabled() -> bool:
    """Return whether scikit-learn routes metadata."""
    return bool(get_config()["enable_metadata_routing"])


def routed(search: Any, scorer: Callable[..., Any], params: Mapping[str, Any]) -> Any:
    """Return which arguments of `fit` the estimator, the splitter and the scorer get.

    With metadata routing they get what they have asked for. Without it, `groups` goes to the
    splitter, everything else to the estimator, and sample weights to the scorer too, if it takes them.

    Args:
        search: The search.
        scorer: What it scores with.
        params: The arguments.
    """
    if routing_enabled():
        return process_routing(search, "fit", **params)
    rest = dict(params)
    split = {"groups": rest.pop("groups", None)}
    weights = rest.get("sample_weight")
    score = {}
    if weights is not None:
        if takes_weights(scorer):
            score["sample_weight"] = weights
        else:
            warnings.warn(
                f"the scoring {scorer} takes no sample_weight, so the models are fitted with weights "
                "and scored without",
                UserWarning,
                stacklevel=3,
            )
    return Bunch(estimator=Bunch(fit=rest), splitter=Bunch(split=split), scorer=Bunch(score=score))


def score_of(search: Any, X: Any, y: Any, params: Mapping[str, Any]) -> float:
    """Return the score of a search's best estimator that decides, by the search's own scorer.

    Args:
        search: The search, after its fit.
        X: Samples.
        y: What belongs to them.
        params: Arguments for the scorer.
    """
    scorer = search.scorer_
    if isinstance(scorer, Mapping):
        scorer = scorer[search.refit]
    scored: Any = scorer(search.best_estimator_, X, y, **params)
    return cast("float", scored[search.refit] if isinstance(scored, Mapping) else scored)


def takes_weights(scorer: Callable[..., Any]) -> bool:
    """Return whether a scorer takes sample weights; scikit-learn's own say it themselves, from 1.7 on."""
    says = getattr(scorer, "_accept_sample_weight", None)
    return bool(says()) if says else "sample_weight" in signature(scorer).parameters

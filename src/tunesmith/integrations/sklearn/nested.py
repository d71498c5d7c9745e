"""`nested_score`: what a search's model is worth on samples that the search has never seen.

The best of many candidates owes part of its score to luck with the folds on which it was chosen
(Cawley and Talbot 2010). So whole searches are run within the training part of an outer
cross-validation, and each is scored once, on the part that was held out.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from tunesmith._core import checks
from tunesmith._core.errors import SettingError
from tunesmith.integrations.sklearn.places import inputs, length, samples, share, splits_of
from tunesmith.integrations.sklearn.scoring import routing_enabled, score_of, takes_weights
from tunesmith.numerics.arrays import Floats


@final
@dataclass(frozen=True, eq=False)
class NestedScore:
    """The scores of a search on samples that it has not seen.

    Attributes:
        scores: Of each outer fold, by the search's own scoring (k,).
        inner_scores: What the search of each outer fold says of itself: its `best_score_` (k,).
        params: Its `best_params_`; where they differ much, the score hardly depends on them.
    """

    scores: Floats
    inner_scores: Floats
    params: tuple[dict[str, Any], ...]

    @property
    def mean(self) -> float:
        """The mean of the scores."""
        return float(np.mean(self.scores))

    @property
    def standard_error(self) -> float:
        """The standard error of the mean; rather too small, since the folds share training samples."""
        k = len(self.scores)
        return float(np.std(self.scores, ddof=1)) / math.sqrt(k) if k > 1 else math.nan

    @property
    def optimism(self) -> float:
        """How much too good `best_score_` is on average."""
        return float(np.mean(self.inner_scores)) - self.mean

    def __str__(self) -> str:
        own = float(np.mean(self.inner_scores))
        k, error = len(self.scores), self.standard_error
        lines = [f"{self.mean:.4g} ± {error:.2g} in {k} outer folds"]
        lines.append(f"{own:.4g} by the searches themselves, an optimism of {self.optimism:+.2g}")
        lines.append("fold      score     inner  best params")
        rows = zip(self.scores, self.inner_scores, self.params, strict=True)
        for fold, (score, inner, params) in enumerate(rows, 1):
            lines.append(f"{fold:4d} {score:10.4g} {inner:9.4g}  {params}")
        return "\n".join(lines)


def nested_score(
    search: Any, X: Any, y: Any = None, *, cv: Any = None, groups: Any = None, **params: Any
) -> NestedScore:
    """Return the scores of a search in an outer cross-validation.

    Each outer fold has a search of its own; one that is kept has the name `<name>-outer<k>`, k from 1, so
    that all of it goes on where it was. Use the search's `n_jobs` for several processes.

    Args:
        search: A `SearchCV`, or a search of scikit-learn's; it is not changed.
        X: Samples (n, ...), or a kernel matrix (n, n) if the estimator takes that.
        y: What belongs to them (n,) or (n, m); None: nothing.
        cv: The outer folds: their number, a splitter, or pairs (training places, test places).
        groups: The group of each sample (n,), for splitters that keep groups together, the search's too.
        params: Other arguments for the search's `fit`, with metadata routing also for the splitter and
            the scorer; of those with an entry for each sample, each fold gets its own. Sample weights
            also count in the outer scores, if the scorer takes them.

    Raises:
        SettingError: It is no search, or none that has a best model and score in every outer fold.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from tunesmith.sklearn import SearchCV
        >>> search = SearchCV(LogisticRegression(max_iter=500), {"C": [0.01, 1]}, cv=3)
        >>> nested_score(search, *load_iris(return_X_y=True), cv=3).scores.round(2).tolist()
        [0.98, 0.96, 0.98]

    References:
        G. C. Cawley, N. L. C. Talbot. On Over-fitting in Model Selection and Subsequent Selection Bias
        in Performance Evaluation. JMLR 11, 2010. Section 5.
        Y. Bengio, Y. Grandvalet. No Unbiased Estimator of the Variance of K-Fold Cross-Validation.
        JMLR 5, 2004: why the standard error is no more than a guide.
    """
    _check(search)
    X, y = indexable(X, y)
    outer = check_cv(cv, y, classifier=is_classifier(search))
    if groups is not None:
        params = {**params, "groups": groups}
    given = _routed(search, outer, params)
    pairwise, n = get_tags(search).input_tags.pairwise, length(X)
    scores, own, best = [], [], []
    for k, (train, test) in enumerate(splits_of(outer, X, y, given.splitter.split), 1):
        one = _search(search, k)
        targets = () if y is None else (samples(y, train),)
        one.fit(
            inputs(X, train, train, pairwise=pairwise),
            *targets,
            **share(given.search.fit, train, n),
        )
        held_out = inputs(X, test, train, pairwise=pairwise), samples(y, test)
        scores.append(_score(one, *held_out, share(given.search.score, test, n)))
        own.append(one.best_score_)
        best.append(dict(one.best_params_))
    return NestedScore(np.array(scores, float), np.array(own, float), tuple(best))


def _check(search: Any) -> None:
    """Refuse what cannot be run in every outer fold, or has no best model and score.

    Raises:
        SettingError: It is so.
    """
    if not all(hasattr(search, name) for name in ("fit", "get_params", "estimator", "refit")):
        raise SettingError(
            f"nested_score takes a search, such as SearchCV(estimator) or GridSearchCV(estimator, grid), "
            f"got {search!r}; for an estimator alone there is sklearn's cross_val_score"
        )
    if not search.refit or callable(search.refit):
        raise SettingError(
            "nested_score needs a search that fits its best model and knows its score; give it "
            f"refit=True, or with several scores the name of one, got refit={search.refit!r}"
        )
    cv = getattr(search, "cv", None)
    if not (cv is None or checks.is_whole(cv) or hasattr(cv, "split")):
        raise SettingError(
            "the cv of the search is a list of places, which are of all samples, and the search sees "
            "a part of them in each outer fold; give it a number of folds or a splitter"
        )


def _routed(search: Any, outer: Any, params: Mapping[str, Any]) -> Any:
    """Which arguments the outer splitter, and the search in its fit and score, get."""
    if routing_enabled():
        twice = MethodMapping().add(caller="fit", callee="fit").add(caller="fit", callee="score")
        router = MetadataRouter(owner="nested_score").add(search=search, method_mapping=twice)
        once = MethodMapping().add(caller="fit", callee="split")
        return process_routing(router.add(splitter=outer, method_mapping=once), "fit", **params)
    weights = {name: params[name] for name in ("sample_weight",) if name in params}
    split = {"groups": params.get("groups")}
    return Bunch(splitter=Bunch(split=split), search=Bunch(fit=dict(params), score=weights))


def _search(search: Any, k: int) -> Any:
    """The search of the k-th outer fold."""
    one = clone(search)
    if getattr(search, "name", None) is not None:
        one.name = f"{search.name}-outer{k}"
    return one


def _score(search: Any, X: Any, y: Any, params: Mapping[str, Any]) -> float:
    """The score of the held-out samples."""
    if routing_enabled():
        return float(search.score(X, y, **params))
    scorer = search.scorer_[search.refit] if isinstance(search.scorer_, Mapping) else search.scorer_
    return score_of(search, X, y, params if takes_weights(scorer) else {})

"""What the benchmark of `SearchCV` works on: estimators, data, and distributions to search.

It was chosen before anything was run, and stays. The data come with scikit-learn or are made by it;
large sets are cut so that a fit takes milliseconds, as thousands are needed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from scipy import stats
from sklearn import datasets
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier


def scaled(estimator: Any) -> Any:
    """Return a pipeline that scales first."""
    return make_pipeline(StandardScaler(), estimator)


MADE: dict[str, Callable[[], Any]] = {
    # two classes, a tenth of the labels drawn at random, 6 columns that tell, 6 mixed of them, 8 of noise
    "flipped": partial(
        datasets.make_classification, 2500, 20, n_informative=6, n_redundant=6,
        n_clusters_per_class=3, flip_y=0.1, random_state=0,
    ),
    # five of ten columns matter, not linearly
    "friedman": partial(datasets.make_friedman1, 2500, 10, noise=1.0, random_state=0),
    # ten of fifty columns matter, linearly
    "sparse": partial(
        datasets.make_regression, 2500, 50, n_informative=10, noise=100.0, random_state=0
    ),
}  # fmt: skip


def data(name: str) -> Any:
    """Return the inputs and targets of a data set, those that are made always the same."""
    if name in MADE:
        return MADE[name]()
    return getattr(datasets, f"load_{name}")(return_X_y=True)


# Of each pair: estimator, data, how many samples, and the distributions that both searches draw from.
PAIRS: dict[str, tuple[Any, str, int, dict[str, Any]]] = {
    "SVC, digits": (
        scaled(SVC()), "digits", 400,
        {"svc__C": stats.loguniform(1e-2, 1e3), "svc__gamma": stats.loguniform(1e-5, 1)},
    ),
    "LogisticRegression, digits": (
        scaled(LogisticRegression(max_iter=200)), "digits", 300,
        {
            "logisticregression__C": stats.loguniform(1e-4, 1e4),
            "logisticregression__class_weight": [None, "balanced"],
        },
    ),
    "RandomForest, wine": (
        RandomForestClassifier(n_estimators=30, random_state=0), "wine", 178,
        {
            "max_depth": stats.randint(1, 15),
            "max_features": stats.uniform(0.05, 0.95),
            "min_samples_leaf": stats.randint(1, 20),
            "criterion": ["gini", "entropy"],
        },
    ),
    "kNN, wine": (
        scaled(KNeighborsClassifier()), "wine", 178,
        {
            "kneighborsclassifier__n_neighbors": stats.randint(1, 50),
            "kneighborsclassifier__weights": ["uniform", "distance"],
            "kneighborsclassifier__p": stats.uniform(1, 3),
        },
    ),
    "MLP, breast cancer": (
        scaled(MLPClassifier(max_iter=30, random_state=0)), "breast_cancer", 569,
        {
            "mlpclassifier__hidden_layer_sizes": [(8,), (16,), (32,), (64,), (16, 16), (32, 32)],
            "mlpclassifier__alpha": stats.loguniform(1e-6, 10),
            "mlpclassifier__learning_rate_init": stats.loguniform(1e-4, 1e-1),
            "mlpclassifier__batch_size": [32, 64, 128, 256],
        },
    ),
    "DecisionTree, breast cancer": (
        DecisionTreeClassifier(random_state=0), "breast_cancer", 569,
        {
            "max_depth": stats.randint(1, 20),
            "min_samples_leaf": stats.randint(1, 30),
            "min_samples_split": stats.randint(2, 40),
            "ccp_alpha": stats.loguniform(1e-5, 1e-1),
            "criterion": ["gini", "entropy"],
        },
    ),
    "HistGradientBoosting, diabetes": (
        HistGradientBoostingRegressor(random_state=0), "diabetes", 442,
        {
            "learning_rate": stats.loguniform(0.01, 0.5),
            "max_iter": stats.randint(20, 150),
            "max_leaf_nodes": stats.randint(4, 32),
            "min_samples_leaf": stats.randint(5, 60),
            "l2_regularization": stats.loguniform(1e-3, 1e2),
        },
    ),
    "ElasticNet, diabetes": (
        scaled(ElasticNet()), "diabetes", 442,
        {"elasticnet__alpha": stats.loguniform(1e-4, 10), "elasticnet__l1_ratio": stats.uniform(0, 1)},
    ),
}  # fmt: skip

CLASSES = {
    "breast_cancer": 285,
    "digits": 300,
    "flipped": 300,
}  # how many samples train; the rest test
NUMBERS = {"diabetes": 221, "friedman": 200, "sparse": 200}

ESTIMATORS: dict[str, Any] = {
    "SVC": scaled(SVC()),
    "LogisticRegression": scaled(LogisticRegression(max_iter=200)),
    "kNN": scaled(KNeighborsClassifier()),
    "DecisionTree": DecisionTreeClassifier(),
    "RandomForest": RandomForestClassifier(n_estimators=30),
    "HistGradientBoosting": HistGradientBoostingRegressor(),
    "SVR": scaled(SVR()),
    "ElasticNet": scaled(ElasticNet()),
}

ROUNDS = 300  # the limit of boosting, and the end of its range where it is searched
BOOSTED: dict[str, tuple[Any, str, int]] = {  # the number is that of the samples that train
    "HistGradientBoosting, diabetes": (HistGradientBoostingRegressor(), "diabetes", 221),
    "HistGradientBoosting, friedman": (HistGradientBoostingRegressor(), "friedman", 300),
    "HistGradientBoosting, flipped": (HistGradientBoostingClassifier(), "flipped", 300),
}
SHAPES: dict[str, Any] = {  # beside the number of rounds
    "learning_rate": stats.loguniform(0.02, 0.5),
    "max_leaf_nodes": stats.randint(4, 32),
    "min_samples_leaf": stats.randint(5, 60),
    "l2_regularization": stats.loguniform(1e-3, 1e2),
}

CHEAP: dict[str, tuple[Any, str, int, dict[str, Any]]] = {  # the number is that of the folds
    "Ridge, 1 parameter, 5 folds": (Ridge(), "diabetes", 5, {"alpha": stats.loguniform(1e-4, 1e4)}),
    "DecisionTree, 5 parameters, 5 folds": (
        PAIRS["DecisionTree, breast cancer"][0], "wine", 5, PAIRS["DecisionTree, breast cancer"][3],
    ),
    "DecisionTree, 5 parameters, 1 fold": (
        PAIRS["DecisionTree, breast cancer"][0], "wine", 1, PAIRS["DecisionTree, breast cancer"][3],
    ),
}  # fmt: skip

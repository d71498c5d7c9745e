from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVR
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

import tunesmith as ts
from tunesmith.knowledge import estimators

SKLEARN: dict[str, Any] = dict(all_estimators())
FAST = {"n_estimators": 5, "max_iter": 20, "hidden_layer_sizes": (5,)}
TEXT = ["the cat sat", "the dog ran", "a cat ran", "a dog sat"] * 10


def fitted(name: str, params: dict[str, Any]) -> Any:
    """Fit an estimator of scikit-learn on what it takes, cheaply."""
    estimator = SKLEARN[name](**params)
    given = estimator.get_params()
    fast = {key: value for key, value in FAST.items() if key in given}
    if "Linear" not in name and name not in ("LogisticRegression", "SVC", "SVR"):
        estimator.set_params(**fast)
    X, y = load_iris(return_X_y=True)
    if hasattr(estimator, "build_analyzer"):
        return estimator.fit(TEXT)
    if name.endswith(("Regressor", "SVR")) or name in ("Ridge", "Lasso", "ElasticNet"):
        X, y = load_diabetes(return_X_y=True)
        X, y = X[:150], y[:150] / 100
    return estimator.fit(X[::2], y[::2])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*:UserWarning:sklearn")
@pytest.mark.parametrize(
    "name", [one.partition(".")[2] for one in estimators() if one.startswith("sklearn.")]
)
def test_what_is_drawn_can_be_fitted(name: str) -> None:
    """Configurations of every space are accepted by the installed version."""
    X, y = load_iris(return_X_y=True)
    X, y = (TEXT, None) if hasattr(SKLEARN[name], "build_analyzer") else (X[::2], y[::2])
    space = ts.space_for(SKLEARN[name](), X, y)

    for params in space.sample(np.random.default_rng(1), 4):
        assert fitted(name, dict(space.build(params))) is not None


def test_the_estimators_own_settings_are_the_first_trial() -> None:
    """What the user has set is where the search begins."""
    space = ts.space_for(RandomForestClassifier(min_samples_leaf=7, max_features=0.3))

    assert space.build(space.default()[0])["min_samples_leaf"] == 7
    assert space.build(space.default()[0])["max_features"] == 0.3


def test_a_class_stands_for_its_defaults() -> None:
    """`space_for(SVC)` is `space_for(SVC())`."""
    assert ts.space_for(SVC) == ts.space_for(SVC())


def test_classes_of_ones_own_are_known_by_their_bases() -> None:
    """A forest that was derived is a forest."""

    mine = type("Mine", (RandomForestClassifier,), {"__init__": RandomForestClassifier.__init__})

    assert ts.space_for(mine()) == ts.space_for(RandomForestClassifier())


def test_ranges_depend_on_the_data() -> None:
    """No more neighbours than a quarter of the rows; fewer rows in a leaf with more classes."""
    few, many = np.zeros((40, 3)), np.zeros((4000, 3))
    leaf = RandomForestClassifier(min_samples_leaf=1)

    assert ts.space_for(KNeighborsClassifier(), few).parameters["n_neighbors"] == ts.Int(
        1, 10, log=True, default=5, role="model"
    )
    assert ts.space_for(KNeighborsClassifier(), many).parameters["n_neighbors"].contains(100)
    two = ts.space_for(leaf, few, [0, 1] * 20).parameters["min_samples_leaf"]
    four = ts.space_for(leaf, few, [0, 1, 2, 3] * 10).parameters["min_samples_leaf"]
    assert (two.contains(4), four.contains(4)) == (True, False)


def test_weights_of_classes_are_tuned_where_classes_are_uneven() -> None:
    """Where each has about its share of the rows, or nothing is known, they are left as they are."""
    X, even, uneven = np.zeros((100, 3)), [0, 1] * 50, ["a"] * 90 + ["b"] * 10
    given = SVC(class_weight="balanced")

    assert "class_weight" not in ts.space_for(SVC()).names
    assert "class_weight" not in ts.space_for(SVC(), X, even).names
    assert "class_weight" not in ts.space_for(given, X, even).names
    assert "class_weight" in ts.space_for(SVC(), X, uneven).names


@pytest.mark.parametrize("estimator", [SVR(), LinearSVR(), Lasso(), ElasticNet()])
@pytest.mark.parametrize("scale", [0.01, 50.0])
def test_what_is_in_units_of_the_target_grows_with_it(estimator: Any, scale: float) -> None:
    """Targets of twice the spread have ranges of twice the penalty, and of twice the tolerance."""
    X, y = np.zeros((100, 3)), np.tile([-1.0, 1.0], 50)
    units = {"C", "epsilon", "alpha"} & set(estimator.get_params())
    given = dict.fromkeys(units, scale / 10)
    one = ts.space_for(clone(estimator).set_params(**dict.fromkeys(units, 0.1)), X, y)
    many = ts.space_for(clone(estimator).set_params(**given), X, scale * y + 7)

    assert units
    for name in units:
        before, after = one.parameters[name], many.parameters[name]
        assert isinstance(before, ts.Float)
        assert isinstance(after, ts.Float)
        assert after.low == pytest.approx(scale * before.low)
        assert after.high == pytest.approx(scale * before.high)


@pytest.mark.parametrize(
    "y", [["a", "b"] * 5, [1.0] * 10, [np.nan] * 10, [1.0, np.inf] * 5, [[1.0, 2.0]] * 10]
)
def test_targets_that_have_no_spread_count_as_standardised(y: Any) -> None:
    """Words, constants, missing, infinite and several targets say nothing of a scale."""
    assert ts.space_for(SVR(), np.zeros((10, 3)), y) == ts.space_for(SVR(), np.zeros((10, 3)))


def test_the_scale_of_targets_that_are_transformed_is_not_known() -> None:
    """What the inner regressor sees is not what was given."""
    X, y = np.zeros((100, 3)), np.tile([-50.0, 50.0], 50)
    bent = TransformedTargetRegressor(Lasso(), transformer=StandardScaler())
    straight = TransformedTargetRegressor(Lasso())

    assert ts.space_for(bent, X, y) == ts.space_for(bent)
    assert ts.space_for(straight, X, y).parameters["regressor__alpha"].contains(50.0)


def test_conditions_hold_between_parameters_and_with_what_is_fixed() -> None:
    """A parameter that does not matter for the kernel at hand is not there."""
    assert "degree" not in ts.space_for(SVC()).names
    assert "degree" in ts.space_for(SVC(kernel="poly")).names
    assert "gamma" not in ts.space_for(SVC(kernel="linear")).names
    cosine, quasi = KNeighborsClassifier(metric="cosine"), MLPClassifier(solver="lbfgs")
    assert "p" in ts.space_for(KNeighborsClassifier()).names
    assert "p" not in ts.space_for(cosine).names
    assert "learning_rate_init" in ts.space_for(MLPClassifier()).names
    assert not {"learning_rate_init", "batch_size"} & set(ts.space_for(quasi).names)
    assert "max_samples" in ts.space_for(RandomForestClassifier()).names
    assert "max_samples" not in ts.space_for(RandomForestClassifier(bootstrap=False)).names
    descent = ts.space_for(SGDClassifier()).sample(np.random.default_rng(0), 20)
    assert all(("l1_ratio" in one) == (one["penalty"] == "elasticnet") for one in descent)


def test_a_pipeline_has_the_parameters_of_its_steps() -> None:
    """Names are scikit-learn's, conditions stay within their step, and the first trial is it."""
    pipe = make_pipeline(
        StandardScaler(), FunctionTransformer(), SelectKBest(k=2), RandomForestClassifier()
    )
    X = np.zeros((100, 4))
    space = ts.space_for(pipe, X)
    first = space.build(space.default()[0])

    assert {"selectkbest__k", "randomforestclassifier__max_samples"} <= set(space.names)
    assert first.items() <= pipe.get_params().items()
    pipe.set_params(**space.build(space.sample(np.random.default_rng(0), 1)[0]))


def test_columns_are_counted_until_a_step_changes_them() -> None:
    """A scaler keeps them; where nobody knows, no more are kept than the estimator keeps."""
    X = np.zeros((100, 4))
    kept = ts.space_for(make_pipeline(StandardScaler(), SelectKBest(k=2), Ridge()), X)
    changed = ts.space_for(make_pipeline(OneHotEncoder(), SelectKBest(k=2), Ridge()), X)

    assert not kept.parameters["selectkbest__k"].contains(5)
    assert changed.parameters["selectkbest__k"] == ts.Int(1, 2, log=True, default=2, role="model")
    assert ts.space_for(make_pipeline(OneHotEncoder(), SelectKBest(k="all"), Ridge()), X).names == (
        ts.space_for(make_pipeline(OneHotEncoder(), Ridge()), X).names
    )


@pytest.mark.parametrize(
    "columns, k",
    [
        ([0, 1, 2], 3),
        (["a", "b"], 2),
        (slice(0, 3), 3),
        (slice(None), 4),
        ([True, False, False, True], 2),
        (lambda X: [0, 1, 2], None),
        (slice("a", "c"), None),
    ],
)
def test_columns_of_a_selection_are_counted(columns: Any, k: int | None) -> None:
    """A part of a column transformer has the columns that are selected for it, if that is known."""
    table = ColumnTransformer([("few", SelectKBest(k=1), columns), ("rest", StandardScaler(), [3])])
    found = ts.space_for(make_pipeline(table, Ridge()), np.zeros((100, 4))).parameters

    meant = None if k is None else ts.Int(1, k, log=True, default=1, role="model")
    assert found.get("columntransformer__few__k") == meant


@pytest.mark.parametrize(
    "pca, X",
    [
        (PCA(), sparse.random_array((90, 30), density=0.5, rng=0).tocsr()),
        (PCA(svd_solver="randomized"), np.random.default_rng(0).normal(size=(90, 30))),
        (PCA(svd_solver="arpack", n_components=3), np.random.default_rng(0).normal(size=(90, 30))),
    ],
)
def test_components_are_counted_where_shares_are_refused(pca: Any, X: Any) -> None:
    """Sparse data and quick solvers know no share of the variance: numbers of components are tried."""
    space = ts.space_for(pca, X)

    assert "n_components" in space.names
    for params in space.sample(np.random.default_rng(1), 8):
        assert clone(pca).set_params(**space.build(params)).fit(X[:60])


def test_components_of_text_are_counted() -> None:
    """What a vectorizer hands on is sparse, too, and nobody knows how many columns it has."""
    pipe = make_pipeline(TfidfVectorizer(), PCA(n_components=3))

    assert ts.space_for(pipe, TEXT).parameters["pca__n_components"] == ts.Int(
        1, 3, log=True, default=3, role="model"
    )


def test_unknown_parts_are_left_as_they_are() -> None:
    """A container is tuned in the parts that are known."""
    mine = BaseEstimator()
    held = [
        ColumnTransformer([("mine", mine, [0]), ("words", OneHotEncoder(), [1])]),
        FeatureUnion([("mine", mine), ("best", SelectKBest(k=2))]),
        VotingClassifier([("mine", mine), ("ridge", LogisticRegression())]),
        make_pipeline(SelectKBest(k=2), mine),
    ]

    for one in held:
        assert ts.space_for(one).names


def test_settings_of_numpy_are_numbers() -> None:
    """An estimator's settings may be NumPy's scalars."""
    numpys = DecisionTreeClassifier(max_depth=np.int64(4), min_samples_leaf=np.int64(3))
    plain = DecisionTreeClassifier(max_depth=4, min_samples_leaf=3)

    assert ts.space_for(numpys) == ts.space_for(plain)


@pytest.mark.parametrize("y", [[[1], [1, 2]], 5, [], None])
def test_targets_that_tell_no_classes(y: Any) -> None:
    """Where y has no number of classes, two are assumed."""
    X = np.zeros((40, 3))

    assert ts.space_for(SVC(), X, y) == ts.space_for(SVC(), X, [0, 1] * 20)


def test_text_is_counted_in_rows() -> None:
    """A list of documents has no columns."""
    space = ts.space_for(make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXT)

    assert "tfidfvectorizer__ngram_range" in space.names
    assert space.parameters["tfidfvectorizer__ngram_range"].contains((1, 2))


def test_parts_of_transformers_unions_and_others_are_found() -> None:
    """Whatever holds estimators has their parameters, but for texts in the place of one."""
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0]),
            ("words", OneHotEncoder(), [1]),
            ("rest", "drop", [2]),
        ]
    )
    pipe = make_pipeline(
        columns, FeatureUnion([("best", SelectKBest(k=2))]), "passthrough", Lasso()
    )
    space = ts.space_for(TransformedTargetRegressor(pipe))
    boosted = ts.space_for(AdaBoostClassifier(DecisionTreeClassifier(max_depth=2)))

    assert set(space.names) == {
        "regressor__columntransformer__numbers__simpleimputer__strategy",
        "regressor__columntransformer__words__min_frequency",
        "regressor__featureunion__best__k",
        "regressor__lasso__alpha",
    }
    assert {"n_estimators", "estimator__max_depth"} <= set(boosted.names)
    assert boosted.build(boosted.default()[0])["estimator__max_depth"] == 2


def test_a_space_is_tuned_as_any_other() -> None:
    """It is an ordinary space, and the estimator is its first trial."""
    X, y = load_iris(return_X_y=True)
    space = ts.space_for(SVC(), X, y)
    study = ts.minimize(
        lambda trial: 1 - SVC(**trial.params).fit(X, y).score(X, y), space, trials=4, seed=1,
        progress=False,
    )  # fmt: skip

    assert next(iter(study.history)).params["gamma"] == "scale"


@pytest.mark.parametrize(
    "estimator, message",
    [
        (3, "takes an estimator with get_params"),
        (BaseEstimator(), "nothing is known of BaseEstimator; .*write the space as a dict"),
        (type("Forest", (BaseEstimator,), {})(), "nothing is known of Forest"),
        (type("RidgeClasifier", (BaseEstimator,), {})(), "did you mean RidgeClassifier?"),
        (make_pipeline(StandardScaler(), BaseEstimator()), "nothing is known of BaseEstimator"),
        (ColumnTransformer, "ColumnTransformer cannot be made without arguments"),
        (
            GaussianProcessClassifier(kernel=1.0 * RBF()),
            "nothing is known of GaussianProcessClassifier",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(estimator: Any, message: str) -> None:
    """One sentence says what came, what is known, and what to do."""
    with pytest.raises(ts.SettingError, match=message):
        ts.space_for(estimator)


def test_data_are_rows() -> None:
    """What is no data is refused by a sentence."""
    with pytest.raises(ts.SettingError, match=r"X is the data, .* got int"):
        ts.space_for(SVC(), 5)

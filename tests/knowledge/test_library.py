import re
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest
from sklearn.utils import all_estimators

from tunesmith._core.errors import SettingError
from tunesmith.knowledge import described, estimators, explanations, parameters, space_for
from tunesmith.knowledge.library import library, sources

SKLEARN: dict[str, Any] = dict(all_estimators())


def made(name: str) -> Any:
    """An estimator with the installed version's defaults."""
    root, _, kind = name.partition(".")
    if root == "sklearn":
        return SKLEARN[kind]()
    return getattr(pytest.importorskip(root), kind)()


def test_every_data_file_is_read() -> None:
    """No file of the folder is left out, and no source in it is idle."""
    folder = files("tunesmith.knowledge").joinpath("data")
    names = {file.name.removesuffix(".toml") for file in folder.iterdir()} - {"sources"}
    used = {key for one in library().values() for e in one.entries.values() for key in e.sources}

    assert {one.family for one in library().values()} == names
    assert used == set(sources())


def test_the_estimators_that_people_tune_are_known() -> None:
    """Forests, boosting, machines, linear models, neighbours, networks, trees and preparation."""
    wanted = {
        "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier",
        "ExtraTreesRegressor", "GradientBoostingClassifier", "GradientBoostingRegressor",
        "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "XGBClassifier",
        "XGBRegressor", "LGBMClassifier", "LGBMRegressor", "CatBoostClassifier",
        "CatBoostRegressor", "SVC", "SVR", "LinearSVC", "LogisticRegression", "Ridge", "Lasso",
        "ElasticNet", "SGDClassifier", "SGDRegressor", "KNeighborsClassifier",
        "KNeighborsRegressor", "MLPClassifier", "MLPRegressor", "DecisionTreeClassifier",
        "DecisionTreeRegressor", "GaussianNB", "AdaBoostClassifier", "KMeans", "PCA",
        "OneHotEncoder", "TfidfVectorizer", "SelectKBest", "PolynomialFeatures",
    }  # fmt: skip

    assert wanted <= {name.partition(".")[2] for name in estimators()}


@pytest.mark.parametrize("name", library())
def test_every_parameter_says_what_it_does_and_who_says_so(name: str) -> None:
    """A sentence, typical values, signs and sources for each."""
    for entry in library()[name].entries.values():
        assert re.fullmatch(r"[A-Z0].*\.", entry.does)
        assert re.fullmatch(r".+\.", entry.typical)
        assert entry.too_low
        assert entry.too_high
        assert entry.sources
        assert all(re.fullmatch(r".*\.", text) for text in entry.sources.values())


@pytest.mark.parametrize("name", library())
def test_the_first_trial_is_the_default_of_the_installed_version(name: str) -> None:
    """All parameters exist, and the default configuration changes none of them."""
    estimator = made(name)
    space = space_for(estimator)
    first, whole = space.default()
    params = space.build(first)
    before = estimator.get_params()
    there = {key: value for key, value in params.items() if before.get(key) is not None}

    assert whole
    assert {key: (type(value), value) for key, value in there.items()} == {
        key: (type(before[key]), before[key]) for key in there
    }
    if name.startswith("sklearn."):
        assert set(library()[name].entries) <= set(before)
        assert all(before[key] is None for key in params.keys() - there.keys())
    estimator.set_params(**params)


def test_sources_that_disagree_stand_side_by_side() -> None:
    """Each range that was tuned is kept, with the one who tuned it."""
    (one,) = (e for e in explanations("learning_rate") if e.family == "xgboost")

    assert len({text for text in one.sources.values() if " to " in text}) >= 4
    assert any("Tunability" in source for source in one.sources)


def test_each_source_says_how_it_was_read() -> None:
    """What was held against it; empty where it is from memory."""
    (one,) = (e for e in explanations("learning_rate") if e.family == "xgboost")
    of = {source.reference: source.read for source in sources().values()}

    assert one.read == {name: of[name] for name in one.sources}
    assert {bool(read) for read in of.values()} == {True, False}
    assert sources()["probst2019"].read.endswith("from memory")


def test_a_parameter_is_explained_family_by_family() -> None:
    """The name may be that of a pipeline's step."""
    found = explanations("tree__max_depth")

    assert {"forests", "boosting", "trees", "xgboost"} <= {one.family for one in found}
    assert found == explanations("max_depth")
    assert "max_depth" in parameters()


def test_unknown_parameters_are_answered_with_what_is_near() -> None:
    """A slip of the keys is put right."""
    with pytest.raises(SettingError, match="'maxdepth'; did you mean 'max_depth'"):
        explanations("maxdepth")


def test_classes_are_described() -> None:
    """By their name, with or without their module."""
    one = described("SVC")

    assert one is not None
    assert one == described("sklearn.SVC")
    assert described("Nothing") is None


def test_no_estimator_is_imported_for_it() -> None:
    """Knowing an estimator takes none of its library."""
    module = import_module("tunesmith.knowledge.library")

    assert not {"sklearn", "xgboost"} & set(vars(module))

import json

from click.testing import CliRunner, Result

from tunesmith.cli import commands


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, ["explain", *words])


def test_a_parameter_is_explained() -> None:
    """What it does, signs, typical values, ranges by estimator, each source and how it was read."""
    text = " ".join(call("max_depth").stdout.split())

    assert "max_depth (trees): How deep the tree may grow." in text
    assert "too low:" in text
    assert "too high:" in text
    assert "typical: 3 to 15." in text
    assert "range: whole numbers 1 to 30, or None: sklearn.DecisionTreeClassifier" in text
    assert "range: left as it is: sklearn.RandomForestClassifier" in text
    assert "matters how much from memory): 1 to 30 (rpart's maxdepth)." in text
    assert "2nd edition, 2009 (from memory): Section 10.11: 4 to 8 leaves" in text


def test_a_choice_and_a_condition_are_said() -> None:
    """Choices have two sides in place of too low and too high, also those that are left alone."""
    text = " ".join(call("weights").stdout.split())
    alone = " ".join(call("bootstrap").stdout.split())

    assert "on one hand: uniform" in text
    assert "range: uniform or distance:" in text
    assert "on one hand: Without it" in alone
    assert "range: left as it is:" in alone
    assert "None or balanced, where balance < 0.5:" in call("class_weight").stdout
    assert "to 1.0, or None, if bootstrap is True" in " ".join(call("max_samples").stdout.split())


def test_the_parameters_of_a_class_are_listed() -> None:
    """A class is explained by its parameters; one without any says so."""
    assert "C: 0.03 to 3000.0, log." in call("SVC").stdout
    assert "nothing that is usually tuned" in call("StandardScaler").stdout


def test_json_holds_the_same() -> None:
    """For programs: a list of families, or a class."""
    (found,) = json.loads(call("num_leaves", "--json").stdout)
    one = json.loads(call("KMeans", "--json").stdout)

    assert found["estimators"]["lightgbm.LGBMClassifier"]["low"] == 4
    assert any("LightGBM" in source for source in found["sources"])
    assert set(found["read"]) == set(found["sources"])
    assert set(one["parameters"]) == {"n_clusters", "init"}


def test_an_unknown_name_is_answered_with_what_is_near() -> None:
    """One sentence, exit code 2."""
    result = call("max_dept")

    assert result.exit_code == 2
    assert "did you mean 'max_depth'?" in result.stderr

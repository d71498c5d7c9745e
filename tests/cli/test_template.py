import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import SettingError
from tunesmith.cli.template import Template, flags, script_of

NAMES = ("lr", "width", "opt", "opt.sgd.momentum", "layers", "layers.0", "warm")
PARAMS = {"lr": 0.001, "width": 8, "opt": "sgd", "layers": [32, 64], "warm": True}


def filled(*words: str, **more: object) -> list[str]:
    return Template(words, NAMES).filled({**PARAMS, **more}, {"seed": 7, "trial": 3})


def test_args_are_the_active_parameters() -> None:
    """Flags with values, lists as JSON, a boolean as a flag that is there or not."""
    expected = ["run", "--lr=0.001", "--width=8", "--opt=sgd", "--layers=[32,64]", "--warm", "-v"]

    assert filled("run", "{args}", "-v") == expected
    assert "--warm" not in filled("run", "{args}", warm=False)


def test_what_has_its_own_place_is_not_among_args() -> None:
    """A hole anywhere in a word is filled, and {args} holds the rest."""
    assert filled("x", "optim.lr={lr}:{width}", "{args}") == [
        "x", "optim.lr=0.001:8", "--opt=sgd", "--layers=[32,64]", "--warm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("--m", "{opt.sgd.momentum}"), ("--m={opt.sgd.momentum}",), ("-m{opt.sgd.momentum}",)],
)
def test_an_inactive_parameter_goes_with_its_flag(words: tuple[str, ...]) -> None:
    """Word and flag disappear; they are there when it is active."""
    assert filled("x", "first", *words, "last", "{args}")[1:3] == ["first", "last"]
    shown = filled("x", "first", *words, "last", "{args}", **{"opt.sgd.momentum": 0.5})
    assert "0.5" in shown[len(words) + 1]


def test_a_word_before_that_is_no_flag_stays() -> None:
    """Only a flag goes with its value."""
    assert filled("x", "data.csv", "{opt.sgd.momentum}", "{args}")[:2] == ["x", "data.csv"]
    assert filled("x", "--a=1", "{opt.sgd.momentum}", "{args}")[:2] == ["x", "--a=1"]


def test_holes_for_the_trial_itself_and_braces_that_are_none() -> None:
    """{seed} and {trial} are known; doubled braces and JSON stay."""
    assert filled("x", "{seed}-{trial}", "{{lr}}", '{"a": {lr}}', "{args}")[1:4] == [
        "7-3", "{lr}", '{"a": 0.001}',
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("x", "{lrr}", "{args}"), "names no parameter of the space, did you mean 'lr'?"),
        (("x", "--all={args}"), "stands for several words"),
        (("x", "{lr}"), "no place for width, opt, opt.sgd.momentum, layers, warm; add"),
    ],
)
def test_a_command_that_cannot_be_filled_is_refused(words: tuple[str, ...], sentence: str) -> None:
    """Before anything is run."""
    with pytest.raises(SettingError, match=sentence.replace("?", r"\?")):
        Template(words, NAMES)


@given(st.dictionaries(st.sampled_from(NAMES[:3]), st.floats(allow_nan=False) | st.booleans()))
def test_flags_can_be_read_back(params: dict[str, float | bool]) -> None:
    """Every float comes back as it was; a boolean is there if it is true."""
    read: dict[str, float | bool] = {}
    for word in flags(params):
        name, sign, value = word.removeprefix("--").partition("=")
        read[name] = float(value) if sign else True

    assert read == {name: value for name, value in params.items() if value is not False}


def test_a_study_is_called_by_the_script() -> None:
    """The script's name, else the program's."""
    assert script_of(["python", "-u", "jobs/train.py", "{args}"]) == "train"
    assert script_of(["./simulate", "{args}"]) == "simulate"
    assert script_of(["bash", "-c", "{args}"]) == "bash"

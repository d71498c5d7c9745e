import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tunesmith import SettingError
from tunesmith.cli import commands
from tunesmith.cli.proposing import proposal, toml_key, toml_value
from tunesmith.cli.reading import Kind, Option, read_script
from tunesmith.space import Space

ARGPARSE = """
import argparse, nowhere_to_be_found
LR = 1e-3
raise SystemExit("this must never run")
p = argparse.ArgumentParser()
group = p.add_argument_group("training")
p.add_argument("data", help="where the data are")
group.add_argument("-l", "--learning-rate", type=float, default=LR)
group.add_argument("--batch_size", type=int, default=2 ** 6)
p.add_argument("--optimizer", choices=("adam", "sgd"), default="adam")
p.add_argument("--nesterov", action="store_true")
p.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True)
p.add_argument("--hidden", nargs="+", type=int)
p.add_argument("--epochs", type=int, default=10)
p.add_argument("--seed", type=int, default=0)
p.add_argument("--no-cuda", action="store_true")
p.add_argument("--run-id", required=True)
p.add_argument("--early", type=make_type("x"), default=compute())
logger.info("val loss %s, accuracy: %.3f", 1, 2)
"""

CLICK = """
import click

@click.command()
@click.option("--lr", default=0.01, show_default=True)
@click.option("--depth", type=click.IntRange(2, 8), default=4)
@click.option("--act", type=click.Choice(["relu", "gelu"]), default="relu")
@click.option("--shuffle/--no-shuffle", default=True)
@click.option("--tags", multiple=True)
def main(lr, depth, act, shuffle, tags):
    click.echo(f"loss: {lr}")
"""

DATACLASS = """
from dataclasses import dataclass, field
from typing import Literal

@dataclass
class Point:
    x: float = 0.0

@dataclass(frozen=True)
class Config:
    lr: float = 3e-4
    dropout: float = field(default=0.1)
    n_layers: int = 6
    warm: bool = False
    act: Literal["relu", "gelu"] = "relu"
    out_dir: str = "out"
"""


def init(folder: Path, source: str, *more: str) -> Result:
    (folder / "train.py").write_text(source)
    script, output = str(folder / "train.py"), str(folder / "space.toml")
    return CliRunner().invoke(commands, ["init", script, "-o", output, *more])


def parameters(folder: Path) -> dict[str, Any]:
    text = (folder / "space.toml").read_text()
    Space.from_toml(text)
    found: dict[str, Any] = tomllib.loads(text)["parameters"]
    return found


def test_argparse_is_read_without_running(tmp_path: Path) -> None:
    """Flags, types, defaults that are constants, choices, actions; what is no setting is left."""
    result = init(tmp_path, ARGPARSE)

    assert result.exit_code == 0, result.output
    flag = {"type": "Categorical", "choices": [False, True], "default": False}
    assert parameters(tmp_path) == {
        "learning-rate": {"type": "Float", "low": 1e-5, "high": 0.1, "log": True, "default": 1e-3},
        "batch_size": {"type": "Ordinal", "choices": [16, 32, 64, 128, 256], "default": 64},
        "optimizer": {"type": "Categorical", "choices": ["adam", "sgd"], "default": "adam"},
        "nesterov": flag,
        "no-augment": flag,
    }
    text = (tmp_path / "space.toml").read_text()
    assert "# epochs = 10  # what a trial spends" in text
    assert "# seed = 0  # a seed is luck" in text


def test_the_command_to_type_next_is_whole(tmp_path: Path) -> None:
    """It names the metric that the script prints, its direction, and what only the user knows."""
    result = init(tmp_path, ARGPARSE)

    assert "--maximize accuracy --trials 50 -- python" in result.stdout
    assert "train.py DATA --run-id=RUN-ID {args}\n" in result.stdout


def test_click_is_read(tmp_path: Path) -> None:
    """Options, ranges, choices and pairs of flags."""
    assert init(tmp_path, CLICK).exit_code == 0

    found = parameters(tmp_path)
    assert list(found) == ["lr", "depth", "act", "no-shuffle"]
    assert found["depth"] == {"type": "Int", "low": 2, "high": 8, "default": 4}


def test_a_dataclass_is_read(tmp_path: Path) -> None:
    """That with the most fields; booleans as values, since there is no parser to ask."""
    assert init(tmp_path, DATACLASS).exit_code == 0

    found = parameters(tmp_path)
    assert list(found) == ["lr", "dropout", "n_layers", "warm", "act"]
    assert found["warm"] == {
        "type": "Categorical", "choices": ["true", "false"], "default": "false",
    }  # fmt: skip


def test_a_file_is_not_written_over(tmp_path: Path) -> None:
    """Unless that is asked for."""
    init(tmp_path, CLICK)

    again = init(tmp_path, DATACLASS)
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    assert "depth" in parameters(tmp_path)
    assert init(tmp_path, DATACLASS, "--force").exit_code == 0
    assert "n_layers" in parameters(tmp_path)


def test_json_says_the_same(tmp_path: Path) -> None:
    """Parameters, the reasons for what is left, and the command."""
    data = json.loads(init(tmp_path, CLICK, "--json").stdout)

    assert data["tuned"] == parameters(tmp_path)
    assert data["not_tuned"] == {"tags": "what is shown, not what is learnt"}
    assert data["command"].startswith("tunesmith run --space ")


@pytest.mark.parametrize(
    "source, sentence",
    [("x = 1", "no options that can be read"), ("def f(:", "is no Python: .* in line 1")],
)
def test_a_script_without_options_is_refused(source: str, sentence: str) -> None:
    """With the way out."""
    with pytest.raises(SettingError, match=sentence):
        read_script(source, "train.py")


def test_nothing_to_tune_is_refused(tmp_path: Path) -> None:
    """And nothing is written."""
    result = init(tmp_path, "p.add_argument('--seed', type=int, default=0)")

    assert result.exit_code == 2
    assert "(seed) looks like one to tune" in result.stderr
    assert not (tmp_path / "space.toml").exists()


@pytest.mark.parametrize(
    "name, kind, default, settings",
    [
        ("lr", "float", 1e-3, {"low": 1e-5, "high": 0.1, "log": True}),
        ("lr", "float", 1.0, {"low": 0.01, "high": 10.0, "log": True}),
        ("weight_decay", "float", 0.0, {"low": 1e-6, "high": 0.1, "default": 1e-6}),
        ("attn-dropout", "float", 0.1, {"low": 0.0, "high": 0.9}),
        ("drop_rate", "float", 0.0, {"low": 0.0, "high": 0.9}),
        ("momentum", "float", 0.9, {"low": 0.5, "high": 0.999}),
        ("beta2", "float", 0.999, {"low": 0.5, "high": 0.999}),
        ("colsample", "float", 1.0, {"low": 0.1, "high": 1.0}),
        ("max_depth", "int", 6, {"type": "Int", "low": 1, "high": 12}),
        ("hiddenSize", "int", 100, {"type": "Int", "low": 25, "high": 400, "log": True}),
        ("n_embd", "int", 64, {"type": "Ordinal", "choices": [16, 32, 64, 128, 256]}),
        ("warmup-steps", "int", 100, {"low": 25, "high": 400}),
        ("zeta", "float", 2.0, {"low": 0.2, "high": 20.0, "log": True}),
        ("lr_decay_epochs", "int", 30, {"default": 30}),
    ],
)
def test_ranges_by_name(name: str, kind: Kind, default: Any, settings: dict[str, Any]) -> None:
    """The names that people use have the ranges that people would give."""
    found = proposal(Option(name, kind, default, flag=f"--{name}")).settings

    assert {key: found.get(key) for key in settings} == settings


@pytest.mark.parametrize(
    "name, kind, default",
    [
        ("epochs", "int", 10), ("seed", "int", 1), ("output_dir", "text", "x"), ("device", "text", "cpu"),
        ("num-workers", "int", 4), ("log_interval", "int", 10), ("test-batch-size", "int", 1000),
        ("adam_eps", "float", 1e-8), ("gain", "float", None), ("arch", "text", "resnet"),
    ],
)  # fmt: skip
def test_what_is_no_hyperparameter_is_left(name: str, kind: Kind, default: Any) -> None:
    """With a reason."""
    found = proposal(Option(name, kind, default, flag=f"--{name}"))

    assert (found.settings, bool(found.reason)) == ({}, True)


KNOWN = [
    "lr", "weight_decay", "dropout", "momentum", "label_smoothing", "subsample", "zeta", "batch_size", "kernel_size",
    "heads", "depth", "width", "trees", "warm up", "β",
]  # fmt: skip
NUMBERS = st.one_of(
    st.floats(-1e9, 1e9).map(lambda x: float(f"{x:.6g}")), st.integers(-1000, 100_000)
)


@given(name=st.sampled_from(KNOWN), kind=st.sampled_from(["float", "int"]), default=NUMBERS)
def test_every_proposal_is_a_space_that_holds_the_default(
    name: str, kind: Kind, default: float
) -> None:
    """Whatever the name and the default, what is proposed can be read, and begins with it."""
    found = proposal(Option(name, kind, default, flag=f"--{name}"))
    if not found.settings:
        return
    text = f"parameters.{toml_key(found.name)} = {toml_value(found.settings)}"

    params, whole = Space.from_toml(text).default()

    assert whole
    assert params[name] == default or (name, default) == ("weight_decay", 0)

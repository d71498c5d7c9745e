import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands

SPACE = {"x": ts.Float(0, 1, default=0.9), "idle": ts.Int(1, 5, default=2)}


def call(*words: str) -> Result:
    return CliRunner().invoke(commands, list(words))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a study of twenty trials, one that runs, and a second study."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    for name in ("one", "two"):
        study = made(name)
        for trial in study.ask(20):
            study.tell(trial, trial["x"] + 0.001 * (trial.number % 3) + (name == "two"))
    running = ts.load(None, "one").ask()
    running.report(3, loss=0.5)
    return tmp_path


def made(name: str, **settings: Any) -> ts.Study[Any]:
    settings = {"resource": ts.Resource("epoch", 9), "scheduler": None, **settings}
    return ts.Study(
        SPACE, minimize="loss", name=name, seed=1, sampler=ts.samplers.Random(), **settings
    )


def test_show_says_how_the_best_came_about_and_what_matters() -> None:
    """A line of blocks with its ends, and the most important parameter with its share."""
    shown = call("show", "one").stdout
    history = ts.load(None, "one").history

    assert f"best so far: {history[0].value:.4g} █" in shown
    assert f"▁ {history.best.value:.4g}\n" in shown
    assert re.search(r"\nimportance: x \d+%", shown)


def test_show_says_what_runs() -> None:
    """How far it is, since when, and what it reported last."""
    shown = call("show", "one").stdout
    (data,) = json.loads(call("show", "one", "--json").stdout)["running"]

    heads, line = shown.split("running  epoch")[1].splitlines()[:2]
    assert heads.split() == ["for", "loss", "params"]
    assert line.split()[:4] == ["20", "3", "of", "9"]
    assert " s  0.5   x=" in line
    assert (data["number"], data["step"]) == (20, 3)
    assert "running  epoch" not in call("show", "two").stdout


def test_show_has_some_of_a_long_front() -> None:
    """A row each, so that they fit into a terminal."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize=["a", "b"], name="front", seed=1, sampler=ts.samplers.Random()
    )  # fmt: skip
    for trial in study.ask(20):
        study.tell(trial, {"a": trial["x"], "b": -trial["x"]})
    shown = call("show", "front", "--last", "0").stdout

    assert "20 trials that no other beats, 8 of them\n" in shown
    assert "best a so far: " in shown
    assert "importance for b: x 100%" in shown
    assert max(map(len, shown.splitlines())) < 80


def test_watch_tells_each_trial_that_ends() -> None:
    """Where there is no terminal: what was there before in one line, then a line each, until nobody runs it."""
    code = (
        "import tunesmith as ts, time\n"
        "study = ts.load(None, 'two')\n"
        "print('ready', flush=True); input()\n"
        "for trial in study.ask(3): study.tell(trial, 3.0)\n"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    command = [str(Path(sys.executable).with_name("tunesmith")), "watch", "two"]
    with runner, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert runner.stdin is not None
        assert runner.stdout is not None
        assert watching.stdout is not None
        runner.stdout.readline()
        first = watching.stdout.readline()
        runner.stdin.write("\n")
        runner.stdin.flush()
        lines = [watching.stdout.readline() for _ in range(3)]
        watching.terminate()

    best = ts.load(None, "two").best.value
    assert first.startswith("two: 20 trials ended before · best ")
    assert [line.split(" · ")[0] for line in lines] == [f"trial {n}: loss 3" for n in (20, 21, 22)]
    assert lines[2].split(" · ")[1].startswith(f"best {best:.4g} (default ")


def test_watch_ends_when_nobody_runs_it() -> None:
    """If it is asked to; at once, if nobody does."""
    study = ts.load(None, "two")

    assert call("watch", "two", "--until-done").stdout.startswith("two: 20 trials ended before")
    assert call("watch", "two", "--until-done", "--json").stdout == ""
    assert len(study.history) == 20


@pytest.mark.parametrize(
    "words, said, key",
    [
        (["importance", "one"], "the variance of loss", "effects"),
        (["importance", "one", "--method", "density"], "what tells the best tenth", "effects"),
        (["tunability", "one"], "loss of the default is", "single"),
        (["why", "one"], "trial ", "costs"),
        (["why", "one", "0"], "trial 0 is the default", "costs"),
        (["spending", "one"], "for what completed", "by_state"),
        (["compare", "one", "two", "--budget", "trials"], "loss after ", "methods"),
        (["compare", "low=one", "high=two", "--budget", "trials"], "loss after ", "methods"),
    ],
)
def test_what_the_analyses_say(words: list[str], said: str, key: str) -> None:
    """Their own words; and with --json their data, arrays as lists."""
    assert said in call(*words).stdout
    assert json.loads(call(*words, "--json").stdout)[key]


def test_advice() -> None:
    """A line each, as data a list."""
    text = call("advice", "one").stdout
    data = json.loads(call("advice", "one", "--json").stdout)

    assert len(data) == sum(": " in line for line in text.splitlines())
    assert text.strip()


def test_methods_to_compare_are_named_once() -> None:
    """One sentence, and the exit code of what is typed wrong."""
    done = call("compare", "a=one", "a=two")

    assert done.exit_code == 2
    assert "each method is named once, got a=one, a=two" in done.output


@pytest.mark.parametrize(
    "ending, begin", [("html", "<!doctype html>"), ("md", "# Tuning report: one")]
)
def test_report(ending: str, begin: str) -> None:
    """By the name of a study, or of a file with one; the ending says what is written."""
    done = call("report", "one", "-o", f"r.{ending}")
    assert done.stdout == f"21 trials reported in r.{ending}\n"
    assert Path(f"r.{ending}").read_text().startswith(begin)

    ts.load(None, "one").save("alone.db")
    done = call("report", "alone.db", "-o", f"s.{ending}", "--json")
    assert json.loads(done.stdout) == {"name": "one", "file": f"s.{ending}", "trials": 21}


def test_a_report_of_another_kind_is_refused() -> None:
    """By its ending, before anything is written."""
    done = call("report", "one", "-o", "r.pdf")

    assert done.exit_code == 2
    assert not Path("r.pdf").exists()


def test_of_thousands_another_importance_is_named() -> None:
    """By densities: it is not that of `tunesmith importance`, and has another name; thousands have commas."""
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", seed=1, name="many", sampler=ts.samplers.Random()
    )
    for trial in study.ask(2001):
        study.tell(trial, trial["x"])
    shown = call("show", "many").stdout

    assert re.search(r"importance for being among the best tenth: x \d+%", shown)
    assert "2,001 trials: 2,001 complete" in shown


def test_a_study_commands_no_terminal(tmp_path: Path) -> None:
    """Names, labels and failures of others are shown as they are: no colours, no cursor, no markup."""
    place = str(tmp_path / "s.db")
    odd = "\x1b]52;c;ZQ==\x07[bold]x[/bold][/]"
    study = ts.Study(
        {"[b]x": ts.Categorical([odd, "b"])},
        minimize="loss",
        name=odd,
        storage=place,
        scheduler=None,
    )

    def fit(trial: ts.Trial[dict[str, Any]]) -> float:
        if trial.number == 1:
            raise ValueError(odd)
        return 0.5

    study.run(fit, trials=3, progress=False)
    for words in (["list"], ["show"], ["show", odd, "1"]):
        told = CliRunner().invoke(commands, [*words, "--storage", place])
        assert (words, told.exit_code) == (words, 0)
        assert "\x1b" not in told.stdout
        assert r"\x1b]52;c;ZQ==\x07[bold]x[/bold][/]" in told.stdout

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tunesmith as ts
from tunesmith.cli import commands
from tunesmith.cli.program import spoken

SPACE = """
[parameters]
lr = {type = "Float", low = 1e-5, high = 0.1, log = true, default = 1e-3}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a space."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUNESMITH_STORAGE", raising=False)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def run(program: str, *more: str, trials: int = 2) -> Result:
    """Tune a shell script; $1 is the learning rate."""
    ends = ["--trials", str(trials)] if trials else []
    options = ["--space", "space.toml", "--metric", "loss", *ends, *more]
    command = ["bash", "-c", program, "program", "{lr}"]
    return CliRunner().invoke(commands, ["run", *options, "--name", "s", "--", *command])


def study() -> ts.Study[dict[str, float]]:
    return ts.load(None, "s")


def test_json_lines_are_reports_and_the_result() -> None:
    """Lines with a step are the curve, the last that names the metric is the value."""
    result = run(
        'echo hello; echo \'{"step": 1, "loss": 3}\'; echo \'{"step": 2, "loss": 2, "who": "me"}\'; '
        'echo \'{"loss": 9}\'; echo "{\\"loss\\": $1, \\"seconds\\": 4}"; echo \'{"level": "info"}\'',
    )

    assert result.exit_code == 0, result.stderr
    for record in study().history:
        steps, values = record.reported("loss")
        assert (list(steps), list(values)) == ([1, 2], [3, 2])
        assert record.values == {"loss": record.logged["lr"], "seconds": 4}
    assert "   0 | hello\n" in result.stderr
    assert '   1 | {"level": "info"}\n' in result.stderr
    assert "step" not in result.stderr


def test_reports_alone_are_the_result() -> None:
    """A trial that prints nothing after its last report has that value."""
    run('echo \'{"loss": 9}\'; echo \'{"step": 5, "loss": 2}\'')

    assert [(r.value, r.step) for r in study().history] == [(2, 5), (2, 5)]


def test_a_program_that_speaks_no_json_is_taken_at_its_word() -> None:
    """The last line of text that names the metric; of standard error, if there is no other."""
    run('echo "train loss: 7"; echo "Test Loss = $1 (ok)"; echo "loss: 8" >&2')
    run(
        'echo "train loss: 7" >&2; echo "Test Loss = $1 (ok)" >&2; echo done',
        "--more",
        "2",
        trials=0,
    )

    assert [r.value for r in study().history] == [r.logged["lr"] for r in study().history]
    assert len(study().history) == 4


@pytest.mark.parametrize(
    "line, metric, value",
    [
        ("loss: 0.5", "loss", 0.5),
        ("Loss 1e-3", "loss", 1e-3),
        ("the loss is -.5", "loss", -0.5),
        ("Average loss: 0.05, Accuracy: 98/100 (98%)", "accuracy", 98),
        ("Val-Loss = nan", "val_loss", float("nan")),
        ("val_loss: 3", "loss", None),
        ("loss: low", "loss", None),
        ("glossy 3", "loss", None),
        ("loss function 3", "loss", None),
    ],
)
def test_numbers_in_text(line: str, metric: str, value: float | None) -> None:
    """A metric is a whole word, followed by its number."""
    assert spoken(line, metric) == pytest.approx(value, nan_ok=True)


def test_what_a_program_finds_in_its_environment() -> None:
    """Its seed, number and folder, as the trial has them; no input to wait for."""
    run('cat; echo "{\\"loss\\": 1, \\"seed\\": $TUNESMITH_SEED, \\"trial\\": $TUNESMITH_TRIAL}"; '
        'mkdir -p "$TUNESMITH_CHECKPOINT"')  # fmt: skip

    history = study().history
    assert [r.values["seed"] for r in history] == [r.seed for r in history]
    assert [r.values["trial"] for r in history] == [0, 1]
    assert sorted(path.name for path in Path(".tunesmith/s").iterdir()) == ["0", "1"]


def test_a_failure_before_any_success_is_a_bug() -> None:
    """The run ends with the program's last words; the trial is handed back and goes on next."""
    result = run("echo working; echo 'no such layer' >&2; exit 3")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "ended with exit code 3:\nno such layer" in result.stderr
    assert "Traceback" not in result.stderr
    assert [(r.state, r.why) for r in study().history] == [("paused", "error")]
    assert run('echo "loss: $1"').exit_code == 0
    assert [(r.state, r.attempt) for r in study().history] == [("complete", 2), ("complete", 1)]


def test_a_later_failure_is_recorded_with_its_last_words() -> None:
    """The end of standard error is the text; the study goes on."""
    result = run(
        'if [ "$TUNESMITH_TRIAL" = 1 ]; then for i in $(seq 30); do echo "line $i" >&2; done; exit 3; '
        'fi; echo "loss: $1"',
        trials=3,
    )

    assert result.exit_code == 0, result.stderr
    failed = study().history[1]
    assert failed.failure is not None
    assert failed.failure.kind == "error"
    text = failed.failure.text.splitlines()
    assert text[0].endswith("ended with exit code 3:")
    assert text[1:] == [f"line {i}" for i in range(21, 31)]
    assert study().history.count("complete") == 3


def test_a_signal_is_named() -> None:
    """A program that crashes says which signal ended it."""
    assert "was ended by SIGSEGV; it wrote no error" in run("kill -SEGV $$").stderr


def test_a_program_without_a_result_is_told_how_to_give_one() -> None:
    """Both ways are shown."""
    result = run("echo done")

    assert result.exit_code == 1
    assert 'printed no loss; let it print a JSON line {"loss": 0.3}, or' in result.stderr


def test_a_stopped_program_is_asked_to_end() -> None:
    """SIGTERM reaches it and what it started; what it still says is no report."""
    result = run(
        'trap "echo bye > bye; exit 0" TERM; sleep 60 & echo $! > child; '
        'echo \'{"step": 1, "loss": NaN}\'; wait',
        "--max-failures", "0",
    )  # fmt: skip

    assert result.exit_code == 1
    assert Path("bye").read_text() == "bye\n"
    failure = study().history[0].failure
    assert failure is not None
    assert failure.kind == "diverged"
    assert not _lives(int(Path("child").read_text()))


def test_a_program_that_will_not_end_is_killed() -> None:
    """After the grace period."""
    result = run(
        'trap "" TERM; echo $$ > pid; echo \'{"step": 1, "loss": NaN}\'; '
        "while true; do sleep 60; done",
        "--grace", "0.2", "--max-failures", "0",
    )  # fmt: skip

    assert result.exit_code == 1
    assert not _lives(int(Path("pid").read_text()))


def _lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_output_held_open_by_a_child_does_not_keep_the_run_waiting() -> None:
    """A daemon that a program leaves behind is not waited for."""
    result = run('echo "loss: $1"; sleep 4 & echo $! > pid', trials=1)

    assert result.exit_code == 0, result.stderr
    pid = int(Path("pid").read_text())
    assert _lives(pid)
    os.kill(pid, signal.SIGKILL)


def test_much_output_is_no_harm() -> None:
    """Long lines are cut, many lines pass."""
    result = run(
        'head -c 300000 /dev/zero | tr "\\0" x; echo; seq 5000; echo "loss: 1"', "-q", trials=1
    )

    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "number, code, why",
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 0, "pre-empted"),
        (signal.SIGHUP, 0, "pre-empted"),
    ],
)
def test_an_interrupt_hands_the_trial_back(number: signal.Signals, code: int, why: str) -> None:
    """The program got SIGTERM, nothing is lost, the same line goes on."""
    script = "trap 'echo bye > bye; exit' TERM; echo started; sleep 60 & wait"
    program = [
        sys.executable, "-c", "from tunesmith.cli import main; main()", "run", "--space", "space.toml", "--metric", "loss",
        "--trials", "2", "--name", "s", "--", "bash", "-c", script, "program", "{lr}",
    ]  # fmt: skip
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "started" not in process.stderr.readline():
        pass
    process.send_signal(number)

    _, said = process.communicate()
    assert process.returncode == code
    assert "the same line goes on" in said
    assert Path("bye").exists()
    assert [(r.state, r.why) for r in study().history] == [("paused", why)]


def test_a_program_ends_with_tunesmith() -> None:
    """Also if that is killed: nothing goes on unseen."""
    program = [
        sys.executable, "-c", "from tunesmith.cli import main; main()", "run", "--space", "space.toml", "--metric", "loss",
        "--trials", "2", "--name", "s", "--", "bash", "-c", "echo started $$; sleep 60 & wait", "program", "{lr}",
    ]  # fmt: skip
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = next(line for line in process.stderr if "started" in line)
    its = os.pidfd_open(int(line.split()[-1]))
    process.kill()
    process.communicate()

    assert select.select([its], [], [], 10) == ([its], [], [])
    os.close(its)


def test_programs_end_at_once_and_before_their_trials_are_handed_back() -> None:
    """One grace for all of them; nobody who goes on with a trial finds its last attempt at work."""
    script = (
        "trap '' TERM; mkdir -p $TUNESMITH_CHECKPOINT; echo started; "
        "while true; do echo x >> $TUNESMITH_CHECKPOINT/file; sleep 0.02; done"
    )
    program = [
        sys.executable, "-c", "from tunesmith.cli import main; main()", "run", "--space", "space.toml", "--metric", "loss",
        "--trials", "3", "--workers", "3", "--grace", "1", "--name", "s", "--", "bash", "-c", script, "program", "{lr}",
    ]  # fmt: skip
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    started = 0
    while started < 3:
        started += "started" in process.stderr.readline()
    told = time.time()
    process.send_signal(signal.SIGINT)
    process.communicate()

    lines = ts.storage.connect("tunesmith.db").read("s")
    handed_back = [event["time"] for event in map(json.loads, lines) if event["event"] == "paused"]
    written = [path.stat().st_mtime for path in Path(".tunesmith/s").glob("*/file")]
    assert (len(handed_back), len(written)) == (3, 3)
    assert told + 0.8 < max(written) < min(handed_back) < told + 2.5


def test_a_program_that_cannot_be_started_leaves_nothing_open() -> None:
    """As often as it is tried; counted in a process of its own, where nobody else opens or closes."""
    script = (
        "import os\n"
        "from tunesmith.cli.process import Process\n"
        "refused = 0\n"
        "before = len(os.listdir('/proc/self/fd'))\n"
        "for _ in range(3):\n"
        "    try:\n"
        "        Process(['./nowhere'], {})\n"
        "    except FileNotFoundError:\n"
        "        refused += 1\n"
        "print(refused, len(os.listdir('/proc/self/fd')) - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["3", "0"]


def test_a_limit_in_front_of_a_program() -> None:
    """It reaches the program, and its end is a failure as any other."""
    options = ["--space", "space.toml", "--metric", "loss", "--trials", "1", "--name", "s"]
    words = ["timeout", "0.1", "bash", "-c", "sleep 60", "program", "{lr}"]
    result = CliRunner().invoke(commands, ["run", *options, "--", *words])

    assert result.exit_code == 1
    assert "ended with exit code 124" in result.stderr


MODEL = """
import os
import time
from dataclasses import dataclass
from typing import Annotated
import helper
import tunesmith as ts

def fit(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    return helper.double(x)

@dataclass(frozen=True)
class Params:
    lr: Annotated[float, ts.Float(0, 1)] = 0.5

def train(trial: ts.Trial[Params]):
    for step in trial.steps():
        trial.report(step, accuracy=trial.params.lr / step, size=3)

def given(trial):
    return {"loss": trial["lr"], "accuracy": 1 - trial["lr"]}

def broken(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    return x / 0

def slow(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    time.sleep(60)

def large(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    held = b"x" * 500_000_000
    time.sleep(60)

def dies(x: Annotated[float, ts.Float(0, 1)] = 0.5):
    os._exit(3)
"""


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own."""
    Path("models").mkdir(exist_ok=True)
    Path("models/model.py").write_text(MODEL)
    Path("models/helper.py").write_text("def double(x): return 2 * x")
    code = "from tunesmith.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *words], capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_a_function_is_tuned_by_its_signature() -> None:
    """What stands beside the script can be imported; the study is named after the function."""
    done = command("run", "models/model.py:fit", "--minimize", "--trials", "3", "--seed", "4")

    assert done.returncode == 0, done.stderr
    found = ts.load(None, "model:fit")
    assert found.seed == 4
    assert [r.value for r in found.history] == [2 * r.params["x"] for r in found.history]
    assert done.stdout.startswith(f"best: trial {found.best.number}, value ")


def test_a_training_is_tuned_by_its_annotation() -> None:
    """With a resource, a limit and a sampler; JSON alone on standard output."""
    done = command(
        "run", "models/model.py:train", "--maximize", "accuracy", "--resource", "epoch=2",
        "--subject-to", "size <= 3", "--sampler", "grid:levels=3", "--trials", "9", "--name", "t", "--json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["name"] == "t"
    assert data["complete"] == 3
    assert data["best"][0]["params"] == {"lr": 1.0}
    assert data["best"][0]["step"] == 2


def test_a_scheduler_and_its_settings_are_typed() -> None:
    """Left out, a study goes on under the one that it has; none is none."""
    line = ["run", "models/model.py:train", "--maximize", "accuracy", "--resource", "epoch=9,min=2",
            "--name", "t", "-q"]  # fmt: skip

    def scheduler() -> object:
        return ts.load(None, "t").scheduler

    first = command(*line, "--trials", "3", "--scheduler", "asha:factor=2")
    assert (first.returncode, first.stderr) == (0, "")
    assert scheduler() == ts.schedulers.ASHA(factor=2)
    assert ts.load(None, "t").problem.resource == ts.Resource("epoch", max=9, min=2)
    command(*line, "--trials", "4")
    assert scheduler() == ts.schedulers.ASHA(factor=2)
    command(*line, "--trials", "5", "--scheduler", "none")
    assert scheduler() is None


def test_a_function_of_a_trial_takes_its_space_from_a_file() -> None:
    """Several objectives, each with its direction."""
    done = command(
        "run", "models/model.py:given", "--space", "space.toml", "--minimize", "loss", "--maximize",
        "accuracy", "--trials", "3", "-q",
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    found = ts.load(None, "model:given")
    assert {o.name: o.direction for o in found.problem.objectives} == {
        "loss": "minimize", "accuracy": "maximize",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name, limits, kind",
    [
        ("slow", ["--trial-timeout", "0.4"], "timed out"),
        ("large", ["--trial-memory", "300MB"], "out of memory"),
        ("dies", ["--retries", "0"], "lost"),
    ],
)
def test_what_a_trial_may_cost(name: str, limits: list[str], kind: str) -> None:
    """Its worker is killed, or has gone; that is the trial's end."""
    done = command(
        "run", f"models/model.py:{name}", "--minimize", "--trials", "1", "--workers", "1",
        "--max-failures", "0", "--lease", "30", *limits,
    )  # fmt: skip

    assert done.returncode == 1
    (record,) = ts.load(None, f"model:{name}").history
    assert record.failure is not None
    assert (record.failure.kind, record.attempt) == (kind, 1)


def test_a_bug_of_ones_own_has_its_own_traceback() -> None:
    """It begins in the user's file."""
    done = command("run", "models/model.py:broken", "--minimize", "--trials", "3")

    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "tunesmith/" not in done.stderr
    assert "the same line goes on" in done.stderr


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["model.py"], "model.py alone does not say what to call; write model.py:FUNCTION"),
        (["nowhere.py:fit"], "there is no script nowhere.py"),
        (["models/model.py:fitt"], "did you mean 'fit'?"),
        (["nomodule:fit"], "there is no module 'nomodule'"),
        (["--", "bash", "{lr}"], "a program needs --space space.toml"),
        (["--space", "space.toml", "--", "bsh", "{lr}"], "there is no program 'bsh'"),
        (["--space", "space.toml", "--", "bash", "{rl}"], "names no parameter of the space"),
        (["--space", "none.toml", "--", "bash", "{lr}"], "'none.toml' does not exist"),
        (["--resource", "epoch", "models/model.py:fit"], "a resource is written NAME=VALUE"),
        (["--resource", "epoch=9,max=3", "models/model.py:fit"], "as in epoch=30,min=3"),
        (["--sampler", "best", "models/model.py:fit"], "there is no sampler 'best'"),
        (["--scheduler", "best", "models/model.py:fit"], "there is no scheduler 'best'"),
        (["--scheduler", "asha:eta=4", "models/model.py:fit"], "no setting 'eta'; it has factor"),
        (["--scheduler", "asha", "models/model.py:fit"], "ASHA ends trials before"),
        (["--maximize", "--name", "x", "models/model.py:fit"], "are both without a name"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(words: list[str], sentence: str) -> None:
    """On standard error, with exit code 2; nothing was begun."""
    done = command("run", "--minimize", "--trials", "3", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("tunesmith.db").exists()


@pytest.mark.parametrize(
    "options, sentence",
    [
        ([], "nothing says what is tuned"),
        (["--metric", "val_accuracy"], "sounds as if higher were better"),
    ],
)
def test_a_direction_is_never_guessed_wrong(options: list[str], sentence: str) -> None:
    """A metric that is better high is not minimised by default."""
    done = CliRunner().invoke(commands, ["run", "--trials", "3", *options, "m.py:fit"])

    assert done.exit_code == 2
    assert sentence in done.stderr


def test_a_run_needs_an_end() -> None:
    """In the command line's own words."""
    done = CliRunner().invoke(commands, ["run", "--minimize", "loss", "m.py:fit"])

    assert (done.exit_code, "--trials 100 (in all)" in done.stderr) == (2, True)


def test_what_a_program_leaves_for_it_is_kept_with_the_trial(folder: Path) -> None:
    """Files and folders, also of one that fails or is stopped; hidden ones and those that it leaves elsewhere are not."""
    program = (
        'cd "$TUNESMITH_ATTACHMENTS"; echo "$1" > lr.txt; mkdir deep; echo 1 > deep/a; touch .hidden; '
        'echo \'{"step": 1, "loss": 3}\'; '
        '[ $TUNESMITH_TRIAL != 1 ] || exit 3; [ $TUNESMITH_TRIAL != 2 ] || echo \'{"step": 2, "loss": NaN}\'; '
        "[ $TUNESMITH_TRIAL != 2 ] || sleep 60; echo '{\"loss\": 1}'"
    )
    result = run(program, trials=2)

    assert result.exit_code == 0, result.stderr
    assert {record.state for record in study().history} == {"complete", "failed"}
    assert len(study().history) >= 3
    for record in study().history:
        assert list(record.attachments) == ["deep", "lr.txt"]
        assert record.attachments["lr.txt"].read_text().strip() == str(record.logged["lr"])
    show = CliRunner().invoke(commands, ["show", "s", "1", "--save", "out"])
    assert "attached: deep, lr.txt" in show.stdout
    assert show.stderr == "trial 1: 2 attachments copied to out\n"
    assert sorted(path.name for path in (folder / "out").rglob("*")) == ["a", "deep", "lr.txt"]
    wrong = CliRunner().invoke(commands, ["show", "s", "--save", "out"])
    assert "--save copies what was attached to one trial" in wrong.stderr

"""Everything that the pages for users show is run, in the order in which it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

import tunesmith as ts
from tunesmith.cli import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "start.md", "any-program.md", "workers.md", "cluster.md", "faults.md", "schedulers.md", "checkpoints.md", "knowledge.md",
    "diagnosis.md", "explaining.md", "from-optuna.md", "from-scikit-learn.md", "gallery.md", "gpus.md", "overtuning.md", "report.md",
    "reproduce.md", "artifacts.md", "seeds.md", "trust.md", "understanding.md", "whatif.md",
)  # fmt: skip
BLOCK = re.compile(r"```(python|sh|toml)\n(.*?)```", re.DOTALL)
FILE = re.compile(r"# ([\w-]+\.\w+)\n")


def run_page(name: str, folder: Path) -> dict[str, str]:
    """Write the files of a page, run its programs and commands; what each of them printed."""
    bin_ = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "PYTHONWARNINGS": "error"}
    environment.pop("TUNESMITH_STORAGE", None)
    printed: dict[str, str] = {}
    for kind, code in BLOCK.findall((DOCS / name).read_text()):
        file = FILE.match(code)
        if file:
            (folder / file[1]).write_text(code)
            lines = []
            if kind == "python" and "__main__" not in code and "argparse" not in code:
                lines = [f"python {file[1]}"]
        else:
            lines = [
                line for line in code.splitlines() if kind == "sh" and "pip install" not in line
            ]
        for line in lines:
            done = subprocess.run(
                ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{line}: {done.stderr}"
            printed[line] = done.stdout
    return printed


def test_the_page_about_gpus_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials on two GPUs, which need not be there; then two on each."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    printed = run_page("gpus.md", tmp_path)

    said = printed["python train.py"]
    assert "trial 0 on cuda:0, which is GPU 0\n" in said
    assert said.endswith("\nGPU 0\n")


def test_the_page_that_explains_runs(tmp_path: Path) -> None:
    """Gains, the way, why, time; methods; several objectives."""
    printed = run_page("explaining.md", tmp_path)

    assert "tuning everything gains" in printed["python wine.py"]
    assert "each step with what it gains" in printed["python wine.py"]
    assert "is better than the default by" in printed["python wine.py"]
    assert "finding suggestions took" in printed["python wine.py"]
    assert "gp is better than random" in printed["python methods.py"]
    assert "one study of each proves nothing" in printed["python methods.py"]
    assert "on the front cover" in printed["python both.py"]


def test_the_page_on_overtuning_runs(tmp_path: Path) -> None:
    """A holdout of each trial's own, followed on a test split, with what more trials would bring."""
    printed = run_page("overtuning.md", tmp_path)

    assert "up to trial" in printed["python cells.py"]
    assert "30 more trials: accuracy" in printed["tunesmith forecast cells --trials 30"]
    assert "of the spread is seeds" in printed["tunesmith sensitivity cells"]


def test_the_start_page_runs(tmp_path: Path) -> None:
    """From a function to an untouched script; each finds something better than the default."""
    printed = run_page("start.md", tmp_path)

    assert "'lr':" in printed["python model.py"]
    assert '"depth"' in printed["tunesmith best"]
    assert "momentum=" in printed["python digits.py"]
    assert len((tmp_path / "digits.csv").read_text().splitlines()) == 31
    assert "decisions agree" in printed["tunesmith verify digits"]
    assert "--lr=" in printed["tunesmith best train --args"]
    assert "accuracy" in printed["python train.py $(tunesmith best train --args)"]
    # the line that `init` tells to type next is the one of the page, save for its size and name
    told = printed["tunesmith init train.py"]
    assert "tunesmith run --space space.toml --maximize accuracy" in told
    assert "-- python train.py {args}" in told


def test_the_page_on_any_program_runs(tmp_path: Path) -> None:
    """A shell script is tuned, queued for, exported and removed."""
    printed = run_page("any-program.md", tmp_path)

    assert "--width=" in printed["tunesmith best --args"]
    assert '"lr": 0.01,' in printed["tunesmith export --format json"]
    assert "until `tunesmith resume train`" in printed["tunesmith pause"]
    assert "go on by themselves" in printed["tunesmith resume"]
    assert printed["tunesmith delete train --yes"] == "removed 'train' with 9 trials\n"


def test_the_page_for_users_of_optuna_runs(tmp_path: Path) -> None:
    """Our side of it; the other side is not run."""
    printed = run_page("from-optuna.md", tmp_path)

    assert "{'x': " in printed["python first.py"]
    assert printed["python second.py"] == "True\n"
    assert printed["python third.py"] == "5\n"


def test_the_page_for_users_of_scikit_learn_runs(tmp_path: Path) -> None:
    """A grid, a search that learns, and one that is kept."""
    printed = run_page("from-scikit-learn.md", tmp_path)

    assert printed["python digits.py"].startswith("6 {'svc__C': ")
    assert "\nTrue [" in printed["python digits.py"]
    assert printed["python kept.py"] == "7\n"
    assert printed["python halving.py"].endswith("1 on 1797 samples\n")


def test_the_page_on_workers_runs(tmp_path: Path) -> None:
    """Workers share a study, one joins, a command reaches it, and two runs are the same."""
    printed = run_page("workers.md", tmp_path)

    assert "{'x':" in printed["python fit.py"]
    assert "30 trials: 30 complete" in printed["tunesmith show fit"]
    assert printed["tunesmith stop fit"] == "fit: nothing is running\n"
    assert printed["python same.py"] == "True\n"


def test_the_page_on_clusters_runs(tmp_path: Path) -> None:
    """Three members share a budget, one comes for five more trials."""
    printed = run_page("cluster.md", tmp_path)

    assert "20 trials: " in printed["tunesmith show try --storage study.jsonl"]
    assert "decisions agree" in printed["tunesmith verify try --storage study.jsonl"]
    assert len(ts.load(tmp_path / "study.jsonl", "try").history) == 25


def test_the_page_on_clusters_shows_the_recipes() -> None:
    """What stands there of a script is what the script says."""
    text = (DOCS / "cluster.md").read_text()
    ((_, slurm), (_, kubernetes)) = re.findall(r"```(bash|yaml)\n(.*?)```", text, re.DOTALL)
    recipes = DOCS.parent / "examples" / "cluster"

    assert slurm == (recipes / "slurm.sh").read_text()
    assert indent(kubernetes, " " * 10) in (recipes / "kubernetes.yaml").read_text()


def test_the_page_on_checkpoints_runs(tmp_path: Path) -> None:
    """The best weights are in a folder, which lies where the page says and goes with the study."""
    printed = run_page("checkpoints.md", tmp_path)

    assert printed["python digits.py"].split() == ["[1.", "2.", "3.", "4.", "5.]"]
    assert float(printed["python own.py"]) < 1
    assert printed["ls tunesmith.db.files/digits"].startswith("0.")
    assert list((tmp_path / "tunesmith.db.files").iterdir()) == []


def test_the_page_on_artifacts_runs(tmp_path: Path) -> None:
    """Files of a function and of a program are found again by their names."""
    printed = run_page("artifacts.md", tmp_path)

    assert re.fullmatch(r"\[.* .* .*\]\n", printed["python fit.py"])
    assert "attached: w.npy, everything" in printed["tunesmith show ridge 0"]
    assert printed["ls trial-0"] == "everything\nw.npy\n"
    assert printed["cat here/train.log"].startswith("trained with --lr=")


def test_the_page_on_schedulers_runs(tmp_path: Path) -> None:
    """Rungs that begin late cost epochs and find what early ones miss; a schedule, trained again, is the same."""
    printed = run_page("schedulers.md", tmp_path)
    found = re.findall(r": ([\d.]+), (\d+) epochs", printed["python training.py"])
    (whole, _), (early, few), (late, more), _ = ((float(x), int(n)) for x, n in found)

    assert late < 2 * whole < early
    assert few < more < 900
    assert "from epoch 1: rate" in printed["python population.py"]
    assert printed["python population.py"].endswith("\nTrue\n")


def test_the_page_on_what_is_known_runs(tmp_path: Path) -> None:
    """A forest and a pipeline are tuned, and the command line says what is known."""
    printed = run_page("knowledge.md", tmp_path)

    assert "'max_features': Ordinal([" in printed["python forest.py"]
    assert "svc__C" in printed["python pipeline.py"]
    assert "too high" in printed["tunesmith explain max_depth"]
    assert "gamma" in printed["tunesmith explain SVC"]


def test_the_page_on_trust_runs(tmp_path: Path) -> None:
    """A tree on random splits: the best split was luck, and what is expected holds on fresh ones."""
    printed = run_page("trust.md", tmp_path)

    measured, expected, fresh = (
        float(line.split()[-1]) for line in printed["python tree.py"].splitlines()[1:]
    )
    assert measured > fresh
    assert abs(expected - fresh) < measured - fresh
    assert "recommended: trial " in printed["tunesmith show tree"]


def test_the_page_on_understanding_runs(tmp_path: Path) -> None:
    """Of boosting in few rounds the learning rate is what matters, and its range ends too early."""
    printed = run_page("understanding.md", tmp_path)["python boosting.py"]

    assert (
        "shares of the variance of value over the space, by 40 configurations:\n  learning_rate"
        in printed
    )
    assert "learning_rate: value is best at 0.1" in printed
    assert "learning_rate: the best tenth lies at the upper end" in printed


def test_the_page_on_diagnosis_runs(tmp_path: Path) -> None:
    """Networks on noisy labels: the slow ones are told from those that overfit, and lr is to be raised."""
    printed = run_page("diagnosis.md", tmp_path)

    told = printed["tunesmith diagnose digits"]
    assert "too slow: " in printed["python digits.py"]
    assert "digits: 24 trials, 24 with a curve that is long enough to judge" in told
    assert "-> raise lr: median" in told
    assert "overfitting: " in told
    assert "trial 7: " in printed["tunesmith diagnose digits --trial 7"]
    assert '"findings": [' in printed["tunesmith diagnose digits --json"]


def gallery() -> list[tuple[str, str]]:
    """Each program of the gallery, and what it prints there."""
    text = (DOCS / "gallery.md").read_text()
    return re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("code, shown", gallery(), ids=[code.split()[1] for code, _ in gallery()])
def test_the_gallery_prints_what_it_shows(tmp_path: Path, code: str, shown: str) -> None:
    """Each program stands alone and prints the words of the page; other versions may differ in digits."""
    program = tmp_path / "program.py"
    program.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    number = r"-?\d+(?:\.\d+)?"

    assert done.returncode == 0, done.stderr
    printed, shown = (re.sub(r"\{.*\}", "{}", text) for text in (done.stdout, shown))
    assert re.sub(number, "#", printed).split() == re.sub(number, "#", shown).split()
    assert [float(x) for x in re.findall(number, printed)] == pytest.approx(
        [float(x) for x in re.findall(number, shown)], rel=0.15, abs=0.05
    )


def test_the_page_on_what_would_have_been_runs(tmp_path: Path) -> None:
    """A study is replayed from its curves, and one that nobody trained is simulated."""
    printed = run_page("whatif.md", tmp_path)

    assert "with 8 workers and asha" in printed["tunesmith whatif curves --workers 8"]
    assert printed["python guess.py"].count(" s\n") == 6


def test_the_page_on_reproducing_runs(tmp_path: Path) -> None:
    """A changed file makes trials stale, a rerun says which hold, and a bundle is where others start."""
    printed = run_page("reproduce.md", tmp_path)

    assert "objective: train:train" in printed["tunesmith show digits 7"]
    assert "leave data= out" in printed['python train.py 2>&1 | grep "data:"']
    assert "matches exactly" in printed["tunesmith rerun tunesmith.db 13 train.py:train"]
    line = 'tunesmith rerun tunesmith.db 7 train.py:train || echo "not any more"'
    assert printed[line].endswith("noise.py changed\nnot any more\n")
    assert "noise.py" in printed["tunesmith diff 7 13"]
    assert "differ in nothing" in printed["tunesmith diff tunesmith.db digits.tunesmith"]
    methods = printed["python -m zipfile -e digits.tunesmith unpacked && cat unpacked/methods.txt"]
    assert methods.startswith("2 hyperparameters (listed below) were tuned: loss was minimised.")
    assert "14 trials" in printed["tunesmith bundle tunesmith.db -o digits.tunesmith"]
    assert printed["python onward.py"].count("of digits") == 3


def test_the_page_on_reports_runs(tmp_path: Path) -> None:
    """A page, Markdown, and the terminal, of one study."""
    printed = run_page("report.md", tmp_path)

    assert (tmp_path / "report.html").stat().st_size > 4_000_000
    assert (tmp_path / "report.md").read_text().startswith("# Tuning report: boosting")
    assert "\nbest so far: 0.4848 █" in printed["tunesmith show boosting"]
    assert "learning_rate" in printed["tunesmith importance boosting"]
    assert printed["tunesmith watch boosting --until-done"].startswith("boosting: 40 trials ended")


def test_every_command_is_documented() -> None:
    """The pages show each command at work."""
    text = "".join(page.read_text() for page in DOCS.glob("*.md"))

    assert [name for name in COMMANDS if f"tunesmith {name}" not in text] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    """Pages link to pages that are there."""
    links = re.findall(r"\]\(([\w-]+\.md)\)", (DOCS / name).read_text())

    assert [link for link in links if not (DOCS / link).exists()] == []

"""What is true of Ray beyond the contract; real nodes, on this machine."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tunesmith as ts
from tunesmith.executors import Channel, Died, Ray, Returned
from tunesmith.testing.executors import Log

pytestmark = pytest.mark.xdist_group("ray")
DOCS = Path(__file__).parents[2] / "docs" / "ray.md"
DRIVER = Path(__file__).with_name("ray_driver.py")
X = {"x": ts.Float(0, 1)}
T = ts.Trial[dict[str, Any]]


def until(reached: Callable[[], Any], seconds: float = 60) -> None:
    """Wait for something that happens in another process."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def study_of(**options: Any) -> ts.Study[dict[str, Any]]:
    return ts.Study(X, minimize="loss", seed=0, **options)


def test_takes_what_the_nodes_have_room_for(cluster: Any) -> None:
    """Both nodes are full with four places of one CPU; a place says where it is."""
    with Ray() as executor:
        Log().until_true(executor, lambda: len(executor.free()) == 4)
        places = executor.free()
        executor.pump(Log(), 60)

    assert all(place.worker and not place.device for place in places)


def test_a_crash_a_limit_and_what_is_printed(cluster: Any) -> None:
    """A worker that ends is lost, one that takes too long is killed; lines come before the end."""

    def work(channel: Channel, how: str) -> str:
        print(f"{how} begins")
        if how == "crashes":
            channel.request("may I?")
            os._exit(3)
        if how == "hangs":
            time.sleep(600)
        os.write(1, b"no line break")
        return "done"

    log, said = Log(), list[str]()
    with Ray(1, timeout_s=3, output=said.append) as executor:
        for how in ("crashes", "returns", "hangs"):
            log.until_free(executor)
            executor.submit(work, (how, 1), how)
            log.until(executor, (how, 1))

    crashed, hung = log.ended["crashes", 1], log.ended["hangs", 1]
    assert isinstance(crashed, Died)
    assert crashed.kind == "lost"
    assert crashed.text.startswith("the worker on ")
    assert log.ended["returns", 1] == Returned("done")
    assert hung == Died("timed out", "the work took longer than 3 s")
    assert said == ["crashes begins", "returns begins", "no line break", "hangs begins"]


def test_what_no_node_has_is_refused(cluster: Any) -> None:
    """With what was asked for and what there is; the study has no trial."""
    study = study_of()
    with pytest.raises(ts.SettingError, match=r"shall have 64 cpu, .* nodes with .*2 cpu$"):
        study.run(lambda t: t["x"], trials=3, executor="ray", resources={"cpu": 64})

    assert len(study.history) == 0


@pytest.mark.slow
def test_waits_where_all_nodes_with_room_are_lost(cluster: Any) -> None:
    """What was there may come again: the executor goes on asking for one place."""
    node = {"num_cpus": 1, "resources": {"rare": 1}, "object_store_memory": 80_000_000}
    rare, log = cluster.add_node(**node), Log()
    with Ray(resources={"rare": 1}) as executor:
        log.until_free(executor)
        executor.submit(lambda _: time.sleep(600), ("lost", 1))
        cluster.remove_node(rare, allow_graceful=False)
        log.until(executor, ("lost", 1))
        assert executor.awaits().startswith("waits for a place")
        rare = cluster.add_node(**node)
        log.until_free(executor)
    cluster.remove_node(rare)


def test_works_that_take_nothing(cluster: Any) -> None:
    """What only waits may take no CPU; there are as many places as `n` says."""
    with Ray(5, resources={"cpu": 0}) as executor:
        Log().until_true(executor, lambda: len(executor.free()) == 5)


@pytest.mark.slow
def test_waits_for_a_place(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """While others have the cluster, no trial begins, and a run says what it waits for."""
    study = study_of()
    with Ray() as other:
        Log().until_true(other, lambda: len(other.free()) == 4)
        threading.Timer(6, other.close).start()
        study.run(lambda t: t["x"], trials=1, executor="ray")

    assert "waits for a place in the Ray cluster with 1 cpu" in capsys.readouterr().err
    (record,) = study.history
    assert record.state == "complete"


def test_a_study_runs_on_a_cluster(cluster: Any) -> None:
    """Trials run on both nodes, reports and stops go through Ray, and the log can be verified."""
    slowest = 0.01

    def train(trial: T) -> None:
        for step in trial.steps():
            time.sleep(slowest)
            trial.report(step, loss=trial["x"] + 1 / step)

    study = study_of(resource=ts.Resource("epoch", max=9), scheduler=ts.schedulers.ASHA())
    study.run(train, trials=24, executor="ray", confirm=True, progress=False)

    assert study.history.count("complete", "stopped") == 24
    assert study.history.count("stopped") > 0
    assert study.verify()
    assert study.confirmation is not None
    assert study.rerun(3, train, executor="ray")


def test_a_lost_node_costs_no_step(cluster: Any, tmp_path: Path) -> None:
    """A trial goes on from its checkpoint on another node; no step is lost or done twice."""

    def train(trial: T) -> None:
        import ray

        done: list[int] = []

        def save(folder: Path) -> None:
            (folder / "steps").write_text(" ".join(map(str, done)))

        def load(folder: Path) -> None:
            done[:] = map(int, (folder / "steps").read_text().split())

        trial.resumable(save=save, load=load)
        for step in trial.steps():
            done.append(step)
            if step == 3 and trial.attempt == 1:
                (tmp_path / "node").write_text(ray.get_runtime_context().get_node_id())
                time.sleep(600)
            with trial.save() as folder:
                save(folder)
            trial.report(step, loss=1 / step)
        (tmp_path / "done").write_text(" ".join(map(str, done)))

    def lose() -> None:
        until(lambda: (tmp_path / "node").exists() and (tmp_path / "node").read_text())
        (lost,) = (node for node in nodes if node.node_id == (tmp_path / "node").read_text())
        cluster.remove_node(lost, allow_graceful=False)
        nodes.remove(lost)

    spare = {"num_cpus": 1, "resources": {"spare": 1}, "object_store_memory": 80_000_000}
    nodes = [cluster.add_node(**spare) for _ in range(2)]
    loser = threading.Thread(target=lose)
    loser.start()
    study = study_of(
        resource=ts.Resource("epoch", max=5), scheduler=None, name="s", storage=tmp_path / "s.db"
    )
    study.run(train, trials=1, executor="ray", resources={"spare": 1}, progress=False)
    loser.join()
    cluster.remove_node(*nodes)

    (record,) = study.history
    assert (record.state, record.attempt, record.lost) == ("complete", 2, 1)
    assert (tmp_path / "done").read_text() == "1 2 3 4 5"
    assert study.verify()


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGKILL]
)
def test_workers_end_with_their_driver(cluster: Any, tmp_path: Path, number: int) -> None:
    """However it ends; told to leave it hands its trials back, and another run goes on with them."""
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), str(tmp_path), "ray", "slow"],
        env=os.environ | {"RAY_ADDRESS": cluster.address}, stderr=subprocess.PIPE, text=True,
        process_group=0,
    )  # fmt: skip
    until(lambda: len([*tmp_path.glob("pid-*")]) == 2)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=30)
    pids = [int(path.name.partition("-")[2]) for path in tmp_path.glob("pid-*")]
    until(lambda: all(map(is_gone, pids)))

    history = ts.load(tmp_path / "s.db", "s").history
    if number == signal.SIGKILL:
        assert {record.state for record in history} == {"running"}
    else:
        assert {record.state for record in history} == {"paused"}
        assert "after 0 of 3 trials" in said
    study = ts.load(tmp_path / "s.db", "s")
    study.run(lambda t: t["x"], trials=2, progress=False)
    assert [(record.state, record.attempt) for record in study.history] == [("complete", 2)] * 2


def test_the_program_of_the_docs_runs(cluster: Any, tmp_path: Path) -> None:
    """On the cluster that the environment names; each trial in a place of it."""
    text = DOCS.read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "tune.py").write_text(code)
    subprocess.run(
        [sys.executable, "tune.py"],
        env=os.environ | {"RAY_ADDRESS": cluster.address}, cwd=tmp_path, timeout=100, check=True,
    )  # fmt: skip

    study = ts.load(tmp_path / "tunesmith.db", "digits")
    assert study.history.count("complete", "stopped") == 20
    assert all(record.worker for record in study.history)


def test_a_client_runs_a_study(cluster: Any, client_port: int, tmp_path: Path) -> None:
    """Through an address, with a main module's function, whose output comes here as it was printed."""
    address = f"ray://127.0.0.1:{client_port}"
    process = subprocess.run(
        [sys.executable, "-W", "error", str(DRIVER), str(tmp_path), address, "quick"],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert process.returncode == 0, process.stderr
    lines = {f"trial {number} was here" for number in range(3)}
    assert set(process.stdout.splitlines()) == lines
    assert process.stderr.count("\n") <= 3
    study = ts.load(tmp_path / "s.db", "s")
    assert study.history.count("complete") == 3
    assert study.verify()


@pytest.fixture
def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_cluster_that_is_not_there_is_said_at_once(nobody: str, tmp_path: Path) -> None:
    """Ray itself would try for half a minute before it says so."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(DRIVER), str(tmp_path), f"ray://{nobody}", "quick"],
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert f"there is no Ray cluster at ray://{nobody}: nothing answers" in done.stderr
    assert time.monotonic() - begun < 20


@pytest.mark.slow
def test_a_cluster_that_has_gone_is_not_waited_for(nobody: str, tmp_path: Path) -> None:
    """The address that a cluster of this machine has left behind is passed over: one is started."""
    folder = Path(tempfile.mkdtemp(prefix="r"))  # sockets want a short path
    (folder / "ray").mkdir()
    (folder / "ray" / "ray_current_cluster").write_text(nobody)
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    try:
        subprocess.run(
            [sys.executable, str(DRIVER), str(tmp_path), "ray", "quick"],
            env=environment | {"RAY_TMPDIR": str(folder)}, timeout=60, check=True,
        )  # fmt: skip
    finally:
        shutil.rmtree(folder)

    assert len(ts.load(tmp_path / "s.db", "s").history) == 3

"""The recipes in examples/cluster do in several processes what they say, also when members are told to leave or killed."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tunesmith as ts

EXAMPLES = Path(__file__).parents[2] / "examples" / "cluster"
TRIALS = 9


class Members:
    """Processes of one study, each a group of its own, as a cluster starts and signals them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        shutil.copy(Path(__file__).with_name("train.py"), folder)
        (folder / "bin").mkdir()
        bin_ = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": bin_, "PYTHONWARNINGS": "error"}

    def start(self, member: int, command: list[str], **environment: str) -> None:
        with (self.folder / f"{member}.log").open("ab") as log:
            self.running[member] = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, "MEMBER": str(member), **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def train(self, member: int) -> None:
        """Wait until it does."""
        self.until(lambda: any(who == member for who, _, _ in self.epochs))

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait."""
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)

    def end(self, member: int) -> int:
        """Wait for its exit code."""
        return self.running[member].wait(60)

    @property
    def said(self) -> str:
        return "".join(log.read_text() for log in sorted(self.folder.glob("*.log")))

    @property
    def epochs(self) -> list[tuple[int, int, int]]:
        """Member, trial and epoch of each that was trained."""
        path = self.folder / "epochs"
        lines = path.read_text().splitlines() if path.exists() else []
        return [tuple(map(int, line.split())) for line in lines]  # type: ignore[misc]


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    found = Members(tmp_path)
    yield found
    for process in found.running.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def check(storage: str | Path, members: Members, killed: int) -> None:
    """Exactly the budget, nobody forgotten; no epoch twice but those that went with the killed member.

    Or the first: who has not reported yet is not waited for.
    """
    study: ts.Study[Any] = ts.load(storage, "digits")
    assert {r.state for r in study.history} <= {"complete", "paused", "stopped"}, members.said
    assert study.history.taken == TRIALS
    assert study.verify()
    went = {number for who, number, _ in members.epochs if who == killed}
    epochs = [
        (number, epoch) for _, number, epoch in members.epochs if number not in went and epoch > 1
    ]
    assert sorted(epochs) == sorted(set(epochs))
    for record in study.history:
        assert record.number in went or record.values["done"] == record.step


@pytest.mark.parametrize("kind", ["jsonl", "postgresql"])
def test_slurm(kind: str, members: Members, request: pytest.FixtureRequest) -> None:
    """Members of an array: the time limit, a pre-emption and a lost node cost a study nothing."""
    script = (EXAMPLES / "slurm.sh").read_text().replace("--trials 100", f"--trials {TRIALS}")
    storage = str(members.folder / "study.jsonl")
    if kind == "postgresql":
        storage = request.getfixturevalue("database")
        script = script.replace("export TUNESMITH_STORAGE=study.jsonl", ":")
        script = re.sub(r"# (export TUNESMITH_STORAGE=).*", rf"\1'{storage}'", script)
        script = script.replace("--trials", "--files files --trials")
    (members.folder / "slurm.sh").write_text(script)
    scontrol = members.folder / "bin" / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> requeued\n')
    scontrol.chmod(0o755)

    def start(member: int, restarts: int = 0) -> None:
        members.start(
            member,
            ["bash", "slurm.sh"],
            SLURM_JOB_ID=str(100 - member),
            SLURM_ARRAY_JOB_ID="100",
            SLURM_ARRAY_TASK_ID=str(member),
            SLURM_ARRAY_TASK_COUNT="3",
            SLURM_CPUS_PER_TASK="1",
            SLURM_RESTART_COUNT=str(restarts),
        )

    for member in range(3):
        start(member)
    members.train(0)
    members.running[0].send_signal(signal.SIGUSR1)  # its time is nearly over: the script alone
    members.train(1)
    os.killpg(members.running[1].pid, signal.SIGTERM)  # pre-empted: each of its processes
    members.train(2)
    os.killpg(members.running[2].pid, signal.SIGKILL)  # its node is lost
    assert [members.end(member) for member in range(3)] == [0, 0, -signal.SIGKILL]
    assert (members.folder / "requeued").read_text() == "requeue 100_0\n"
    assert members.said.count("pre-empted after") == 2
    for member in range(3):
        start(member, restarts=1)
    assert [members.end(member) for member in range(3)] == [0, 0, 0], members.said

    check(storage, members, killed=2)


def test_kubernetes(members: Members, database: str) -> None:
    """Members of a Job: who is told to leave is begun again, and whoever has done the rest says so by 0."""
    secret, job = yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text())
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert pod["terminationGracePeriodSeconds"] > 25  # as long as being saved may take
    command = [
        word.replace("--trials 100", f"--trials {TRIALS}").replace(
            "/checkpoints", str(members.folder / "checkpoints")
        )
        for word in container["command"] + container["args"]
    ]
    variables = {}
    for variable in container["env"]:
        if "value" in variable:
            variables[variable["name"]] = variable["value"]
        else:
            key = variable["valueFrom"]["secretKeyRef"]
            assert key["name"] == secret["metadata"]["name"]
            assert secret["stringData"][key["key"]].startswith("postgresql://")
            variables[variable["name"]] = database

    for member in range(3):
        members.start(member, command, JOB_COMPLETION_INDEX=str(member), **variables)
    members.train(0)
    members.running[0].send_signal(
        signal.SIGTERM
    )  # its machine is drained: the first process alone
    members.train(2)
    os.killpg(members.running[2].pid, signal.SIGKILL)  # its machine is lost
    assert members.end(0) == 143  # not "done"
    assert "pre-empted after" in members.said
    for member in (0, 2):  # as the Job does with whoever has not said 0
        members.end(member)
        members.start(member, command, JOB_COMPLETION_INDEX=str(member), **variables)
    assert [members.end(member) for member in range(3)] == [0, 0, 0], members.said

    check(database, members, killed=2)

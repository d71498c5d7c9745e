import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

import tunesmith as ts
from tunesmith.cli import commands


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """The link that it prints leads in, nothing else does, and Ctrl-C ends it quietly."""
    path = tmp_path / "s.db"
    ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=path).ask()
    token = "a-token-of-some-length"
    command = [
        sys.executable,
        "-c",
        "from tunesmith.cli import main; main()",
        "dashboard",
        str(path),
    ]
    with subprocess.Popen(
        [*command, "--port", "0", "--json", "--token", token],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        said = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        with httpx.Client() as client:
            refused = client.get(said["url"].split("login")[0])
            client.get(said["url"])
            page = client.get(said["url"].split("login")[0] + "studies/digits")
        process.send_signal(signal.SIGINT)
        process.wait(30)
        complaints = process.stderr.read()

    assert refused.status_code == 303
    assert (page.status_code, "1 trial" in page.text) == (200, True)
    assert said["token"] == token
    assert complaints == ""


def test_what_cannot_be_served_is_refused() -> None:
    """A token that is too short, and a port that is taken."""
    runner = CliRunner()
    short = runner.invoke(commands, ["dashboard", "--token", "short"])
    nowhere = runner.invoke(commands, ["dashboard", "--host", "192.0.2.1", "--port", "0"])

    assert short.exit_code == 2
    assert "at least 16 characters" in short.stderr
    assert nowhere.exit_code == 1
    assert "nothing can listen on 192.0.2.1:0" in nowhere.stderr


def test_the_token_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the others on this machine, who see command lines, do not read it."""
    monkeypatch.setenv("TUNESMITH_TOKEN", "short")
    told = CliRunner().invoke(commands, ["dashboard"])

    assert told.exit_code == 2
    assert "at least 16 characters" in told.stderr

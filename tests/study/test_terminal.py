import os
import pty
import subprocess
import sys

SCRIPT = """
import tunesmith as ts

def objective(trial):
    print("trial", trial.number, "speaks")
    return trial["x"]

ts.minimize(objective, {"x": ts.Float(0, 1)}, trials=3, seed=1)
"""


def seen(script: str) -> str:
    """What a program shows in a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the terminal's other end is closed: the program has ended
        pass
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def test_a_terminal_shows_a_live_line_and_what_the_objective_prints() -> None:
    """While it runs there is a bar with the count; prints stand above; the last line is the end."""
    lines = [line for line in seen(SCRIPT).replace("\r", "\n").splitlines() if line]

    assert any("━" in line and "/3" in line for line in lines)
    for number in range(3):
        assert any(line.endswith(f"trial {number} speaks") for line in lines)
    assert "3 of 3 trials" in lines[-1]

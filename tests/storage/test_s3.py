"""Blobs on S3: a real client against a server of this machine, which `make test-s3` installs."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tunesmith as ts
from tunesmith.storage import Blobs
from tunesmith.storage.blobs import connect
from tunesmith.testing.blobs import BlobsConformance

moto = pytest.importorskip("moto.server", reason="`make test-s3` installs it")
s3fs = pytest.importorskip("s3fs", reason="`make test-s3` installs it")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A server, known to this process and those that it starts."""
    served = moto.ThreadedMotoServer("127.0.0.1", 0)
    served.start()
    host, port = served.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "any")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield
    served.stop()


@pytest.fixture
def bucket(server: None) -> str:
    """An empty bucket."""
    name = f"b{secrets.token_hex(4)}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


class TestS3(BlobsConformance):
    @pytest.fixture
    def blobs(self, bucket: str) -> Blobs:
        return connect(f"{bucket}/files")


def test_what_was_forked_reaches_it(bucket: str) -> None:
    """Its connections are its own."""
    blobs = connect(f"{bucket}/files")
    with blobs.put("a") as folder:
        (folder / "a.txt").write_text("a")
    child = os.fork()
    if not child:
        os._exit(blobs.keys() != {"a"})

    assert os.waitpid(child, 0)[1] == 0


def test_a_server_that_is_gone_is_said(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an `OSError` that names the place, whatever the client raises."""
    program = (
        "import sys\n"
        "from tunesmith.storage.blobs import connect\n"
        "try:\n"
        "    connect(sys.argv[1]).keys()\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody is there
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = subprocess.run(
        [sys.executable, "-c", program, f"{bucket}/files"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"{bucket}/files" in done.stdout


def test_workers_save_attach_and_go_on_there(bucket: str, tmp_path: Path) -> None:
    """A study whose trials are paused and resumed in workers leaves just what is needed."""

    def train(trial: ts.Trial[dict[str, float]]) -> None:
        done = 0.0

        def save(folder: Path) -> None:
            (folder / "done").write_text(str(done))

        def load(folder: Path) -> None:
            nonlocal done
            done = float((folder / "done").read_text())

        trial.resumable(save=save, load=load)
        for step in trial.steps():
            done += trial["x"]
            if step == 1:
                (tmp_path / f"{trial.number}.log").write_text(str(trial.number))
                trial.attach(tmp_path / f"{trial.number}.log", "log")
            trial.report(step, loss=done)

    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", resource=ts.Resource("step", max=9), name="s", seed=1,
        storage=tmp_path / "s.db", files=f"{bucket}/files",
    )  # fmt: skip
    study.run(train, trials=9, workers=2, progress=False)
    best = ts.load(tmp_path / "s.db", "s").best
    keys = connect(f"{bucket}/files").within("s").keys()

    assert best.checkpoint is not None
    assert float((best.checkpoint / "done").read_text()) == pytest.approx(9 * best.params["x"])
    assert [r.attachments["log"].read_text() for r in study.history] == [
        str(number) for number in range(9)
    ]
    assert len(keys) == 9 + sum(1 for r in study.history if r.checkpoint)
    ts.delete(tmp_path / "s.db", "s")
    assert connect(f"{bucket}/files").within("s").keys() == set()

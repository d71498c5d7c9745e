from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

import tunesmith as ts
from tunesmith.storage import Memory

TOKEN = "a-token-that-is-long-enough"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def test_what_programs_read(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """Studies, one study, its trials by filter and order, a trial with its reports, notes, pictures."""
    digits.note("hello", tags=["odd"])
    client = serve(storage)
    (listed,) = client.get("/api/studies").json()
    study = client.get("/api/studies/digits").json()
    found = client.get("/api/studies/digits/trials?where=lr>0.0001&sort=-accuracy&size=2").json()
    trial = client.get("/api/studies/digits/trials/1").json()
    failed = client.get("/api/studies/digits/trials/3").json()

    assert listed == {"name": "digits", "path": "/studies/digits", "position": study["position"]}
    assert study["objectives"] == {"accuracy": "maximize"}
    assert study["counts"] == {"complete": 6, "stopped": 0, "failed": 2, "running": 0, "paused": 0}
    assert [t["number"] for t in study["best"]] == [digits.best.number]
    assert found["total"] == sum(r.params["lr"] > 0.0001 for r in digits.history)
    assert found["trials"][0]["number"] == digits.best.number
    assert len(found["trials"]) == 2
    assert [report["step"] for report in trial["reports"]] == [1, 2, 3, 4]
    assert trial["params"] == digits.history[1].logged
    assert failed["failure"]["kind"] == "error"
    assert failed["values"] == {}
    assert client.get("/api/studies/digits/notes?tag=odd").json()[0]["text"] == "hello"
    assert client.get("/api/studies/digits/notes?tag=none").json() == []
    assert "history" in client.get("/api/studies/digits/pictures").json()
    assert "data" in client.get("/api/studies/digits/pictures/history").json()


def test_what_programs_write(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """Notes, configurations and commands, with the token."""
    client = serve(storage, token=TOKEN)
    client.headers.update(BEARER)
    path = "/api/studies/digits"
    note = {"text": "x", "tags": ["t"], "trial": 2, "who": "Ada"}
    assert client.post(f"{path}/notes", json=note).status_code == 201
    queued = {"params": {"lr": 0.01, "opt": "adam"}, "parent": 1}
    assert client.post(f"{path}/queue", json=queued).status_code == 201
    assert client.post(f"{path}/commands", json={"command": "pause"}).status_code == 201
    assert digits.paused
    digits.resume()

    assert digits.ask()["lr"] == 0.01
    assert [(n.who, n.text, n.tags) for n in digits.notes] == [("Ada", "x", ["t"])]
    for body in ({"params": {"lr": 9}}, {"params": {"nope": 1}}, {"params": {"lr": "x"}}):
        answer = client.post(f"{path}/queue", json=body)
        assert answer.status_code == 400
        assert set(answer.json()) == {"detail"}
    assert client.post(f"{path}/commands", json={"command": "x"}).status_code == 422


KNOWN = {"study": "digits", "number": 1, "kind": "history"}


def fuzz(
    client: httpx.Client,
    examples: int,
    headers: dict[str, str],
    *,
    reads: bool = True,
    wrong: bool = True,
) -> Counter[tuple[str, int]]:
    """Ask for all that the schema lists, as it allows of what is there, and as it does not; the answers by method and status."""
    schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json", headers=BEARER).json())
    answers: Counter[tuple[str, int]] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # our own schema is valid
        if not reads and operation.method == "get":
            continue
        known = {k: v for k, v in KNOWN.items() if f"{{{k}}}" in operation.path}
        for strategy in (
            operation.as_strategy(GenerationMode.POSITIVE, path_parameters=known or None),
            *([operation.as_strategy(GenerationMode.NEGATIVE)] if wrong else []),
        ):

            @settings(
                max_examples=examples,
                phases=[Phase.generate],
                suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
            )
            @given(case=strategy)
            def ask(case: Any) -> None:
                sent = case.as_transport_kwargs(base_url=str(client.base_url), headers=headers)
                sent.pop("cookies", None)
                answer = requests.request(**sent, allow_redirects=False, timeout=60)
                answers[case.method, answer.status_code] += 1
                assert answer.status_code < 500, (case.as_curl_command(), answer.text)
                assert answer.status_code < 400 or "Traceback" not in answer.text

            with suppress(Unsatisfiable):  # there is nothing that the schema does not allow
                ask()
    return answers


@pytest.mark.parametrize("examples", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_is_asked_no_answer_is_a_server_error(
    serve: Any, storage: Memory, examples: int
) -> None:
    """All routes of the schema, with what it allows and with what it does not."""
    answers = fuzz(serve(storage, token=TOKEN), examples, BEARER)

    assert answers["GET", 200] > 10
    assert answers["POST", 201] + answers["POST", 303] > 0


@pytest.mark.parametrize("examples", [1, pytest.param(60, marks=pytest.mark.slow)])
def test_whatever_is_asked_nothing_is_written_without_authority(
    serve: Any, storage: Memory, examples: int
) -> None:
    """Neither where all may read, nor where none may."""
    before = storage.read("digits")
    open_, closed = serve(storage), serve(storage, token=TOKEN)
    answers = fuzz(open_, examples, {}, reads=False)

    assert {status for _, status in answers} <= {403, 405, 413}
    answers = fuzz(closed, examples, {}, wrong=False)
    assert {status for _, status in answers} <= {303, 401}
    assert storage.read("digits") == before
    assert storage.names() == ["digits"]

from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

import tunesmith as ts
from tunesmith.dashboard import Access
from tunesmith.dashboard.guard import LONGEST
from tunesmith.storage import Memory

TOKEN = "a-token-that-is-long-enough"
NOTE = "/studies/digits/notes"


def word(client: httpx.Client) -> str:
    """The word that the pages of a server know."""
    return client.get("/studies/digits").text.split('name="csrf" value="')[1].split('"')[0]


def notes(storage: Memory) -> int:
    return len(ts.load(storage, "digits").notes)


def test_every_answer_has_its_headers(serve: Any, storage: Memory) -> None:
    """Pages, files, JSON and refusals: no script but ours, no frame, no guessing of types."""
    client = serve(storage)
    for path in ("/", "/studies/digits", "/api/studies", "/static/page.js", "/nope", "/api/nope"):
        headers = client.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy["style-src"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers or "uvicorn" in headers["server"]


def test_another_host_name_is_refused(serve: Any, storage: Memory) -> None:
    """A page of somebody else cannot reach the dashboard under a name of its own."""
    client = serve(storage)
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "a@b"):
        answer = client.get("/studies/digits", headers={"host": host})
        assert answer.status_code in (400, 421)
        assert "digits" not in answer.text


@pytest.mark.parametrize(
    "access, host, allowed",
    [
        ({}, "localhost:1", True),
        ({}, "[::1]:1", True),
        ({}, "10.0.0.7", False),
        ({"host": "0.0.0.0", "token": TOKEN}, "10.0.0.7:1", True),
        ({"host": "0.0.0.0", "token": TOKEN}, "evil.example", False),
        ({"host": "0.0.0.0", "token": TOKEN, "names": ("Tune.Example",)}, "tune.example", True),
        ({"host": "box", "token": TOKEN}, "box:80", True),
    ],
)
def test_names_under_which_it_is_known(access: dict[str, Any], host: str, allowed: bool) -> None:
    """Its own, addresses where other machines reach it, and those that are allowed."""
    assert Access(**access).allows_host(host) is allowed


@pytest.mark.parametrize(
    "access", [{"host": "0.0.0.0"}, {"host": "box"}, {"token": "short"}, {"token": "é" * 20}]
)
def test_access_that_is_not_safe_is_refused(access: dict[str, Any]) -> None:
    """Other machines need a token, and a token is long."""
    with pytest.raises(ts.SettingError):
        Access(**access)


def test_without_the_token_nothing_is_seen(serve: Any, storage: Memory) -> None:
    """Neither pages nor JSON nor pictures nor events; only the question for the token."""
    client = serve(storage, token=TOKEN)
    paths = (
        "/", "/studies/digits", "/studies/digits/events", "/studies/digits/pictures/history.json",
        "/api/studies", "/api/openapi.json", "/compare?study=digits", "/pictures/theme.json",
    )  # fmt: skip
    for name, value in (
        ("x-none", "1"),
        ("authorization", "Bearer wrong"),
        ("authorization", TOKEN),
        ("cookie", f"{Access(token=TOKEN).cookie}={TOKEN}"),
        ("cookie", "tunesmith"),
        ("cookie", 'tunesmith="'),
    ):
        for path in paths:
            answer = client.get(path, headers={name: value})
            assert answer.status_code in (303, 401)
            assert "digits" not in answer.text
        assert client.get("/login", headers={name: value}).status_code == 200


def test_the_link_lets_in(serve: Any, storage: Memory) -> None:
    """A wrong one does not; the cookie is no script's and no other site's, and is not the token."""
    client = serve(storage, token=TOKEN)
    assert client.get("/login?token=wrong").status_code == 401
    answer = client.get(f"/login?token={TOKEN}")
    cookie = answer.headers["set-cookie"]

    assert TOKEN not in cookie
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in cookie.split(";")}
    assert client.get("/studies/digits").status_code == 200
    assert "/" in answer.text


def test_the_form_lets_in(serve: Any, storage: Memory) -> None:
    """As the link does, and not at the wish of another site."""
    client = serve(storage, token=TOKEN)
    elsewhere = {"origin": "http://evil.example"}
    assert client.post("/login", data={"token": TOKEN}, headers=elsewhere).status_code == 403
    assert client.get("/studies/digits").status_code == 303
    client.post("/login", data={"token": TOKEN})

    assert client.get("/studies/digits").status_code == 200


def test_another_site_writes_nothing(serve: Any, storage: Memory) -> None:
    """Even if it knew the word of our pages."""
    client = serve(storage)
    form = {"csrf": word(client), "text": "x"}
    for name, value in (
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ):
        assert client.post(NOTE, data=form, headers={name: value}).status_code == 403
    assert notes(storage) == 0


def test_without_the_word_nothing_is_written(serve: Any, storage: Memory) -> None:
    """By no form and by no JSON."""
    client = serve(storage)
    for given in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": "é"}):
        assert client.post(NOTE, data={"text": "x", **given}).status_code == 403
        assert client.post(f"/api{NOTE}", json={"text": "x", **given}).status_code == 403
    assert notes(storage) == 0


def test_with_the_word_or_the_token_it_is(serve: Any, storage: Memory) -> None:
    """Forms have the word, programs the token; without a token programs may say the word, too."""
    client = serve(storage, token=TOKEN)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert client.post(f"/api{NOTE}", json={"text": "x"}, headers=bearer).status_code == 201
    client.get(f"/login?token={TOKEN}")
    assert client.post(NOTE, data={"csrf": word(client), "text": "y"}).status_code == 303
    saying = {"x-csrf-token": word(client)}
    assert client.post(f"/api{NOTE}", json={"text": "z"}, headers=saying).status_code == 201

    assert [note.text for note in ts.load(storage, "digits").notes] == ["x", "y", "z"]


def test_a_dashboard_that_only_reads_writes_nothing(serve: Any, storage: Memory) -> None:
    """No form is shown, and the token itself changes nothing."""
    client = serve(storage, token=TOKEN, read_only=True)
    headers = {"authorization": f"Bearer {TOKEN}"}
    page = client.get("/studies/digits", headers=headers).text

    assert client.post(f"/api{NOTE}", json={"text": "x"}, headers=headers).status_code == 403
    assert 'method="post"' not in page
    assert notes(storage) == 0


def test_a_bundle_is_only_read(serve: Any, digits: ts.Study[Any], tmp_path: Any) -> None:
    """Nobody can write it, so nobody is offered to."""
    digits.bundle(tmp_path / "digits.tunesmith")
    client = serve(ts.storage.connect(tmp_path / "digits.tunesmith"))

    assert 'method="post"' not in client.get("/studies/digits").text


def test_a_long_body_is_refused(serve: Any, storage: Memory) -> None:
    """Before it is read whole, and with a sentence."""
    client = serve(storage)
    answer = client.post(NOTE, data={"csrf": word(client), "text": "x" * LONGEST})

    assert answer.status_code == 413
    assert "at most" in answer.text


def test_the_word_is_found_wherever_it_may_stand() -> None:
    """In the head, or in a form's body; not in a body of another kind."""
    access = Access()
    form = Headers({"content-type": "application/x-www-form-urlencoded"})
    body = f"a=b&csrf={access.csrf}".encode()

    assert access.has_word(form, body)
    assert access.has_word(Headers({"x-csrf-token": access.csrf}), b"")
    assert not access.has_word(Headers({"content-type": "text/plain"}), body)


@pytest.mark.parametrize("query", ["&" * 60, "token=%FF%FE", "token=" + "x" * 20_000])
def test_odd_words_at_the_door_are_refused(serve: Any, storage: Memory, query: str) -> None:
    """Before anybody is known, and with an answer that is no failure of the server."""
    client = serve(storage, token=TOKEN)
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert client.get(f"/login?{query}").status_code < 500
    assert client.post("/login", content=query, headers=form).status_code < 500


def test_an_origin_that_is_no_address_is_another_site(serve: Any, storage: Memory) -> None:
    """It writes nothing, and the server bears it."""
    client = serve(storage)
    form = {"csrf": word(client), "text": "x"}

    assert client.post(NOTE, data=form, headers={"origin": "http://["}).status_code == 403
    assert notes(storage) == 0


def test_a_form_of_many_fields_is_refused(serve: Any, storage: Memory) -> None:
    """By one sentence, whoever sends it."""
    client = serve(storage, token=TOKEN)
    form = {"content-type": "application/x-www-form-urlencoded"}
    for headers in (form, {**form, "authorization": f"Bearer {TOKEN}"}):
        assert client.post(NOTE, content="&" * 3000, headers=headers).status_code in (400, 401)
    assert notes(storage) == 0


def test_cookies_of_others_are_borne(serve: Any, storage: Memory) -> None:
    """Browsers know no ports: what other servers of this machine have set comes along, whatever it looks like."""
    client = serve(storage, token=TOKEN)
    ours = client.get(f"/login?token={TOKEN}").headers["set-cookie"].split(";")[0]
    client.cookies.clear()
    headers = {"cookie": f'other={{"a": 1}}; {ours}; last="'}

    assert client.get("/studies/digits", headers=headers).status_code == 200


def test_dashboards_of_one_machine_do_not_log_out_one_another() -> None:
    """Each token has a cookie of its own."""
    first, second = Access(token=TOKEN), Access(token=TOKEN[::-1])

    assert first.cookie != second.cookie
    assert first.cookie == Access(token=TOKEN).cookie

import html
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import tunesmith as ts
from tunesmith.dashboard.markdown import rendered
from tunesmith.dashboard.naming import name_of, slug
from tunesmith.storage import Memory

NAMES = ["a/b", "..", ".", "%41", "a b", "grüße 東京 🎵", "<script>alert(1)</script>", "a?b#c&d=e", "x" * 200, "'\"", "a\\b", "a%2Fb", " "]  # fmt: skip


def word(client: httpx.Client) -> str:
    found = re.search('name="csrf" value="([^"]+)"', client.get("/studies/digits").text)
    return "" if found is None else found[1]


def send(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form of ours, and follow where it leads."""
    return client.post(path, data={"csrf": word(client), **fields}, follow_redirects=True)


def test_each_page_is_there(serve: Any, storage: Memory) -> None:
    """And says what it is about."""
    client = serve(storage)
    for path, text in (
        ("/", "digits"),
        ("/studies/digits", "What came out"),
        ("/studies/digits/trials", "8 trials"),
        ("/studies/digits/trials/3", "ValueError: out of &lt;luck&gt;"),
        ("/studies/digits/trials/1", "How it went"),
        ("/studies/digits/pictures", 'data-picture="/studies/digits/pictures/history.json"'),
        ("/studies/digits/analysis", "What to take"),
        ("/studies/digits/notes", "No note yet"),
        ("/studies/digits/enqueue?trial=1", "the form begins with trial"),
        ("/compare?study=digits&trial=1&trial=2", "Trials side by side"),
        ("/compare?study=digits&study=digits", "Studies side by side"),
    ):
        answer = client.get(path)
        assert (path, answer.status_code) == (path, 200)
        assert text in answer.text


def test_a_trial_says_where_it_ran_and_what_it_used(
    serve: Any, storage: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its page and for programs."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="gpu", storage=storage)
    study.run(lambda trial: trial["x"], trials=1, gpus=[3], progress=False)
    used = study.history[0].cost["peak_memory_bytes"]
    client = serve(storage)
    told = client.get("/api/studies/gpu/trials/0").json()

    assert (
        f"device GPU 3, peak memory {used / 1e6:.3g} MB" in client.get("/studies/gpu/trials/0").text
    )
    assert (told["device"], told["cost"]) == ("GPU 3", {"peak_memory_bytes": used})


def test_what_is_not_there_is_said_in_one_sentence(serve: Any, storage: Memory) -> None:
    """With the right status, as a page or as JSON; never a traceback."""
    client = serve(storage)
    for path, status, text in (
        ("/nope", 404, "no such page"),
        ("/studies/digit", 404, "did you mean"),
        ("/studies/digits/trials/99", 404, "no trial 99"),
        ("/studies/digits/trials/-1", 422, "greater than or equal to 0"),
        ("/studies/digits/trials/x", 422, "integer"),
        ("/studies/digits/pictures/nope.json", 409, "there is no picture"),
        ("/studies/digits/trials?page=0", 422, "greater than or equal to 1"),
        ("/compare", 422, "field required"),
        ("/compare?study=digits&study=nope", 404, "nope"),
        ("/api/studies/digit", 404, "did you mean"),
        ("/api/studies/digits/trials?where=lrr>1", 400, "did you mean lr?"),
    ):
        answer = client.get(path)
        assert (path, answer.status_code) == (path, status)
        assert text in answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_one_segment(name: str) -> None:
    """That no server and no browser reads otherwise: what one decoding leaves has the name."""
    from urllib.parse import unquote

    segment = slug(name)

    assert "/" not in unquote(segment)
    assert unquote(segment).strip(".")
    assert name_of(unquote(segment)) == name


def test_studies_of_any_name_have_pages(serve: Any) -> None:
    """Their links lead there, and nothing of a name becomes HTML."""
    storage = Memory()
    for name in NAMES:
        ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name=name, storage=storage).ask()
    client = serve(storage)
    listed = client.get("/").text
    links = re.findall('<th scope="row"><a href="([^"]+)"', listed)

    assert len(links) == len(NAMES)
    assert "<script>alert" not in listed
    for link in links:
        for page in ("", "/trials", "/trials/0"):
            assert client.get(f"{link}{page}").status_code == 200


def test_the_table_is_filtered_sorted_and_paged(serve: Any) -> None:
    """All by the address; links keep what is chosen."""
    storage = Memory()
    study = ts.Study(
        {"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage, seed=1,
        sampler=ts.samplers.Random(),
    )  # fmt: skip
    study.run(lambda t: t["x"], trials=230, progress=False)
    client = serve(storage)

    def shown(query: str) -> list[int]:
        page = client.get(f"/studies/digits/trials?{query}").text
        return [
            int(n) for n in re.findall(r'class="num"><a href="/studies/digits/trials/(\d+)"', page)
        ]

    assert shown("") == list(range(229, 129, -1))
    assert shown("page=3") == list(range(29, -1, -1))
    assert shown("page=77") == shown("page=3")
    best = sorted(study.history, key=lambda r: r.value)
    assert shown("sort=loss") == [r.number for r in best[:100]]
    assert shown("sort=-loss&where=x<0.1") == [r.number for r in best[::-1] if r.params["x"] < 0.1]
    page = client.get("/studies/digits/trials?where=x<0.5&columns=x&sort=x").text
    assert 'aria-sort="ascending"' in page
    assert "where=x%3C0.5&amp;sort=-x" in page
    assert "duration_s</a>" not in re.sub("<span.*?</span>", "", page)
    wrong = client.get("/studies/digits/trials?where=y<1")
    assert "y is nothing that trials have" in wrong.text


def test_notes_have_who_and_when(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """They become events, Markdown is shown as such, and tags find trials."""
    client = serve(storage)
    answer = send(
        client, "/studies/digits/notes", trial="1", text="**odd** <b>x</b>", tags="odd, look, odd", who="Ada"
    )  # fmt: skip
    send(client, "/studies/digits/notes", text="of the study")
    one, other = digits.notes

    assert (one.who, one.target, one.tags) == ("Ada", digits.history[1].uid, ["odd", "look"])
    assert (other.who, other.target, other.text) == ("", "", "of the study")
    assert "<strong>odd</strong> &lt;b&gt;x&lt;/b&gt;" in answer.text
    assert answer.url.path == "/studies/digits/trials/1"
    tagged = client.get("/studies/digits/notes?tag=odd").text
    assert "Ada" in tagged
    assert "of the study" not in tagged
    assert "1 trial of 8" in client.get("/studies/digits/trials?where=tags.odd").text


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({}, "has a text or a tag"),
        ({"text": "x" * 20_001}, "at most 20,000 characters"),
        ({"text": "\x1b[31m"}, "cannot be printed"),
        ({"tags": ",".join(map(str, range(30)))}, "at most 20 tags"),
        ({"text": "x", "trial": "99"}, "no trial 99"),
        ({"text": "x", "trial": "one"}, "named by its number"),
    ],
)
def test_a_note_that_cannot_be_kept_is_refused(
    serve: Any, storage: Memory, digits: ts.Study[Any], fields: dict[str, str], sentence: str
) -> None:
    """With a sentence, and nothing in the log."""
    answer = send(serve(storage), "/studies/digits/notes", **fields)

    assert 400 <= answer.status_code < 500
    assert sentence in answer.text
    assert digits.notes == []


def test_what_is_commanded_is_done(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """Pause, go on, stop the runs, stop a trial; a finished one is refused."""
    client = serve(storage)
    trial = digits.ask()
    send(client, "/studies/digits/commands", command="pause", who="Ada")
    assert digits.paused
    send(client, "/studies/digits/commands", command="go on")
    assert not digits.paused
    page = send(client, "/studies/digits/commands", command="stop", trial=str(trial.number))
    assert "ends at its next report" in page.text
    assert send(client, "/studies/digits/commands", command="stop", trial="1").status_code == 400
    assert send(client, "/studies/digits/commands", command="explode").status_code == 400
    assert digits.history.count("running") == 1  # the command is read
    assert trial.decide(1, accuracy=0.1)


def test_what_is_enqueued_is_tried_next(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """By hand, again, or with changes; labels by their place, so that 1, "1" and True differ."""
    client = serve(storage)
    path = "/studies/digits/enqueue"
    send(
        client, path, **{"p:lr": "0.02", "p:batch": "1", "p:warm": "1", "p:opt": "", "note": "try"}
    )
    send(client, path, parent="1", same="1")
    first, second = digits.ask(), digits.ask()

    assert (first["lr"], first["batch"], first["warm"]) == (0.02, 32, True)
    assert digits.history[first.number].note == "try"
    assert digits.history[second.number].logged == digits.history[1].logged
    assert digits.history[second.number].parent == digits.history[1].uid
    for fields, sentence in (
        ({"p:lr": "7"}, "lr"),
        ({"p:lr": "high"}, "is a number"),
        ({"p:warm": "2"}, "one of 2 labels"),
        ({"p:nope": "2"}, "no parameter"),
        ({"p:lr": "[" * 20_000}, "is a number"),
        ({"p:lr": "1e999"}, "lr"),
        ({"p:warm": "9" * 5000}, "one of 2 labels"),
    ):
        answer = send(client, path, **fields)
        assert answer.status_code == 400
        assert sentence in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](//evil.example)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "![x](https://evil.example/x.png)",
        "[a]: javascript:x\n\n[a]",
        "<img src=x onerror=alert(1)>",
        '[x](https://a.example/"onmouseover=alert(1))',
        "`<b>`",
    ],
)  # fmt: skip
def test_markdown_is_made_safe(text: str) -> None:
    """No HTML, no pictures, no links but to http, https and mailto."""
    html = rendered(text)
    tags = re.findall(r"<(\w+)([^>]*)>", html)

    assert {tag for tag, _ in tags} <= {"p", "a", "code", "em"}
    for _, attributes in tags:
        assert re.fullmatch(r'( href="https://[^"]*" rel="[^"]*")?', attributes)


def test_a_link_in_a_note_is_one() -> None:
    """It tells the other side nothing of us."""
    assert rendered("<https://a.example>") == '<p><a href="https://a.example" rel="noopener noreferrer nofollow">https://a.example</a></p>\n'  # fmt: skip


def test_a_study_with_nothing_in_it_has_all_pages(serve: Any) -> None:
    """No trial yet, or only a running one: sentences in the place of what is not known."""
    storage = Memory()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage)
    client = serve(storage)
    for _ in range(2):
        for page in ("", "/trials", "/pictures", "/analysis", "/notes", "/enqueue"):
            assert client.get(f"/studies/digits{page}").status_code == 200
        assert client.get("/compare?study=digits&study=digits").status_code == 200
        picture = client.get("/studies/digits/pictures/history.json")
        assert picture.status_code == 409
        assert "yet" in picture.json()["detail"]
        study.ask()


def test_a_page_is_the_newest(serve: Any, storage: Memory, digits: ts.Study[Any]) -> None:
    """Kept pages are never shown for a log that has grown."""
    client = serve(storage)
    for _ in range(3):
        assert f"{len(digits.history)} trials" in client.get("/studies/digits").text
        digits.tell(digits.ask(), 0.5)


def test_events_say_where_the_log_stands(
    serve: Any, storage: Memory, digits: ts.Study[Any]
) -> None:
    """First who the server is, then, as soon as the log grows, the new position; what was seen is not said again."""
    client = serve(storage)
    position = client.get("/api/studies/digits").json()["position"]
    with client.stream("GET", f"/studies/digits/events?since={position}-0") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        assert next(lines) == "event: hello"
        digits.note("x")
        assert f"id: {position + 1}-0" in (next(lines) for _ in range(5))
    again = {"last-event-id": f"{position}-0"}
    with client.stream("GET", "/studies/digits/events", headers=again) as answer:
        assert f"id: {position + 1}-0" in (line for line, _ in zip(answer.iter_lines(), range(8), strict=False))  # fmt: skip


def test_values_at_the_end_of_floats_have_pages(serve: Any) -> None:
    """Who says "infinitely bad" by the largest float there is sees what the others have reached."""
    storage = Memory()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage)
    values = iter([sys.float_info.max, 0.5, 1.7e308, 0.25, -1e-320])
    client = serve(storage)
    for n in (1, 4):
        study.run(lambda _: next(values), trials=n, progress=False)
        for page in ("/", "/studies/digits", "/studies/digits/trials/0", "/compare?study=digits"):
            assert client.get(page).status_code == 200


def test_what_was_attached_is_listed_and_handed_out(
    serve: Any, storage: Memory, digits: ts.Study[Any], tmp_path: Path
) -> None:
    """Pictures stand in the page; names and files are texts, and lead nowhere but to what was attached."""
    picture = tmp_path / "cm.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    digits.attach(1, picture)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text("0.5")
    for name in NAMES:
        if name.strip():
            digits.attach(1, tmp_path / "model", name)
    client = serve(storage)
    page = client.get("/studies/digits/trials/1").text
    there = {
        html.unescape(word): html.unescape(path)
        for path, word in re.findall(r'<li><a href="([^"]+)">(.*?)</a></li>', page)
    }

    assert list(there) == ["cm.png", *(name for name in NAMES if name.strip())]
    assert page.count('<img src="/studies') == 1
    assert "<script>alert" not in page
    assert client.get(there["cm.png"]).content == picture.read_bytes()
    assert client.get("/api/studies/digits/trials/1").json()["attached"] == there
    for name in NAMES:
        if name.strip():
            listed = client.get(there[name])
            assert (listed.status_code, "weights.txt" in listed.text) == (200, True)
            assert client.get(f"{there[name]}&file=weights.txt").text == "0.5"
    for path, status in (
        (f"{there['a/b']}&file=../../s.db", 404),
        (f"{there['a/b']}&file=nope", 404),
        ("/studies/digits/trials/1/attached?name=nope", 404),
        ("/studies/digits/trials/1/attached", 422),
        ("/studies/digits/trials/99/attached?name=cm.png", 404),
    ):
        assert (path, client.get(path).status_code) == (path, status)


def test_nothing_that_was_attached_is_run_by_a_browser(
    serve: Any, storage: Memory, digits: ts.Study[Any], tmp_path: Path
) -> None:
    """Whatever a file says or is called: pictures and text are shown as such, the rest is downloaded."""
    kinds = {
        "a.png": "image/png", "a.JPG": "image/jpeg", "a.log": "text/plain; charset=utf-8",
        "a.json": "text/plain; charset=utf-8", "a.html": None, "a.svg": None, "a.xml": None, "a.js": None,
        "a.xhtml": None, "a.pdf": None, "a": None, "a.png.html": None, "a\r\nx: y.html": None,
    }  # fmt: skip
    client = serve(storage)
    for name, kind in kinds.items():
        file = tmp_path / name
        file.write_text("<script>alert(1)</script>")
        digits.attach(1, file)
        answer = client.get("/studies/digits/trials/1/attached", params={"name": name})
        way = answer.headers["content-disposition"].partition(";")[0]

        assert (name, answer.headers["content-type"]) == (name, kind or "application/octet-stream")
        assert (name, way) == (name, "inline" if kind else "attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "x" not in answer.headers

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

import tunesmith as ts
from tunesmith.storage import Memory, Storage

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # machines are shared

PAGES = {
    "studies": "/",
    "overview": "/studies/digits",
    "trials": "/studies/digits/trials",
    "trial": "/studies/digits/trials/7",
    "pictures": "/studies/digits/pictures",
    "analysis": "/studies/digits/analysis",
    "notes": "/studies/digits/notes",
    "enqueue": "/studies/digits/enqueue?trial=1",
    "compare": "/compare?study=digits&trial=0&trial=7",
    "not-here": "/studies/nope",
}
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"{{7*7}}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_fits(
    opened: Any, served: Any, storage: Storage, shoot: Any, width: int, scheme: str
) -> None:
    """No serious finding of axe on any page, nothing wider than the window, on both grounds."""
    ts.load(storage, "digits").note(
        "A **note**, [a link](https://a.example)\n\n- one", tags=["odd"]
    )
    base = served(storage)
    for name, path in PAGES.items():
        page: Page = opened(base, path, width, scheme)
        if name in ("overview", "pictures"):
            expect(page.locator("#picture-history .main-svg").first).to_be_visible(timeout=30_000)
        if name == "analysis":
            expect(page.locator("text=computing …")).to_have_count(0, timeout=60_000)
        found = Axe().run(page)
        shoot(page, f"{name}-{width}-{scheme}")
        serious = [
            (one["id"], [node["html"] for node in one["nodes"]][:3])
            for one in found.response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert (name, serious) == (name, [])
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert (name, over) == (name, 0)
        page.context.close()


def test_an_open_page_follows_a_study_that_runs(
    opened: Any, served: Any, storage: Storage, trainer: Callable[[int], None]
) -> None:
    """What another process appends is on the page without a reload: counts, table, list of studies."""
    base = served(storage)
    listed, overview, table = (
        opened(base, path) for path in ("/", "/studies/digits", "/studies/digits/trials")
    )
    for page in (overview, table):
        page.evaluate("window.same = true")
    expect(listed.locator("tbody tr").first).to_contain_text("digits")
    before = len(ts.load(storage, "digits").history)
    trainer(90)
    after = len(ts.load(storage, "digits").history)

    assert after > before
    expect(overview.locator(".lead")).to_contain_text(f"{after} trials")
    expect(table.locator("tbody tr").first).to_contain_text(str(after - 1))
    expect(listed.locator("tbody td.num")).to_contain_text(str(after))
    assert overview.evaluate("window.same && window.same === true")


def test_a_page_that_was_away_comes_back(opened: Any, storage: Storage) -> None:
    """What is being typed stays; a study that is deleted is said to be gone."""
    page = opened(storage, "/studies/digits")
    page.locator("textarea").fill("half a thought")
    study = ts.load(storage, "digits")
    study.note("from elsewhere")
    expect(page.locator("#notes")).to_contain_text("from elsewhere")
    assert page.locator("textarea").input_value() == "half a thought"
    ts.delete(storage, "digits")

    expect(page.locator("#pulse")).to_contain_text("no study")


def test_trials_are_filtered_sorted_and_compared(opened: Any, storage: Storage) -> None:
    """By typing, by a click on a head, by ticking two."""
    study = ts.load(storage, "digits")
    page = opened(storage, "/studies/digits/trials")
    page.get_by_label("Filter").fill('state == "complete" and act == "gelu"')
    page.get_by_label("Filter").press("Enter")
    some = [r for r in study.history if r.state == "complete" and r.params["act"] == "gelu"]
    expect(page.locator("table.trials tbody tr")).to_have_count(len(some))
    page.get_by_role("link", name="accuracy").click()
    page.get_by_role("link", name="accuracy").click()
    best = max(some, key=lambda r: r.value)
    expect(page.locator("table.trials tbody tr th").first).to_have_text(str(best.number))
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("accuracy")
    for box in page.locator("table.trials tbody input").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("h1")).to_have_text("Trials side by side")
    page.go_back()
    page.get_by_label("Filter").fill("nope > 1")
    page.get_by_label("Filter").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("nope is nothing that trials have")


def test_columns_are_chosen(opened: Any, storage: Storage) -> None:
    """And stay in the address."""
    page = opened(storage, "/studies/digits/trials")
    page.get_by_text("Columns", exact=True).click()
    while page.locator("fieldset input:checked").count():
        page.locator("fieldset input:checked").first.uncheck()
    page.locator("fieldset input[value=lr]").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("table.trials thead th")).to_have_count(4)
    assert "columns=lr" in page.url


def test_notes_tags_and_commands(opened: Any, storage: Storage) -> None:
    """Who writes is remembered; a tag leads to its notes; a study is paused and goes on; a trial is tried again."""
    study = ts.load(storage, "digits")
    page = opened(storage, "/studies/digits/trials/7")
    page.get_by_role("textbox", name="Note").fill("This is **odd**")
    page.get_by_label("Tags").fill("odd, look")
    page.get_by_label("Your name").fill("Ada")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".note strong")).to_have_text("odd")
    assert (study.notes[0].who, study.notes[0].tags) == ("Ada", ["odd", "look"])
    page.locator("#notes .tag").first.click()
    expect(page.locator(".note")).to_have_count(1)
    page.goto("/studies/digits")
    expect(page.get_by_label("Your name")).to_have_value("Ada")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#headline .badge")).to_have_text("paused")
    assert study.paused
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.goto("/studies/digits/trials/7")
    page.get_by_role("button", name="Enqueue again").click()
    expect(page.locator(".counts")).to_contain_text("1 queued")
    page.goto("/studies/digits/enqueue?trial=7")
    page.get_by_label("act").select_option("silu")
    page.get_by_role("button", name="Enqueue").click()
    expect(page.locator(".counts")).to_contain_text("2 queued")


def test_a_running_trial_is_stopped(opened: Any, storage: Storage) -> None:
    """Its page and the overview say that it ends."""
    study = ts.load(storage, "digits")
    trial = study.ask(lease=False)
    page = opened(storage, "/studies/digits")
    page.locator("#running").get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_contain_text("ends at its next report")
    assert study.history.count("running") == 1  # the command is read

    assert trial.decide(1, accuracy=0.1)


def test_the_keyboard_is_enough(opened: Any, storage: Storage) -> None:
    """The first stop skips to the content, what has the focus is seen, and links and the ground work by Enter."""
    page = opened(storage, "/studies/digits")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("Overview")
    assert focused.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/trials$"))
    page.locator("#theme").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 28)"


def test_pictures_follow_the_ground(opened: Any, storage: Storage) -> None:
    """A picture that is drawn changes its colours with the page, without being fetched anew."""
    page = opened(storage, "/studies/digits")
    plot = page.locator("#picture-history .main-svg").first
    expect(plot).to_be_visible(timeout=30_000)
    light = plot.evaluate("e => getComputedStyle(e).background")
    page.emulate_media(color_scheme="dark")

    expect(plot).not_to_have_css("background", light)


def test_nothing_of_a_study_becomes_a_script(opened: Any, served: Any) -> None:
    """Names, params, labels, metrics, notes, tags, failures and whoever wrote them are text, on every page."""
    storage = Memory()
    study = ts.Study(
        {
            "x": ts.Float(0, 1),
            "<b onclick=alert(3)>": ts.Categorical([ATTACK, "javascript:alert(4)"]),
        },
        minimize="<i>loss</i>",
        name=ATTACK,
        storage=storage,
        seed=1,
        scheduler=None,
        sampler=ts.samplers.Random(),
        resource=ts.Resource("<u>epoch</u>", max=3),
    )

    def attack(trial: ts.Trial[dict[str, Any]]) -> None:
        if trial.number == 2:
            raise ValueError(ATTACK)
        for step in trial.steps():
            trial.report(step, {"<i>loss</i>": trial["x"] / step, ATTACK: 1.0})

    study.run(attack, trials=8, progress=False)
    study.note(f"{ATTACK} [x](javascript:alert(5)) <{ATTACK}> ![x](x)", tags=[ATTACK])
    trial = study.ask()
    trial.note(ATTACK, tags=["'; alert(6) //"])
    study.enqueue({"x": 0.5}, note=ATTACK)
    base = served(storage)
    page = opened(base)
    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_have_text(ATTACK)
    start = page.url
    for path in (
        "",
        "/trials",
        "/trials/2",
        "/trials/3",
        "/analysis",
        "/notes",
        "/enqueue?trial=3",
        "/pictures",
    ):
        page.goto(start + path)
        expect(page.locator("h1")).to_be_visible()
        for figure in page.locator("[data-picture]").all():
            figure.scroll_into_view_if_needed()
            expect(figure.locator(".main-svg, figcaption:not([hidden])").first).to_be_visible(
                timeout=30_000
            )
        if path == "/analysis":
            expect(page.locator("text=computing …")).to_have_count(0, timeout=60_000)
        assert (
            page.locator(
                "main script, main img, main iframe, main [onclick], main [onerror]"
            ).count()
            == 0
        )
        hrefs = page.locator("a").evaluate_all("all => all.map((a) => a.protocol)")
        assert set(hrefs) <= {"http:"}
    page.goto(start + "/notes")
    page.locator(".tag").first.click()
    expect(page.locator("h1")).to_have_text(ATTACK)


def test_a_picture_is_asked_for_by_one_clock(opened: Any, served: Any) -> None:
    """However often its study has changed: an open page does not ask more often the longer it is open."""
    storage = Memory()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage)
    page: Page = opened(served(storage), "/")
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        picture = {"data": [], "layout": {"height": 100}}
        route.fulfill(json=picture, headers={"x-again-s": "1"})

    page.route("**/pictures/history.json", answer)
    page.goto("/studies/digits")
    for i in range(6):
        study.note(str(i))
        expect(page.locator("#notes .words").first).to_contain_text(str(i))
        page.wait_for_timeout(150)
    asked.clear()
    page.wait_for_timeout(3_000)

    assert 1 <= len(asked) <= 4


def test_a_page_outlives_a_storage_that_is_away_for_a_moment(opened: Any, served: Any) -> None:
    """It says so, asks again by itself, and goes on; a study that is deleted is not asked for again."""
    storage = Memory()
    study = ts.Study({"x": ts.Float(0, 1)}, minimize="loss", name="digits", storage=storage)
    page: Page = opened(served(storage), "/studies/digits/notes")
    page.route(
        "**/studies/digits/notes",
        lambda route: route.fulfill(
            status=503, body="<main id=main><p class=lead>the disk is away"
        ),
    )
    study.note("one")
    expect(page.locator("#pulse")).to_contain_text("the disk is away")
    page.unroute("**/studies/digits/notes")

    expect(page.locator("#notes .words")).to_contain_text("one")
    expect(page.locator("#pulse")).to_be_hidden()

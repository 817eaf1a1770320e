"""The live page in a real browser: what is delivered is seen, harmless, and in reach of all.

Needs Chromium (Debian: chromium) and the extra `browser`: `make browser`. Pictures go to
build/screenshots.
"""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.live_page import Served, event

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
# The background services of a browser look for hosts that a test machine cannot reach.
FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
MOST_SHOWN = 200
SAID = (
    ("According to our intelligence, units are not withdrawing, but repositioning", "sceptical"),
    ("Two paths are still open", "conciliatory"),
    ("Whoever crosses that line will pay for it", "threatening"),
    ("The harvest came in two weeks late", "none"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, chromium_sandbox=False
        )
        yield running
        running.close()


@pytest.fixture
def worker() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


class Visit:
    """A visit to the page; notes what goes wrong and which hosts are asked."""

    def __init__(self, browser: Browser, worker: Served, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.asked: set[str] = set()
        self.page.on("pageerror", self._note_error)
        self.page.on("console", self._note_console)
        self.page.on("request", self._note_request)
        self.page.goto(f"http://127.0.0.1:{worker.port}/")
        expect(self.page.get_by_text("connected", exact=True)).to_be_visible()

    def _note_error(self, error: Any) -> None:
        self.errors.append(str(error))

    def _note_console(self, said: Any) -> None:
        if said.type == "error":
            self.errors.append(said.text)

    def _note_request(self, request: Any) -> None:
        self.asked.add(request.url.split("/")[2])

    @property
    def quotes(self) -> list[str]:
        shown = self.page.locator("#quotes li:visible blockquote").all_inner_texts()
        return [text.strip("“”") for text in shown]


@pytest.fixture
def visit(browser: Browser, worker: Served) -> Iterator[Visit]:
    visit = Visit(browser, worker)
    yield visit
    assert visit.errors == []
    assert visit.asked == {f"127.0.0.1:{worker.port}"}
    visit.context.close()


def test_quotes_appear_as_they_are_delivered_newest_first(worker: Served, visit: Visit) -> None:
    expect(visit.page.get_by_text("No quotes yet")).to_be_visible()
    worker.deliver(*(event(*one) for one in SAID))
    expect(visit.page.locator("#quotes li")).to_have_count(4)
    assert visit.quotes == [text for text, _ in reversed(SAID)]
    expect(visit.page.get_by_text("No quotes yet")).to_be_hidden()
    first = visit.page.locator("#quotes li").last
    expect(first).to_contain_text("sceptical 0.93 · Anna Berg, foreign minister")
    link = first.get_by_role("link", name="Talks go on in Vienna")
    expect(link).to_have_attribute("href", "https://news.example/1")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_the_counters_count(worker: Served, visit: Visit) -> None:
    worker.deliver(*[event("No", "sceptical")] * 3)
    expect(visit.page.get_by_role("button", name="3 sceptical")).to_be_visible()
    expect(visit.page.get_by_role("button", name="0 threatening")).to_be_visible()


def test_a_stance_is_hidden_and_shown_again_by_keyboard(worker: Served, visit: Visit) -> None:
    worker.deliver(*(event(*one) for one in SAID))
    expect(visit.page.locator("#quotes li")).to_have_count(4)
    button = visit.page.get_by_role("button", name="threatening")
    visit.page.keyboard.press("Tab")  # sceptical
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Tab")
    expect(button).to_be_focused()
    visit.page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")
    worker.deliver(event("Another threat", "threatening"), event("Another fact"))
    expect(visit.page.get_by_text("Another fact")).to_be_visible()
    assert not any("line" in text or "threat" in text for text in visit.quotes)
    visit.page.keyboard.press("Space")
    expect(visit.page.get_by_text("Another threat")).to_be_visible()
    expect(visit.page.get_by_text("crosses that line")).to_be_visible()


def test_a_pause_holds_quotes_back_until_it_ends(worker: Served, visit: Visit) -> None:
    visit.page.get_by_role("button", name="Pause").click()
    worker.deliver(event("Later"))
    visit.page.get_by_role("button", name="Resume (1 waiting)").click()
    expect(visit.page.get_by_text("Later")).to_be_visible()
    expect(visit.page.get_by_role("button", name="Pause")).to_be_visible()


def test_hostile_text_stays_text(worker: Served, visit: Visit) -> None:
    attack = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>"
    worker.deliver(
        event(
            attack,
            attack,
            speaker={"name": attack, "role": attack},
            article={"title": attack, "source": attack, "url": "javascript:alert(1)"},
        )
    )
    expect(visit.page.locator("#quotes li")).to_have_count(1)
    assert attack in visit.page.locator("#quotes blockquote").inner_text()
    assert visit.page.locator("#quotes img, #quotes script, #quotes a").count() == 0
    assert "taken" not in visit.page.title()


def test_a_torrent_leaves_the_last_quotes_and_no_more(worker: Served, visit: Visit) -> None:
    def deliver() -> None:
        for number in range(5_000):
            worker.deliver(event(f"Point {number}"))

    torrent = threading.Thread(target=deliver)
    torrent.start()
    expect(visit.page.get_by_text("Point 4999")).to_be_visible(timeout=30_000)
    torrent.join()
    assert visit.page.locator("#quotes li").count() == MOST_SHOWN


def test_the_page_finds_a_worker_that_was_started_anew(browser: Browser) -> None:
    first = Served()
    visit = Visit(browser, first)
    first.deliver(event("Before"))
    expect(visit.page.get_by_text("Before")).to_be_visible()
    first.stop()
    expect(visit.page.get_by_text("connection lost, trying again")).to_be_visible()
    again = Served(first.port)
    again.deliver(event("Afterwards"))
    expect(visit.page.get_by_text("Afterwards")).to_be_visible(timeout=15_000)
    visit.context.close()
    again.stop()


def test_a_label_set_of_ones_own_is_shown_in_colours_of_its_own(
    worker: Served, visit: Visit
) -> None:
    worker.deliver(event("We will", "promise"), event("Do it", "demand"))
    expect(visit.page.get_by_role("button", name="promise")).to_be_visible()
    colours = visit.page.locator("#quotes .stance").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).color)"
    )
    assert len(set(colours)) == 2


def test_a_screen_reader_hears_now_and_then_how_many_came(worker: Served, visit: Visit) -> None:
    worker.deliver(event("One"), event("Two"))
    news = visit.page.locator("#news")
    expect(news).to_have_attribute("role", "status")
    expect(news).to_have_text("2 new quotes", timeout=15_000)


WINDOWS = {
    "light": {"viewport": {"width": 1100, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1100, "height": 800}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 360, "height": 800}, "color_scheme": "light"},
}


@pytest.mark.parametrize("window", WINDOWS)
def test_axe_finds_nothing_wrong(browser: Browser, worker: Served, window: str) -> None:
    visit = Visit(browser, worker, bypass_csp=True, reduced_motion="reduce", **WINDOWS[window])
    worker.deliver(*(event(*one) for one in SAID), event("We will", "promise"))
    worker.deliver(event("Nobody said this", speaker=None, article=dict.fromkeys(
        ("title", "url", "source"))))  # fmt: skip
    expect(visit.page.locator("#quotes li")).to_have_count(6)
    expect(visit.page.get_by_role("button", name="1 promise")).to_be_visible()
    visit.page.get_by_role("button", name="none").click()
    time.sleep(0.2)
    found = Axe().run(visit.page)
    PICTURES.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=PICTURES / f"{window}.png", full_page=True)
    assert found.violations_count == 0, found.generate_report()
    width = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert width <= 0, "the page is wider than its window"
    visit.context.close()


def test_the_quotes_of_the_sample_articles_look_as_in_the_readme(
    browser: Browser, worker: Served
) -> None:
    command = (sys.executable, "-m", "service", "process", "seeds/articles.jsonl")
    done = subprocess.run([*command, "--format", "jsonl"], capture_output=True, check=True)
    events = done.stdout.splitlines()
    visit = Visit(browser, worker, viewport={"width": 1100, "height": 720})
    worker.deliver(*events)
    worker.metrics.articles.labels("classified").inc(5)
    expect(visit.page.locator("#quotes li")).to_have_count(len(events))
    sceptical = sum(b'"stance":"sceptical"' in event for event in events)
    expect(visit.page.get_by_role("button", name=f"{sceptical} sceptical")).to_be_visible()
    visit.page.get_by_role("button", name="none").click()
    time.sleep(0.2)
    PICTURES.mkdir(parents=True, exist_ok=True)
    visit.page.screenshot(path=PICTURES / "samples.png")
    assert visit.errors == []
    visit.context.close()

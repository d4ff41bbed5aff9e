"""The report in a real browser: sorting, filters, the diff, hostile completions, 20,000 samples."""

import time

import pytest
from report_evidence import TASKS, answers_of, evidence

from mftbench.leaderboard.cells import System
from mftbench.leaderboard.evidence import Evidence
from mftbench.leaderboard.report.page import render_report

pytestmark = pytest.mark.needs_chromium
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser():
    from shutil import which

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(evidence()), encoding="utf-8")
    return path


@pytest.fixture(params=WIDTHS)
def page(browser, report, request):
    width, height = WIDTHS[request.param]
    opened = browser.new_page(viewport={"width": width, "height": height})
    faults = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("request", lambda sent: sent.url.startswith("file:") or faults.append(sent.url))
    opened.goto(report.as_uri())
    opened.wait_for_selector(".row")
    yield opened
    assert opened.evaluate("window.hacked") is None
    assert faults == []
    opened.close()


def count(page):
    return page.inner_text("#count")


def choose_the_failure(page):
    page.select_option("#a", label="mixed")
    page.select_option("#b", label="mft:task_token")
    page.select_option("#relation", label="passed in A, failed in B")


def test_the_page_fits_its_width(page):
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]


def await_count(page, text):
    from playwright.sync_api import expect

    expect(page.locator("#count")).to_contain_text(text)


def test_filters_narrow_the_list(page):
    assert count(page) == "12 of 12 samples"
    page.select_option("#task", label="sql (starter)")
    page.select_option("#outcome", label="failed")
    assert count(page) == "1 of 12 samples"
    page.click("#filters button[type=reset]")
    await_count(page, "12 of")
    page.fill("#search", "p00002")
    assert count(page) == "4 of 12 samples"


def test_passed_in_a_and_failed_in_b_finds_the_problems(page):
    choose_the_failure(page)
    assert count(page) == "2 of 12 samples"
    assert page.locator(".row b").all_inner_texts() == ["p00001", "p00001"]


def test_the_diff_shows_a_hostile_completion_as_text(page):
    choose_the_failure(page)
    page.locator(".row").first.click()
    page.wait_for_selector(".diff")
    text = page.inner_text("#detail")
    assert "<script>window.hacked = 1</script>" in text
    assert "␛[31mred␛[0m ␇bell ⟨U+202E⟩evil⟨U+202C⟩" in text
    assert "\x1b" not in text
    assert page.locator(".diff .gone, .diff .new").count() > 0
    assert page.locator("#detail script, #detail img, #detail b").count() == 0


def test_a_sample_shows_prompt_program_output_and_verdict(page):
    page.select_option("#outcome", label="failed")
    page.locator(".row").first.click()
    page.wait_for_selector("#detail pre")
    for part in page.locator("#detail summary").all():
        part.click() if part.inner_text() != "Output" else None
    text = page.inner_text("#detail")
    for shown in ("# ask p00001", "gold <i>", "-- source", "␛[2Jcleared", "assert <b>x</b>"):
        assert shown in text


def test_tables_sort_both_ways(page):
    table = page.locator("table.scores").first
    rows = "[...document.querySelectorAll('table.scores')[0].tBodies[0].rows]"
    values = f"{rows}.map(row => Number(row.cells[1].dataset.value))"
    head = table.locator("thead th").nth(1)
    head.locator("button").click()
    down = page.evaluate(values)
    assert (head.get_attribute("aria-sort"), down) == ("descending", sorted(down, reverse=True))
    head.locator("button").click()
    assert (head.get_attribute("aria-sort"), page.evaluate(values)) == ("ascending", sorted(down))


def test_what_has_no_number_sorts_below_all_that_have(page):
    table = page.locator("table.scores").first
    rows = "[...document.querySelectorAll('table.scores')[0].tBodies[0].rows]"
    page.evaluate(
        f"{rows}.slice(0, 2).forEach((row, at) => (row.cells[1].dataset.value = '–9'[at]))"
    )
    table.locator("thead th").nth(1).locator("button").click()
    values = page.evaluate(f"{rows}.map(row => row.cells[1].dataset.value)")
    assert values == ["9", *sorted(values[1:-1], key=float, reverse=True), "–"]


def test_a_number_leads_to_its_samples(page):
    page.locator("table.scores").first.locator("tr", has_text="mft:task_token").locator(
        ".trace"
    ).nth(1).click()
    await_count(page, "3 of")
    assert page.locator("#task option:checked").inner_text() == "sql (starter)"


def test_the_keyboard_moves_through_samples(page):
    page.focus("#list")
    for key in ("ArrowDown", "ArrowDown", "End", "Home", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_selector("#detail h3")
    assert page.locator('.row[aria-selected="true"]').get_attribute("id") == "row-1"
    assert page.get_attribute("#list", "aria-activedescendant") == "row-1"


def test_the_theme_switches(page):
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_20000_samples_open_in_3_seconds(browser, tmp_path):
    systems = [System("nano", "mft", f"method_{n}") for n in range(10)]
    texts = [(f"def solve_{n}(x):\n    return x * {n}\n" * 3, n % 3 > 0) for n in range(1000)]
    sets = tuple(answers_of(system, task, texts) for system in systems for task in TASKS)
    path = tmp_path / "large.html"
    path.write_text(render_report(Evidence(evidence().board, (), sets)), encoding="utf-8")
    seconds = min(open_page(browser, path) for _ in range(2))  # the machine may be busy
    assert seconds < 3


def open_page(browser, path):
    """Open a page of 20,000 samples; give the seconds until its list stands."""
    opened = browser.new_page()
    start = time.perf_counter()
    opened.goto(path.as_uri())
    opened.wait_for_selector(".row")
    seconds = time.perf_counter() - start
    assert opened.inner_text("#count") == "20000 of 20000 samples"
    assert opened.locator(".row").count() < 100
    opened.close()
    return seconds

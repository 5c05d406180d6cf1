"""Both pages in a browser, at desktop and phone width: everything is seen, nothing is fetched."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import expect, sync_playwright

from diffhep.pipeline import settings
from diffhep.pipeline.manifest import read_manifest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for path in map(shutil.which, BROWSERS) if path), None)
WIDTHS = {"desktop": 1280, "phone": 390}

pytestmark = [
    pytest.mark.xdist_group("built"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: tests/workflow/install_chromium installs it on Debian"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="module")
def manifest(built):
    return read_manifest(built.folder / "config/figures", settings.read)


@pytest.fixture(params=["index.html", "report.html"])
def file(request, built, tmp_path):
    """A page; the report alone in a folder, as it would be after it was sent."""
    path = built.folder / "results/quick" / request.param
    return path if request.param == "index.html" else Path(shutil.copy(path, tmp_path))


@pytest.fixture(params=WIDTHS)
def page(request, browser, file):
    """The page, opened from disk; at the end nothing may have been fetched or gone wrong."""
    opened = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 844})
    wrong = []
    elsewhere = re.compile("^(?!file:|data:)")
    opened.route(elsewhere, lambda route: route.abort())
    opened.on("request", lambda sent: wrong.append(sent.url) if elsewhere.match(sent.url) else None)
    opened.on("requestfailed", lambda sent: wrong.append(sent.url))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda printed: wrong.append(printed.text) if printed.type == "error" else None)
    opened.goto(file.as_uri())
    yield opened
    opened.close()
    assert not wrong


def test_every_document_is_reached_and_every_figure_seen(page, built, manifest):
    for document in manifest.documents:
        page.locator(f"nav a[href='#{document}']").click()
        expect(page.locator(f"h2#{document}")).to_be_in_viewport()
    shown = page.locator("figure img").evaluate_all(
        """pictures => Promise.all(pictures.map(async picture => {
            await picture.decode().catch(() => {});
            const [seen, text] = [picture, picture.nextElementSibling].map(each => each.getBoundingClientRect());
            const beside = text.left >= seen.right || text.top >= seen.bottom;
            return [picture.alt, picture.naturalWidth > 0 && seen.width > 100 && beside && text.height > 0];
        }))"""
    )
    assert [name for name, seen in shown if not seen] == []
    assert {name for name, _ in shown} == {*manifest.figures, *manifest.animations}
    claims = pd.read_csv(built.folder / "results/quick/claims.csv")
    assert page.locator("td .holds, td .does_not_hold, td .undecided").count() == len(claims)


def test_no_page_is_wider_than_the_screen(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("file", ["report.html"], indirect=True)
def test_a_figure_leads_to_its_code_and_settings(page):
    for label, text in (("plot", "def training_history"), ("settings", "config/studies/blobs.yaml")):
        page.locator("figure#neos_3").get_by_role("link", name=label).click()
        expect(page.locator(":target")).to_be_in_viewport()
        expect(page.locator(":target")).to_have_text(text)
    for section in ("Run times", "Environment"):
        page.locator("nav").get_by_text(section).click()
        expect(page.get_by_role("heading", name=section)).to_be_in_viewport()

"""The gallery shows every picture and claim, escapes what it is told, and fetches nothing."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from diffhep import configuration, gallery

ROOT = Path(__file__).parents[1]
MANIFEST = configuration.read(ROOT / "config" / "figures.yaml")
FILES = {
    name: {**entry, "file": f"results/quick/figures/{name}.{ending}"}
    for part, ending in (("figures", "pdf"), ("animations", "gif"))
    for name, entry in MANIFEST[part].items()
}
CLAIMS = pd.DataFrame(
    [["neos", "3.1", "a < b", "1 & 2", "holds"], ["thesis", "7", "c", "3", "does not hold"]],
    columns=["document", "section", "claim", "measured", "verdict"],
)


class Page(HTMLParser):
    """What a page shows and links to."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.links, self.cells, self.open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.sources += [of["src"]] if "src" in of else []
        self.links += [of["href"]] if "href" in of else []
        self.open += [] if tag in ("meta", "img", "br") else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells += [data] if self.open and self.open[-1] == "td" else []


@pytest.fixture(scope="module")
def page():
    return Page(gallery.page(MANIFEST["documents"], FILES, CLAIMS, Path("results/quick")))


def test_every_picture_is_shown_once_from_beside_the_page(page):
    shown = [source.removeprefix("figures/").rpartition(".")[0] for source in page.sources]
    assert sorted(shown) == sorted(FILES)
    assert {source.rpartition(".")[2] for source in page.sources} == {"png", "gif"}
    assert not page.open  # every tag is closed


def test_nothing_is_fetched_from_elsewhere_and_every_link_leads_somewhere(page):
    beside = ROOT / "results" / "quick"
    for link in page.links:
        assert "://" not in link
        if link.startswith("../"):
            assert (beside / link).resolve().exists(), link
        elif link.startswith("#"):
            assert link[1:] in MANIFEST["documents"]


def test_claims_stand_as_they_were_told(page):
    assert page.cells[:4] == ["3.1", "a < b", "1 & 2", "holds"]
    assert page.cells[4:] == ["7", "c", "3", "does not hold"]

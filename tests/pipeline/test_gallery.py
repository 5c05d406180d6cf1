"""The pages show every picture and claim, escape all texts, and fetch nothing; the report holds all of it."""

import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support.manifest import manifest

from diffhep.pipeline import gallery, jobs, report

ROOT = Path(__file__).parents[2]
MANIFEST = manifest()
PICTURES = MANIFEST.figures | MANIFEST.animations
FILES = {
    name: {**entry, "file": f"results/quick/figures/{name}.{'pdf' if name in MANIFEST.figures else 'gif'}"}
    for name, entry in PICTURES.items()
}
CLAIMS = pd.DataFrame(
    [["neos", "3.1", "a < b", "1 & 2", "holds"], ["thesis", "7", "c", "3", "does not hold"]],
    columns=["document", "section", "claim", "measured", "verdict"],
)


class Page(HTMLParser):
    """What a page shows and links to."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.links, self.ids, self.cells, self.open, self.text = {}, [], [], [], [], text
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.sources |= {of["alt"]: of["src"]} if "src" in of else {}
        self.links += [of["href"]] if "href" in of else []
        self.ids += [of["id"]] if "id" in of else []
        self.open += [] if tag in ("meta", "img", "br") else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells += [data] if "td" in self.open else []


@pytest.fixture(scope="module")
def page():
    contents = gallery.PageContents(MANIFEST.documents, FILES, CLAIMS, "full")
    return Page(gallery.page(contents, Path("results/quick")))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two pictures, an animation and some run times."""
    folder = tmp_path_factory.mktemp("results")
    for part in ("figures", "blobs/neos/train", "quick/blobs"):
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(["neos_2", "neos_3"]):
        Image.new("RGB", (20, 10), (number, 2, 3)).save(folder / f"figures/{name}.png")
    Image.new("P", (20, 10)).save(folder / "figures/tomatos_animation.gif")
    for name, seconds in (("figures/neos_3", 5), ("blobs/neos/train/cls", 3700), ("quick/blobs/other", 1e6)):
        (folder / f"{name}.benchmark.tsv").write_text(f"s\tmax_rss\n{seconds}\t-\n")
    return folder


@pytest.fixture(scope="module")
def embedded(results, tmp_path_factory):
    """Both pages as the workflow writes them, of three pictures; that of the report."""
    CLAIMS.to_csv(results / "claims.csv", index=False)
    shown = {name: PICTURES[name] for name in ("neos_2", "neos_3", "tomatos_animation")}
    files = [str(results / f"figures/{name}") for name in ("tomatos_animation.gif", "neos_3.pdf", "neos_2.pdf")]
    outputs = {"gallery": str(results / "index.html"), "report": str(results / "report.html")}
    jobs.write_pages(MANIFEST.documents, shown, files, str(results / "claims.csv"), outputs, "quick")
    return Page((results / "report.html").read_text())


def test_every_picture_is_shown_once_from_beside_the_page(page):
    assert list(page.sources) == [name for name in page.ids if name in FILES]
    assert sorted(page.sources) == sorted(FILES)
    for name, source in page.sources.items():
        assert source in (f"figures/{name}.png", f"figures/{name}.gif")
    assert not page.open  # every tag is closed


def test_sections_stand_in_the_order_of_their_document(page):
    shown = [PICTURES[name]["section"].split()[0] for name in page.sources if PICTURES[name]["document"] == "thesis"]
    numbers = [[(part.isalpha(), part.zfill(2)) for part in number.split(".")] for number in shown]
    assert numbers == sorted(numbers)
    assert [name for name in page.ids if name in MANIFEST.documents] == list(MANIFEST.documents)


def test_nothing_is_fetched_from_elsewhere_and_every_link_leads_somewhere(page):
    beside = ROOT / "results" / "quick"
    for link in page.links:
        assert "://" not in link
        if link.startswith("../"):
            assert (beside / link).resolve().exists(), link
        elif link.startswith("#"):
            assert link[1:] in page.ids
    assert len(page.ids) == len(set(page.ids))


def test_claims_are_shown_as_in_the_table(page):
    assert "".join(page.cells).count("a < b") == 1
    start = page.cells.index("3.1")
    assert page.cells[start : start + 4] == ["3.1", "holds", "a < b", "1 & 2"]
    assert page.cells[start + 4 :] == ["7", "does not hold", "c", "3"]
    assert page.cells[:5] == ["neos", "5", "1", "0", "0"]  # the overview


def test_the_report_holds_each_picture_pixel_by_pixel_beside_its_own_caption(embedded, results):
    assert list(embedded.sources) == ["neos_2", "neos_3", "tomatos_animation"]
    for name, source in embedded.sources.items():
        form, content = re.fullmatch(r"data:image/(\w+);base64,(.*)", source).groups()
        (file,) = results.glob(f"figures/{name}.[pg][ni][gf]")
        held, drawn = (
            Image.open(each).convert("RGB") for each in map(BytesIO, (b64decode(content), file.read_bytes()))
        )
        np.testing.assert_array_equal(held, drawn)
        assert form == ("gif" if file.suffix == ".gif" else "webp")


def test_the_report_links_to_code_and_settings_within(embedded):
    assert embedded.links and all(link.startswith("#") and link[1:] in embedded.ids for link in embedded.links)
    files = "config/studies/blobs.yaml", "workflow/rules/studies/blobs.smk"
    for target in ("src/diffhep/figures/blobs.py:training_history", *files):
        assert f"#{target}" in embedded.links
    assert "src/diffhep/studies/blobs/stages.py" in embedded.ids
    assert not embedded.open


def test_the_report_tells_run_times_of_its_scale_and_the_environment(embedded):
    assert "drawn in 5 s from results that took 1 h 1 min" in embedded.text
    assert "1 h 1 min: blobs/neos/train/cls" in embedded.cells
    assert not [cell for cell in embedded.cells if "quick/blobs" in cell]
    assert {"numpy", np.__version__, "git revision"} <= set(embedded.cells)


def test_texts_of_the_manifest_and_of_claims_are_escaped():
    """A title, a section, a number, a caption, a name and a scale that look like HTML are shown as they are."""
    text = '<b>&"'
    entry = {**FILES["neos_2"], "document": "a<b", "section": text, "number": text, "caption": text}
    claims = pd.DataFrame([["a<b", text, text, text, "holds"]], columns=CLAIMS.columns)
    contents = gallery.PageContents({"a<b": {"title": text, "source": text}}, {"x<y": entry}, claims, text)
    shown = Page(gallery.page(contents, Path("results")))
    assert "x<y" in shown.ids and "a<b" in shown.ids and not shown.open
    assert shown.text.count("&lt;b&gt;&amp;&#34;") >= 9 and "<b>&" not in shown.text.replace("<b>&lt;", "")


@pytest.mark.parametrize(("seconds", "printed"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599.7, "1 h 0 min")])
def test_durations(seconds, printed):
    assert report.duration(seconds) == printed

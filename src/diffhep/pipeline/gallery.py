"""A light page with every figure beside its caption and every claim beside its verdict; it opens from disk."""

import re
from collections.abc import Callable, Mapping, Sequence
from os.path import relpath
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

from diffhep.pipeline import settings

VERDICTS = ("holds", "does not hold", "undecided")


class PageContents(NamedTuple):
    """Contents of a page.

    Attributes:
        documents: `title` and `source` of each document of the manifest.
        pictures: Entries of the manifest, figures and animations, each with its `file` and perhaps a `note`.
        claims: Table of all claims.
        scale: Scale of the results.
    """

    documents: Mapping[str, Any]
    pictures: Mapping[str, Mapping[str, Any]]
    claims: pd.DataFrame
    scale: str


class Section(NamedTuple):
    """A section at the end of a page: a table, or text files by path.

    Attributes:
        title: Heading.
        columns: Heads of the columns of the table.
        rows: Cells of the table.
        files: Path and escaped text of each file.
    """

    title: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    files: Sequence[tuple[str, Markup]] = ()


def page(contents: PageContents, folder: Path) -> str:
    """Return the page as HTML without scripts; it loads nothing but the pictures beside it.

    Args:
        contents: Contents of the page.
        folder: Folder of the page; links are relative to it.
    """

    def beside(path: str, function: str = "") -> str:
        return relpath(path, folder)

    return render(contents, source=beside, link=beside)


def render(
    contents: PageContents,
    *,
    source: Callable[[str], str],
    link: Callable[..., str],
    sections: Sequence[Section] = (),
) -> str:
    """Fill the template of the page; all texts are escaped.

    Args:
        contents: Contents of the page.
        source: Maps the path of a picture to its source.
        link: Maps the path of a file, and perhaps a function in it, to an address; empty for no link.
        sections: Sections at the end.
    """
    templates = jinja2.Environment(loader=jinja2.PackageLoader("diffhep.pipeline"), autoescape=True)
    templates.filters["anchor"] = _anchor
    documents = [_document(name, contents, source, link) for name in contents.documents]
    template = templates.get_template("page.html")
    return template.render(documents=documents, sections=sections, verdicts=VERDICTS, scale=contents.scale)


def _document(name: str, contents: PageContents, source, link) -> dict[str, Any]:
    pictures = {key: entry for key, entry in contents.pictures.items() if entry["document"] == name}
    titles = sorted(dict.fromkeys(entry["section"] for entry in pictures.values()), key=_section_order)
    claims = contents.claims[contents.claims["document"] == name]
    return {
        **contents.documents[name],
        "name": name,
        "short": name.replace("_", " "),
        "figures": len(pictures),
        "claims": claims.to_dict("records"),
        "sections": [
            {
                "title": title,
                "anchor": f"{name}_{_anchor(title)}",
                "figures": [
                    _figure(key, entry, source, link) for key, entry in pictures.items() if entry["section"] == title
                ],
            }
            for title in titles
        ],
    }


def _figure(name: str, entry: Mapping[str, Any], source, link) -> dict[str, Any]:
    file = entry["file"]
    module, function = settings.plot_call(entry).split(":")
    links = {
        file.rpartition(".")[2].upper(): link(file),
        "plot": link(f"src/{module.replace('.', '/')}.py", function),
        "rules": link(f"workflow/rules/studies/{entry['study']}.smk"),
        "settings": link(f"config/studies/{entry['study']}.yaml"),
    }
    shown = file if file.endswith(".gif") else f"{file.removesuffix('.pdf')}.png"
    return {
        "note": "",
        **entry,
        "name": name,
        "source": source(shown),
        "links": [(label, address) for label, address in links.items() if address],
    }


def _anchor(text: str) -> str:
    """Name of a heading, for links."""
    return "".join(character if character.isalnum() else "_" for character in text)


def _section_order(section: str) -> list[tuple[bool, str]]:
    """Sort key of a section: numbers, then letters; one without a number comes first."""
    number = re.match(r"(\d+|[A-Z])(\.\d+)*(?= )", section)
    return [(part.isalpha(), part.zfill(3)) for part in number[0].split(".")] if number else []

"""One light page with every figure beside its caption and every claim beside its verdict; opens from disk."""

import re
from collections.abc import Callable, Mapping
from html import escape
from os.path import relpath
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from diffhep.pipeline import settings

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 84rem; margin: 0 auto; padding: 0 1rem 2rem; }
h1, h2, h3, figcaption { overflow-wrap: anywhere; }
h2 { margin: 3rem 0 0.5rem; } h3 { margin: 2rem 0 0.75rem; color: #555; }
small { color: #555; font-weight: 400; }
nav { background: #fff; margin-top: 1rem; padding: 0.5rem 0; border-bottom: 1px solid #ddd; }
nav a, .contents a { display: inline-block; margin-right: 1rem; }
figure { margin: 0 0 1.5rem; border: 1px solid #ddd; border-radius: 6px; padding: 0.75rem; }
img { display: block; max-width: 100%; max-height: 32rem; margin: 0 auto; }
figcaption { font-size: 0.9rem; }
@media (min-width: 60rem) {
  nav { position: sticky; top: 0; }
  html { scroll-padding-top: 4rem; }
  figure { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 2fr); gap: 1.5rem; }
}
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
td, th { border-bottom: 1px solid #ddd; padding: 0.3rem 1rem 0.3rem 0; text-align: left; vertical-align: top; }
td:last-child { overflow-wrap: anywhere; }
.holds { color: #00654a; } .fails { color: #a63c00; } .undecided { color: #666; }
pre { max-height: 32rem; overflow: auto; background: #f6f6f6; padding: 0.75rem; font-size: 0.8rem; line-height: 1.4; }
:target { background: #fff3c4; }
"""
CLASSES = {"holds": "holds", "does not hold": "fails", "undecided": "undecided"}
INTRODUCTION = (
    "The computed figures of five documents on differentiable analysis in high-energy physics, rebuilt from generated "
    "data, and what the documents say happened beside what was measured."
)
NOTES = {"quick": " Trainings are short at this scale: verdicts mean little."}


class PageContents(NamedTuple):
    """What a page shows.

    Attributes:
        documents: Of the manifest: `title` and `source` of each.
        pictures: Entries of the manifest, figures and animations, each with its `file` besides; what `told` of one says
            stands below its caption.
        claims: Table of all claims.
        scale: At which all was computed.
    """

    documents: Mapping[str, Any]
    pictures: Mapping[str, Mapping[str, Any]]
    claims: pd.DataFrame
    scale: str


def page(contents: PageContents, folder: Path) -> str:
    """The page as HTML without scripts; it fetches nothing but the pictures beside it.

    Args:
        contents: What it shows.
        folder: Where the page will lie; links are relative to it.
    """

    def beside(path: str, function: str = "") -> str:
        return relpath(path, folder)

    return html(contents, source=beside, link=beside, sections={})


def html(
    contents: PageContents, *, source: Callable[[str], str], link: Callable[..., str], sections: Mapping[str, str]
) -> str:
    """A page of that kind.

    Args:
        contents: What it shows.
        source: Where the page finds a picture, by its path.
        link: Where the page leads for a file, by its path and, if need be, a function in it; nowhere if empty.
        sections: What stands at the end, as HTML by heading.
    """
    documents, pictures, claims, scale = contents
    parts = [_document(name, entry, pictures, claims, source, link) for name, entry in documents.items()]
    parts += [f'<h2 id="{_anchor(title)}">{title}</h2>\n{text}\n' for title, text in sections.items()]
    links = {**{name: _short(name) for name in documents}, **{_anchor(title): title for title in sections}}
    head = f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
    body = (
        f"<h1>diffhep: figures and claims</h1>\n<p>{INTRODUCTION} Scale: <b>{scale}</b>.{NOTES.get(scale, '')}</p>\n"
        f"{_overview(documents, pictures, claims)}\n<nav>{_links(links)}</nav>\n<main>\n{''.join(parts)}</main>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>diffhep</title>'
        f"{head}</head>\n<body>{body}</body></html>\n"
    )


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already."""
    lines = ["".join(f"<th>{column}</th>" for column in columns)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return '<div class="wide"><table>' + "\n".join(f"<tr>{line}</tr>" for line in lines) + "</table></div>"


def _anchor(text: str) -> str:
    """A name for a heading that a link can lead to."""
    return "".join(character if character.isalnum() else "_" for character in text)


def _links(texts: Mapping[str, str]) -> str:
    """Links to places in the page, by anchor."""
    return " ".join(f'<a href="#{anchor}">{escape(text)}</a>' for anchor, text in texts.items())


def _overview(documents: Mapping[str, Any], pictures: Mapping[str, Any], claims: pd.DataFrame) -> str:
    """How many figures each document has, and how many claims of each verdict."""
    figures = pd.Series([of["document"] for of in pictures.values()]).value_counts()
    verdicts = pd.crosstab(claims["document"], claims["verdict"])
    verdicts = verdicts.reindex(index=list(documents), columns=list(CLASSES), fill_value=0)
    rows = [
        (_links({name: _short(name)}), str(figures.get(name, 0)), *map(str, verdicts.loc[name])) for name in documents
    ]
    return table(("", "figures", "claims: hold", "do not", "undecided"), rows)


def _short(document: str) -> str:
    return document.replace("_", " ")


def _place(section: str) -> list[tuple[bool, str]]:
    """Where a section stands in its document: numbers, then letters; one without a number stays where it was told."""
    number = re.match(r"(\d+|[A-Z])(\.\d+)*(?= )", section)
    return [(part.isalpha(), part.zfill(3)) for part in number[0].split(".")] if number else []


def _document(name: str, entry: Mapping[str, Any], pictures, claims: pd.DataFrame, source, link) -> str:
    own = {picture: of for picture, of in pictures.items() if of["document"] == name}
    told = dict.fromkeys(of["section"] for of in own.values())
    anchors = {section: f"{name}_{_anchor(section)}" for section in sorted(told, key=_place)}
    contents = _links({anchor: section for section, anchor in anchors.items()})
    parts = [
        f'<h2 id="{name}">{escape(entry["title"])} <small>{escape(entry["source"])}</small></h2>\n'
        f'<p class="contents">{contents}</p>\n'
    ]
    for section, anchor in anchors.items():
        parts.append(f'<h3 id="{anchor}">{escape(section)}</h3>\n')
        parts += [_picture(picture, of, source, link) for picture, of in own.items() if of["section"] == section]
    return "".join([*parts, _claims(claims[claims["document"] == name])])


def _picture(name: str, of: Mapping[str, Any], source, link) -> str:
    file = of["file"]
    module, function = settings.plot_call(of).split(":")
    links = {
        file.rpartition(".")[2].upper(): link(file),
        "plot": link(f"src/{module.replace('.', '/')}.py", function),
        "study": link(f"src/diffhep/studies/{of['study']}.py"),
        "settings": link(f"config/studies/{of['study']}.yaml"),
    }
    told = [f'<a href="{escape(address)}">{label}</a>' for label, address in links.items() if address]
    told += [of["told"]] if "told" in of else []
    ours = " (ours)" if of.get("ours") else ""
    shown = file if file.endswith(".gif") else f"{file.removesuffix('.pdf')}.png"
    return (
        f'<figure id="{name}"><img src="{escape(source(shown))}" alt="{name}">'
        f"<figcaption><b>{escape(of['number'])}{ours}</b> {escape(of['caption'])}<br>{' · '.join(told)}</figcaption>"
        "</figure>\n"
    )


def _claims(claims: pd.DataFrame) -> str:
    rows = [
        (
            escape(str(row.section)),
            f'<span class="{CLASSES[row.verdict]}">{row.verdict}</span>',  # early, so that a phone shows it
            escape(row.claim),
            escape(str(row.measured)),
        )
        for row in claims.itertuples()
    ]
    return f"<h3>Claims</h3>\n{table(('section', 'verdict', 'claim', 'measured'), rows)}\n" if rows else ""

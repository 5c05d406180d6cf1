"""One light page with every figure beside its caption and every claim beside its verdict; opens from disk."""

from collections.abc import Mapping
from html import escape
from os.path import relpath
from pathlib import Path
from typing import Any

import pandas as pd

from diffhep import configuration

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 76rem; margin: 0 auto; padding: 1rem; }
nav a { margin-right: 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1.5rem; }
h2, h3, .wide { grid-column: 1 / -1; }
h3 { margin: 0; font-weight: 600; color: #555; }
figure { margin: 0; border: 1px solid #ddd; border-radius: 6px; padding: 0.75rem; }
img { width: 100%; height: auto; }
figcaption { font-size: 0.9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
td, th { border-bottom: 1px solid #ddd; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
.holds { color: #00654a; } .fails { color: #a63c00; } .undecided { color: #666; }
"""
CLASSES = {"holds": "holds", "does not hold": "fails", "undecided": "undecided"}


def page(
    documents: Mapping[str, Any], pictures: Mapping[str, Mapping[str, Any]], claims: pd.DataFrame, folder: Path
) -> str:
    """The page as HTML without scripts; it fetches nothing but the pictures beside it.

    Args:
        documents: Of the manifest: `title` and `source` of each.
        pictures: Entries of the manifest, figures and animations, each with its `file` besides.
        claims: Table of all claims.
        folder: Where the page will lie; links are relative to it.
    """
    links = "".join(f'<a href="#{name}">{escape(name.replace("_", " "))}</a>' for name in documents)
    parts = [_document(name, entry, pictures, claims, folder) for name, entry in documents.items()]
    head = f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
    body = f"<h1>diffhep: figures and claims</h1>\n<nav>{links}</nav>\n<main>\n{''.join(parts)}</main>"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>diffhep</title>'
        f"{head}</head>\n<body>{body}</body></html>\n"
    )


def _document(name: str, entry: Mapping[str, Any], pictures, claims: pd.DataFrame, folder: Path) -> str:
    parts, section = [f'<h2 id="{name}">{escape(entry["title"])} <small>{escape(entry["source"])}</small></h2>\n'], None
    for picture, of in pictures.items():
        if of["document"] == name:
            if of["section"] != section:
                section = of["section"]
                parts.append(f"<h3>{escape(section)}</h3>\n")
            parts.append(_picture(picture, of, folder))
    return "".join([*parts, _claims(claims[claims["document"] == name])])


def _picture(name: str, of: Mapping[str, Any], folder: Path) -> str:
    file = relpath(of["file"], folder)
    shown = file if file.endswith(".gif") else f"{file.removesuffix('.pdf')}.png"
    module = configuration.plot_call(of).split(":")[0].replace(".", "/")
    links = {
        file.rpartition(".")[2].upper(): file,
        "code": relpath(f"src/{module}.py", folder),
        "settings": relpath(f"config/studies/{of['study']}.yaml", folder),
    }
    told = " · ".join(f'<a href="{escape(link)}">{label}</a>' for label, link in links.items())
    ours = " (ours)" if of.get("ours") else ""
    return (
        f'<figure id="{name}"><a href="{escape(shown)}"><img src="{escape(shown)}" alt="{name}" loading="lazy"></a>'
        f"<figcaption><b>{escape(of['number'])}{ours}</b> {escape(of['caption'])}<br>{told}</figcaption></figure>\n"
    )


def _claims(claims: pd.DataFrame) -> str:
    rows = "".join(
        f"<tr><td>{escape(str(row.section))}</td><td>{escape(row.claim)}</td><td>{escape(str(row.measured))}</td>"
        f'<td class="{CLASSES[row.verdict]}">{row.verdict}</td></tr>\n'
        for row in claims.itertuples()
    )
    head = "<tr><th>section</th><th>claim</th><th>measured</th><th>verdict</th></tr>"
    return f'<div class="wide"><table>{head}\n{rows}</table></div>\n' if rows else ""

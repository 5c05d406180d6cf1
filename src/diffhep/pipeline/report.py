"""The gallery in one file that needs nothing beside it: pictures, code, settings, run times and environment in it."""

import os
import platform
import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from diffhep.pipeline import gallery, provenance, settings

BENCHMARK = ".benchmark.tsv"
EFFORT = {"method": 1, "quality": 20}  # a third of the usual time, for files that are an eighth longer


def page(contents: gallery.PageContents, folder: Path) -> str:
    """The page as HTML without scripts; it fetches nothing at all.

    Args:
        contents: What it shows.
        folder: Where the results are, with a benchmark beside each.
    """
    pictures = contents.pictures
    times = _times(folder, {of["study"] for of in pictures.values()})
    told = {name: {**of, "told": _told(name, of, times["seconds"])} for name, of in pictures.items()}
    sections = {
        "Run times": _run_times(times),
        "Environment": _environment(contents.scale),
        "Code and settings": "".join(map(_text, _files(pictures.values()))),
    }
    return gallery.html(contents._replace(pictures=told), source=embedded, link=_within, sections=sections)


def embedded(path: str) -> str:
    """A picture as a data URI, a PNG as a WebP of the same pixels, which is half as long."""
    form, content = Path(path).suffix[1:], Path(path).read_bytes()
    if form == "png":
        form, packed = "webp", BytesIO()
        Image.open(BytesIO(content)).convert("RGB").save(packed, format=form, lossless=True, **EFFORT)
        content = packed.getvalue()
    return f"data:image/{form};base64,{b64encode(content).decode()}"


def duration(seconds: float) -> str:
    """In words, to the second or, from an hour on, to the minute."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _within(path: str, function: str = "") -> str:
    """Where in the page a text file stands."""
    return f"#{path}:{function}".rstrip(":") if path.startswith(("src/", "config/")) else ""


def _files(entries) -> list[str]:
    """Of the code and the settings of figures."""
    modules = {settings.plot_call(of).split(":")[0].replace(".", "/") for of in entries}
    studies = {of["study"] for of in entries}
    code = [*(f"src/{module}.py" for module in modules), *(f"src/diffhep/studies/{study}.py" for study in studies)]
    return sorted([*code, *(f"config/studies/{study}.yaml" for study in studies)])


def _text(path: str) -> str:
    """A file of text; links can lead to it and to its functions."""
    text = escape(Path(path).read_text())
    marked = re.sub(r"^def (\w+)", rf'<span id="{path}:\1">def \1</span>', text, flags=re.M)
    return f'<h3 id="{path}">{path}</h3>\n<pre>{marked}</pre>\n'


def _times(folder: Path, studies: set[str]) -> pd.DataFrame:
    """Seconds and memory of every job, by the name of its result."""
    rows = {}
    for part in [*sorted(studies), "figures", "claims"]:  # and not all below: other scales may lie there
        for path in sorted(Path(folder, part).rglob(f"*{BENCHMARK}")):
            row = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
            rows[str(path.relative_to(folder)).removesuffix(BENCHMARK)] = (part, row["s"], row["max_rss"])
    return pd.DataFrame.from_dict(rows, orient="index", columns=["part", "seconds", "megabytes"])


def _told(name: str, of: Mapping[str, Any], seconds: pd.Series) -> str:
    """What a figure took."""
    inputs = [x for names in of["inputs"].values() for x in ([names] if isinstance(names, str) else names)]
    drawn, computed = seconds.get(f"figures/{name}", 0.0), seconds.reindex(set(inputs)).sum()
    return f"drawn in {duration(drawn)} from results that took {duration(computed)}"


def _run_times(times: pd.DataFrame) -> str:
    rows = []
    for part, jobs in times.groupby("part"):
        longest, total, largest = jobs["seconds"].idxmax(), jobs["seconds"].sum(), _largest(jobs["megabytes"])
        cells = (len(jobs), duration(total), f"{duration(jobs['seconds'].max())}: {longest}", largest)
        rows.append((escape(str(part)), *map(escape, map(str, cells))))
    rows.append(("all", str(len(times)), duration(times["seconds"].sum()), "", _largest(times["megabytes"])))
    return gallery.table(("results", "jobs", "time, one after the other", "longest", "most memory"), rows)


def _largest(megabytes: pd.Series) -> str:
    """How much memory the job took that took most."""
    return f"{megabytes.max():.0f} MB: {megabytes.idxmax()}" if megabytes.notna().any() else ""


def _environment(scale: str) -> str:
    """Of the process that writes the page; every result says its own."""
    environment = provenance.current_environment()
    rows = {
        "scale": scale,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "git revision": environment["revision"],
        **environment["versions"],
    }
    return gallery.table(("what", "is"), [(escape(what), escape(version)) for what, version in rows.items()])

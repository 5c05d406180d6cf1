"""The page of figures and claims in one file: pictures, code, settings, run times and environment are in it."""

import os
import platform
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup, escape
from PIL import Image

from diffhep.pipeline import provenance, settings
from diffhep.pipeline.gallery import PageContents, Section, render

BENCHMARK = ".benchmark.tsv"
WEBP_OPTIONS = {"method": 1, "quality": 20}  # a third of the usual time, for files that are an eighth longer


def page(contents: PageContents, folder: Path) -> str:
    """Return the page as HTML without scripts; it loads nothing at all.

    Args:
        contents: Contents of the page.
        folder: Folder of the results, with a benchmark beside each.
    """
    pictures = contents.pictures
    times = _times(folder, {entry["study"] for entry in pictures.values()})
    noted = {name: {**entry, "note": _note(name, entry, times["seconds"])} for name, entry in pictures.items()}
    sections = [
        _run_times(times),
        _environment(contents.scale),
        Section("Code and settings", files=[(path, _text(path)) for path in _files(pictures.values())]),
    ]
    return render(contents._replace(pictures=noted), source=embedded, link=_within, sections=sections)


def embedded(path: str) -> str:
    """Return a picture as a data URI; a PNG as a WebP of the same pixels, which is half as long."""
    form, content = Path(path).suffix[1:], Path(path).read_bytes()
    if form == "png":
        form, packed = "webp", BytesIO()
        Image.open(BytesIO(content)).convert("RGB").save(packed, format=form, lossless=True, **WEBP_OPTIONS)
        content = packed.getvalue()
    return f"data:image/{form};base64,{b64encode(content).decode()}"


def duration(seconds: float) -> str:
    """Duration in words, to the second or, from an hour on, to the minute."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _within(path: str, function: str = "") -> str:
    """Anchor of a text file, or of a function in it, in the page."""
    return f"#{path}:{function}".rstrip(":") if path.startswith(("src/", "config/", "workflow/")) else ""


def _files(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Code, rules and settings of figures."""
    entries = list(entries)
    files = {f"src/{settings.plot_call(entry).split(':')[0].replace('.', '/')}.py" for entry in entries}
    for study in {entry["study"] for entry in entries}:
        files |= {f"config/studies/{study}.yaml", f"workflow/rules/studies/{study}.smk"}
        files |= {str(path) for path in Path("src/diffhep/studies").glob(f"{study}.py")}
        files |= {str(path) for path in Path("src/diffhep/studies", study).glob("*.py")}
    return sorted(files)


def _text(path: str) -> Markup:
    """Escaped text of a file, with an anchor at every function."""
    text = str(escape(Path(path).read_text()))
    return Markup(re.sub(r"^def (\w+)", rf'<span id="{path}:\1">def \1</span>', text, flags=re.M))


def _times(folder: Path, studies: set[str]) -> pd.DataFrame:
    """Seconds and memory of every job, by the name of its result."""
    rows = {}
    for part in [*sorted(studies), "figures", "claims"]:  # not all folders: results of other scales may be below
        for path in sorted(Path(folder, part).rglob(f"*{BENCHMARK}")):
            row = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
            rows[str(path.relative_to(folder)).removesuffix(BENCHMARK)] = (part, row["s"], row["max_rss"])
    return pd.DataFrame.from_dict(rows, orient="index", columns=["part", "seconds", "megabytes"])


def _note(name: str, entry: Mapping[str, Any], seconds: pd.Series) -> str:
    """Run times of a figure and of the results that it is drawn from."""
    inputs = [x for names in entry["inputs"].values() for x in ([names] if isinstance(names, str) else names)]
    drawn, computed = seconds.get(f"figures/{name}", 0.0), seconds.reindex(set(inputs)).sum()
    return f"drawn in {duration(drawn)} from results that took {duration(computed)}"


def _run_times(times: pd.DataFrame) -> Section:
    rows = []
    for part, jobs in times.groupby("part"):
        longest = f"{duration(jobs['seconds'].max())}: {jobs['seconds'].idxmax()}"
        rows.append((part, len(jobs), duration(jobs["seconds"].sum()), longest, _largest(jobs["megabytes"])))
    rows.append(("all", len(times), duration(times["seconds"].sum()), "", _largest(times["megabytes"])))
    return Section("Run times", ("results", "jobs", "time, one after the other", "longest", "most memory"), rows)


def _largest(megabytes: pd.Series) -> str:
    """Memory of the job that took most."""
    return f"{megabytes.max():.0f} MB: {megabytes.idxmax()}" if megabytes.notna().any() else ""


def _environment(scale: str) -> Section:
    """Environment of the process that writes the page; every result records its own."""
    environment = provenance.current_environment()
    rows = {
        "scale": scale,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "git revision": environment["revision"],
        **environment["versions"],
    }
    return Section("Environment", ("item", "value"), list(rows.items()))

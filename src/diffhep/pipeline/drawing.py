"""Draws figures and animations of the manifest from stored results."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from diffhep.errors import InputError
from diffhep.files import replacing
from diffhep.pipeline import settings
from diffhep.pipeline.jobs import load, resolve
from diffhep.pipeline.manifest import read_manifest

MANIFEST = Path(__file__).parents[3] / "config" / "figures"
DEFAULT_DPI = 200  # without the workflow
FRAME_MILLISECONDS = 120


def draw(entry: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, str], dpi: int) -> None:
    """Draw one figure of the manifest from stored datasets, into one file of each format.

    Args:
        entry: The figure's `study`, `plot` and `options` in the manifest.
        inputs: Path of a dataset, or a list of paths, for each argument of the plot function.
        outputs: Path for each format.
        dpi: Resolution where the format has one.
    """
    plot = resolve(settings.plot_call(entry))
    figure = plot(**load(inputs), **entry.get("options", {}))
    _lay_out(figure)
    for form, path in outputs.items():
        undated = {"CreationDate": None} if form == "pdf" else None  # identical figures are identical files
        with replacing(path) as temporary:
            figure.savefig(temporary, format=form, dpi=dpi, metadata=undated)


def redraw(name: str, results: str, path: str) -> None:
    """Draw one figure of this checkout's manifest from results that may be anybody's: they are only read.

    Args:
        name: Of the figure.
        results: Folder that holds the results.
        path: Where the figure goes; its ending is the format.

    Raises:
        InputError: There is no such figure, or a result that it is drawn from is missing or cannot be read.
    """
    figures = read_manifest(MANIFEST, settings.read).figures
    if name not in figures:
        raise InputError(f"{MANIFEST}: there is no figure {name}: `snakemake --list-target-rules` lists them")
    inputs = {
        argument: f"{results}/{names}.nc" if isinstance(names, str) else [f"{results}/{name}.nc" for name in names]
        for argument, names in figures[name]["inputs"].items()
    }
    draw(figures[name], inputs, {Path(path).suffix[1:]: path}, DEFAULT_DPI)


def animate(entry: Mapping[str, Any], inputs: Mapping[str, Any], output: str, dpi: int) -> None:
    """Draw one animation of the manifest from stored datasets, as a GIF that repeats.

    Args:
        entry: As for `draw`; the plot function gives one figure after the other, of the same size.
        inputs: As for `draw`.
        output: Where it goes.
        dpi: Resolution.
    """
    frames = []
    for figure in resolve(settings.plot_call(entry))(**load(inputs), **entry.get("options", {})):
        _lay_out(figure)
        picture = BytesIO()
        figure.savefig(picture, format="png", dpi=dpi)
        frames.append(Image.open(picture).convert("P", palette=Image.Palette.ADAPTIVE))
    with replacing(output) as temporary:
        first, *rest = frames
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=FRAME_MILLISECONDS, loop=0)


def _lay_out(figure) -> None:
    """Lay a figure out once, the same in every format."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")

"""Figures and animations are drawn from stored datasets, the same file each time."""

import xarray as xr
from matplotlib.figure import Figure
from PIL import Image

from diffhep.pipeline import drawing, store


def growing(data, colour):
    """A picture for each value, which is in its curve."""
    for value in data["a"].values:
        figure = Figure(figsize=(2, 1), layout="constrained")
        figure.subplots().plot([0, value], color=colour)
        yield figure


def test_an_animation_is_a_gif_of_as_many_pictures_that_repeats_and_is_the_same_file_again(tmp_path, monkeypatch):
    store.save(xr.Dataset({"a": ("step", [1.0, 2.0, 5.0])}), tmp_path / "a.nc", provenance={})
    monkeypatch.setattr(drawing, "resolve", {"diffhep.figures.study:growing": growing}.__getitem__)
    entry = {"study": "study", "plot": "growing", "options": {"colour": "red"}}
    paths = [tmp_path / name for name in ("one.gif", "two.gif")]
    for path in paths:
        drawing.animate(entry, {"data": str(tmp_path / "a.nc")}, str(path), 50)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as picture:
        assert picture.format == "GIF" and picture.n_frames == 3 and picture.size == (100, 50)
        assert picture.info["loop"] == 0 and picture.info["duration"] == drawing.FRAME_MILLISECONDS
        frames = []
        for place in range(3):
            picture.seek(place)
            frames.append(picture.convert("RGB").tobytes())
    assert len(set(frames)) == 3
    assert {path.name for path in tmp_path.iterdir()} == {"a.nc", "one.gif", "two.gif"}

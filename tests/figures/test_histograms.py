"""The figure of the bandwidth study shows each estimate beside the histogram, one panel a bandwidth."""

import io

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from diffhep.figures import histograms

BANDWIDTHS = [0.1, 0.5, 2.0]


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    events, edges, x = np.array([-1.2, 0.1, 0.7]), np.linspace(-3, 3, 7), np.linspace(-3, 3, 61)
    kernels = np.array([norm.pdf(x, events[:, None], bandwidth) for bandwidth in BANDWIDTHS])
    below = norm.cdf(edges[:, None, None], events, np.array(BANDWIDTHS)[:, None]).mean(axis=-1)
    return xr.Dataset(
        {
            "hard": ("bin", np.histogram(events, edges, density=True)[0]),
            "binned": (("bandwidth", "bin"), np.diff(below, axis=0).T),
            "curve": (("bandwidth", "x"), kernels.mean(axis=1)),
            "kernels": (("bandwidth", "event", "x"), kernels),
            "truth": ("x", norm.pdf(x)),
            "events": ("event", events),
        },
        coords={"bandwidth": BANDWIDTHS, "x": x, "edges": ("edge", edges)},
    )


@pytest.fixture(scope="module")
def figure(data):
    return histograms.bandwidth_tradeoff(data)


def test_one_panel_a_bandwidth_named_in_bin_widths(figure):
    assert [axis.get_title() for axis in figure.axes] == [f"bandwidth {b:g} × bin width" for b in BANDWIDTHS]
    assert figure.axes[0].get_ylabel() == "density" and figure.axes[0].get_xlabel() == "$x$"


def test_panels_share_their_axes(figure):
    assert len({axis.get_ylim() for axis in figure.axes}) == len({axis.get_xlim() for axis in figure.axes}) == 1


def test_legend_names_everything_that_is_drawn(figure):
    (legend,) = figure.legends
    labels = ["histogram", "binned KDE", "KDE", "its kernels (scaled down)", "true density"]
    assert [text.get_text() for text in legend.get_texts()] == labels


@pytest.mark.parametrize("panel", range(len(BANDWIDTHS)))
def test_panel_shows_the_estimates_of_its_bandwidth(figure, data, panel):
    axis = figure.axes[panel]
    hard, binned = (patch.get_data() for patch in axis.patches)
    np.testing.assert_array_equal(hard.values, data["hard"])
    np.testing.assert_array_equal(binned.values, data["binned"][panel])
    np.testing.assert_array_equal(binned.edges, data["edges"])
    *kernels, curve, truth = axis.lines
    np.testing.assert_array_equal(curve.get_ydata(), data["curve"][panel])
    np.testing.assert_array_equal(truth.get_ydata(), data["truth"])
    assert len(kernels) == data.sizes["event"]


def test_kernels_are_scaled_down_alike_to_a_share_of_the_panel(figure, data):
    for panel, axis in enumerate(figure.axes):
        shown = np.array([line.get_ydata() for line in axis.lines[:-2]])
        np.testing.assert_allclose(shown.max(), 0.15 * axis.get_ylim()[1])
        np.testing.assert_allclose(shown / shown.max(), data["kernels"][panel] / data["kernels"][panel].max())


def test_order_of_the_bandwidths_is_that_of_the_settings(data):
    turned = histograms.bandwidth_tradeoff(data.isel(bandwidth=[2, 0, 1]))
    assert turned.axes[0].get_title() == "bandwidth 2 × bin width"


def test_figure_can_be_drawn(figure):
    figure.savefig(buffer := io.BytesIO(), format="pdf")
    assert buffer.getvalue().startswith(b"%PDF")

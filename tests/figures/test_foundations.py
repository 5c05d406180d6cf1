"""Figures of the foundations can be drawn from their stages, and show what these say."""

import io

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.figures import foundations
from diffhep.studies import foundations as study

SETTINGS = study_settings("foundations")


@pytest.fixture(scope="module")
def data():
    return {part: getattr(study, part)({"seed": 0, **settings}) for part, settings in SETTINGS.items()}


DRAWN = {
    "poisson": "poisson", "density_and_likelihood": "interval", "limits": "interval", "neyman_belt": "interval",
    "hypothesis_test": "hypothesis_test", "histograms": "density", "kernel_estimates": "density", "density_fits": "fit",
    "derivative_by_step_size": "differences", "derivative_by_points": "differences", "difference_errors": "differences",
    "activations": "activations",
}  # fmt: skip


@pytest.mark.parametrize(("plot", "part"), DRAWN.items())
def test_every_panel_is_labelled_and_can_be_drawn(data, plot, part):
    figure = getattr(foundations, plot)(data[part])
    bottom_left = figure.axes[-1] if plot != "activations" else figure.axes[4]
    assert bottom_left.get_xlabel()
    figure.savefig(buffer := io.BytesIO(), format="png", dpi=40)
    assert len(buffer.getvalue()) > 3000


def labels(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_limits_are_printed(data):
    (axis,) = foundations.limits(data["interval"]).axes
    assert r"$\mu_\mathrm{lower} = 8.332$" in labels(axis) and r"$\mu_\mathrm{upper} = 12.502$" in labels(axis)


def test_fits_name_how_good_they_are(data):
    (axis,) = foundations.density_fits(data["fit"], models=["single", "double"]).axes
    assert f"{float(data['fit']['loss_double']):.3f}" in labels(axis)[2]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), data["fit"]["single"])


def test_binnings_are_in_order(data):
    titles = [axis.get_title() for axis in foundations.histograms(data["density"]).axes]
    assert titles == [f"{bins} bins" for bins in SETTINGS["density"]["bins"]]


def test_errors_are_on_logarithmic_axes(data):
    (axis,) = foundations.difference_errors(data["differences"]).axes
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert labels(axis) == ["forward", "central", "automatic: no error at all"]  # which no logarithmic axis can show

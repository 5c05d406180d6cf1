"""Figures of the blobs show the numbers they are given, with labels, and nothing that is not there."""

import io

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from diffhep.figures import blobs, blobs_comparison
from diffhep.figures.painters import style

OBJECTIVES = ("bce", "bce_augmented", "inferno", "cls")


def size(figure) -> int:
    """Bytes of the figure as PNG: forces every artist to be drawn."""
    figure.savefig(buffer := io.BytesIO(), format="png", dpi=50)
    return len(buffer.getvalue())


def history(scale: float) -> xr.Dataset:
    values = scale * np.random.default_rng(0).lognormal(size=(7, 16))
    names = ("cls", "p0", "poi_uncertainty", "nuisance_deviation")
    return xr.Dataset(dict.fromkeys(names, (("seed", "epoch"), values)), coords={"epoch": np.arange(16)})


@pytest.fixture(scope="module")
def runs() -> dict[str, xr.Dataset]:
    return {name: history(scale) for name, scale in zip(OBJECTIVES, (1e-1, 1e-2, 1e-3, 1e-5), strict=True)}


def test_history_has_the_papers_three_panels_and_one_line_an_objective(runs):
    figure = blobs.training_history(**runs)
    axes = figure.axes
    assert [axis.get_ylabel() for axis in axes] == [
        style.METRICS[name] for name in ("cls", "poi_uncertainty", "nuisance_deviation")
    ]
    assert [axis.get_yscale() for axis in axes] == ["log", "linear", "log"]
    assert all(axis.get_xlabel() == "epoch" and len(axis.lines) == len(axis.collections) == 4 for axis in axes)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [style.objective_style(name)["label"] for name in OBJECTIVES]
    assert style.BAND_NOTE in figure.get_supxlabel()
    assert size(figure) > 10_000


def test_history_shows_the_mean_over_seeds(runs):
    axis = blobs.training_history(**runs).axes[0]
    for line, (name, run) in zip(axis.lines, runs.items(), strict=True):
        assert line.get_color() == style.objective_style(name)["color"]
        np.testing.assert_allclose(line.get_ydata(), run["cls"].mean("seed"))


def test_history_does_not_care_for_the_order_of_dimensions(runs):
    turned = blobs.training_history(cls=runs["cls"].transpose("epoch", "seed")).axes[0].lines[0].get_ydata()
    np.testing.assert_array_equal(turned, blobs.training_history(cls=runs["cls"]).axes[0].lines[0].get_ydata())


def test_history_of_other_metrics(runs):
    (axis,) = blobs.training_history(metrics=["p0"], cls=runs["cls"]).axes
    assert axis.get_ylabel() == style.METRICS["p0"] and axis.get_yscale() == "log"


def test_zeros_on_a_logarithmic_axis_are_left_out():
    run = history(1.0)
    run["nuisance_deviation"][:, 3] = 0.0
    drawn = blobs.training_history(cls=run).axes[2].lines[0].get_ydata()
    assert np.isnan(drawn[3]) and np.isfinite(np.delete(drawn, 3)).all()


def pseudo_experiments(sigma: float, number: int) -> xr.Dataset:
    """What the asymptotic formulae say exactly: a normally distributed estimate of the signal strength."""
    true_mu, q, tested = np.array([0.0, 1.0]), np.geomspace(1e-3, 200, 100), np.array([0.2, 0.5, 3.0])
    mu_hat = true_mu[:, None] + sigma * np.random.default_rng(1).normal(size=(2, number))
    cls = 2 * norm.sf(tested / sigma)
    density = {
        name: norm.pdf(np.sqrt(q) - np.abs(true_mu - mu)[:, None] / sigma)
        for name, mu in {"root_density_q_mu": 1.0, "root_density_q_0": 0.0}.items()
    }
    return xr.Dataset(
        {
            "q_mu": (("true_mu", "toy"), np.where(mu_hat > 1, 0, ((1 - mu_hat) / sigma) ** 2)),
            "q_0": (("true_mu", "toy"), np.where(mu_hat < 0, 0, (mu_hat / sigma) ** 2)),
            "pull": (("true_mu", "toy"), (mu_hat - true_mu[:, None]) / sigma),
            "coverage": ("true_mu", [0.68, 0.69]),
            "coverage_error": ("true_mu", [0.003, 0.003]),
            "root_q": ("q", np.sqrt(q)),
            "failed": ("true_mu", [0.0, 0.25]),
            "cls_toys": ("tested_mu", np.where(cls > 1 / number, cls, 0)),
            "cls_toys_error": ("tested_mu", np.sqrt(cls / number)),
            "cls_asymptotic": ("tested_mu", cls),
            **{name: (("true_mu", "q"), values) for name, values in density.items()},
        },
        coords={"true_mu": true_mu, "q": q, "tested_mu": tested},
    )


@pytest.fixture(scope="module")
def toys() -> dict[str, xr.Dataset]:
    return {"bce": pseudo_experiments(0.5, 20_000), "cls": pseudo_experiments(0.3, 20_000)}


def points(axis, number=0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, heights and errors of one set of points."""
    line, _, (bars,) = axis.containers[number].lines
    return (
        line.get_xdata(),
        line.get_ydata(),
        np.array([np.ptp(bar[:, 1]) / 2 for bar in bars.get_segments()]),
    )


@pytest.mark.parametrize("panel", [0, 1, 4, 5])
def test_distribution_of_q_agrees_with_the_curve_it_is_drawn_beside(toys, panel):
    axis = blobs.toys(**toys).axes[panel]
    x, y, error = points(axis)
    curve = axis.lines[0]
    expected = np.interp(x, curve.get_xdata(), curve.get_ydata())
    common = y > 20 * error.min()
    assert common.sum() > 5
    np.testing.assert_allclose(y[common], expected[common], atol=4 * error[common].max())


def test_pulls_are_drawn_as_a_density(toys):
    x, y, _ = points(blobs.toys(**toys).axes[2])
    np.testing.assert_allclose(np.sum(y) * (x[1] - x[0]), 1, atol=1e-3)


def test_cls_that_no_toy_reaches_is_not_drawn(toys):
    x, _, _ = points(blobs.toys(**toys).axes[3])
    np.testing.assert_array_equal(x, [0.2, 0.5])


def test_panels_say_what_they_show(toys):
    figure = blobs.toys(**toys)
    assert all(axis.get_xlabel() and axis.get_title() for axis in figure.axes if axis is not figure.axes[3])
    assert [label.get_text() for label in figure.axes[7].get_yticklabels()] == ["2500.0", "2500.0"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        style.objective_style(name)["label"] for name in toys
    ]
    assert size(figure) > 10_000


def test_failed_toys_do_not_spoil_the_picture(toys):
    broken = toys["cls"].copy(deep=True)
    broken["q_mu"][:, :10] = np.nan
    broken["pull"][:, :10] = np.nan
    assert size(blobs.toys(cls=broken)) > 10_000


@pytest.fixture(scope="module")
def run() -> xr.Dataset:
    """Two seeds of a network whose logit is x, with three bins."""
    axis = np.linspace(-3, 3, 13)
    yields = np.arange(1.0, 49.0).reshape(2, 2, 4, 3)
    edges = np.broadcast_to([0.0, 0.3, 0.6, 1.0], (2, 2, 4))
    return xr.Dataset(
        {
            "yields": (("seed", "epoch", "sample", "bin"), yields),
            "edges": (("seed", "epoch", "edge"), edges),
            "objective": (("seed", "epoch"), [[1.0, 2.0], [3.0, 2.0]]),
            "selected": ("seed", [1, 1]),
            "logits": (("seed", "y", "x"), np.broadcast_to(axis, (2, 13, 13))),
        },
        coords={"seed": [0, 1], "epoch": [0, 1], "sample": list(blobs.SAMPLES), "x": axis, "y": axis},
    )


@pytest.fixture(scope="module")
def events() -> xr.Dataset:
    points = np.random.default_rng(0).normal(size=(4, 50, 2))
    return xr.Dataset({"test": (("sample", "test_event", "feature"), points)}, coords={"sample": list(blobs.SAMPLES)})


def test_samples_are_drawn_in_their_colours(events):
    (axis,) = blobs.samples(events, number=20).axes
    assert [line.get_label() for line in axis.lines] == [label for label, _ in blobs.SAMPLES.values()]
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), events["test"][0, :20])


def test_examples_show_the_yields_of_the_selected_epoch(run):
    figure = blobs.selected_yields(run)
    assert [axis.get_title() for axis in figure.axes] == ["seed 0, epoch 1", "seed 1, epoch 1"]
    signal = figure.axes[1].patches[0].get_data()
    np.testing.assert_array_equal(signal.values, run["yields"][1, 1, 0])
    np.testing.assert_array_equal(signal.edges, [0, 0.3, 0.6, 1])


def test_contours_lie_where_the_score_is_an_edge_of_the_bins(run, events):
    axis = blobs.contours(run, events).axes[0]
    (lines,) = [item for item in axis.collections if hasattr(item, "levels")]
    scores = 1 / (1 + np.exp(-lines.levels))
    np.testing.assert_allclose(scores, [0.3, 0.6])
    np.testing.assert_allclose(lines.get_paths()[0].vertices[:, 0], lines.levels[0], atol=1e-6)  # the logit is x


def test_history_can_mark_the_selected_epoch_only():
    run = history(1.0).assign(objective=(("seed", "epoch"), np.abs(np.arange(16) - 5.0) * np.ones((7, 1))))
    (line,) = blobs.training_history(metrics=["cls"], selected=True, cls=run).axes[0].lines
    assert line.get_markevery() == [5]


def test_winners_marks_the_best_of_every_column():
    metrics = ["cls", "poi_uncertainty"]
    comparison = xr.Dataset(
        {"selected_mean": (("metric", "run"), [[1.0, 3.0], [3.0, 1.0]])},
        coords={"point": ["5 bins"], "run": ["cls", "p0"], "metric": metrics},
    )
    (axis,) = blobs_comparison.comparison_table(metrics=metrics, thesis_5_bins=comparison).axes
    cells = axis.tables[0].get_celld()
    bold = {place for place, cell in cells.items() if cell.get_text().get_weight() == "bold"}
    assert {(1, 0), (2, 1)} == bold

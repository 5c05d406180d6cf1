"""Figures of the study of contrastive flows of normal events and of digits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import LogLocator, PercentFormatter

from diffhep.figures.painters import style as painters_style
from diffhep.figures.painters.style import CURVE, SMOOTH, TRUTH

NOTE = {"fontsize": "small", "color": "#595959"}
CLASSES = {"signal": SMOOTH, "background": CURVE}
SHADES = LinearSegmentedColormap.from_list("shades", ["#f2f2f2", "#525252"])
LEVELS = (0.2, 0.4, 0.6, 0.8)
"""Shares of the highest density at which there are contours, besides the lowest at the cut."""

SCORES = (0.1, 0.3, 0.7, 0.9)
"""Scores at which there are contours, besides the boundary."""

CLASSIFIERS: dict[str, dict[str, Any]] = {
    "plain": {"label": "(i) classifier", "color": "#0072B2", "marker": "o"},
    "flow": {"label": "(ii) contrastive flow", "color": "#882255", "marker": "s"},
    "perturbed": {"label": "(iii) classifier, perturbed", "color": "#009E73", "marker": "^"},
    "perturbed_flow": {"label": r"(iv) the same with $\Phi_{s,b}$", "color": "#E69F00", "marker": "D"},
    "perturbed_printed": {"label": r"(iv) $\Phi_{s,b}$ as printed", "color": "#E69F00", "marker": "", "linestyle": ":"},
}
PREDICTIONS = {
    "likelihood_ratio": ("best for (i)", CLASSIFIERS["plain"]["color"]),
    "optimum": ("best for (ii)", CLASSIFIERS["flow"]["color"]),
    "averaged": ("best for (iii), (iv)", CLASSIFIERS["perturbed"]["color"]),
}
COLUMNS = [
    (CLASSIFIERS["plain"]["label"], "best for (i)"),
    (CLASSIFIERS["flow"]["label"], "best for (ii)"),
    (CLASSIFIERS["perturbed"]["label"], "best for (iii), (iv)"),
    (CLASSIFIERS["perturbed_flow"]["label"], CLASSIFIERS["perturbed_printed"]["label"]),
]
"""Columns of the legend, each with its two rows."""

TURN = (np.pi, r"$\phi\,/\,\pi$")
SCENARIOS = {
    "rotation_large": ("large rotation", *TURN),
    "rotation_small": ("small rotation", *TURN),
    "deformation": ("deformation", 1.0, r"$\phi$"),
}
VARIANTS = {
    "hyperbolic": ("hyperbolic (ours)", "#0072B2", "-"),
    "clipped": ("clipped quadratic (ours)", "#56B4E9", "-"),
    "spline": ("spline", "#009E73", "-"),
    "affine": ("affine alone", "#595959", "-"),
    "literal": ("quadratic as printed", "#D55E00", "-"),
    "hyperbolic_batch": ("hyperbolic, clamp as printed", "#0072B2", "--"),
    "literal_batch": ("quadratic and clamp as printed", "#D55E00", "--"),
}


@painters_style.with_style
def densities_in_plane(surfaces: xr.Dataset, *, strength: float = 1.0) -> Figure:
    """Best density, learned density and score of a classifier over the events (contrastive flows Fig. 1)."""
    figure, axes = painters_style.grid(3, size=(3.3, 3.9))
    here, cut = surfaces.sel(strength=strength), float(surfaces["cut"])
    for axis in axes:
        for name, colour in CLASSES.items():
            points = surfaces["events"].sel(label=name).values
            axis.plot(*points.T, ".", color=colour, markersize=3, alpha=0.4, markeredgewidth=0)
    for axis, kind, title in zip(axes, ("best", "learned"), ("best density (eq. 10)", "learned density"), strict=False):
        axis.contour(here["x"], here["y"], here[kind], _levels(here["best"]), colors=TRUTH, linewidths=1)
        axis.contour(here["x"], here["y"], here[kind], [cut], colors=TRUTH, linewidths=2)
        axis.set_title(title)
    axes[2].contour(here["x"], here["y"], here["score"], SCORES, colors=TRUTH, linewidths=1)
    axes[2].contour(here["x"], here["y"], here["score"], [0.5], colors=TRUTH, linewidths=2, linestyles="--")
    axes[2].set_title("score $r$ of the classifier")
    _framed(axes, surfaces["events"])
    points = ({"color": colour, "marker": "o", "linestyle": "", "label": name} for name, colour in CLASSES.items())
    styles = {f"density {cut:g}, almost zero": "-", "$r = 0.5$": "--"}
    lines = ({"color": TRUTH, "linewidth": 2, "linestyle": style, "label": label} for label, style in styles.items())
    painters_style.legend_above(figure, [painters_style.line_handle(look) for look in (*points, *lines)], columns=4)
    return figure


def _levels(best: xr.DataArray) -> list[float]:
    return [share * float(best.max()) for share in LEVELS]


def _framed(axes: list[Axes], events: xr.DataArray) -> None:
    """Axes that hold these events, labelled at the outer sides."""
    (left, bottom), (right, top) = (events.reduce(f, ("label", "event")).values for f in (np.min, np.max))
    for axis in axes:
        axis.set(xlim=(left - 1, right + 1), ylim=(bottom - 1, top + 1))
        axis.grid(visible=False)
    painters_style.label_outer(axes, "$x_1$", "$x_2$")


@painters_style.with_style
def contrast_strengths(surfaces: xr.Dataset) -> Figure:
    """Best and learned densities for several strengths of the contrast (contrastive flows Fig. 7)."""
    figure, axes = painters_style.grid(surfaces.sizes["strength"], size=(3.1, 3.3))
    cut = float(surfaces["cut"])
    for axis, strength in zip(axes, surfaces["strength"].values, strict=True):
        here = surfaces.sel(strength=strength)
        levels = [cut, *_levels(here["best"])]
        axis.contourf(here["x"], here["y"], here["best"], [*levels, 1.01 * float(here["best"].max())], cmap=SHADES)
        axis.contour(here["x"], here["y"], here["learned"], levels, colors=CURVE, linewidths=1.1)
        kept = ", ".join(f"{name} {float(here['accepted'].sel(label=name)):.1%}" for name in here["label"].values)
        axis.set_title(f"$c = {strength:g}$:  $\\lambda_c = {float(here['norm']):.2f}$\nkept: {kept}", fontsize="small")
    _framed(axes, surfaces["events"].sel(label=["signal"]))
    handles = [
        Patch(color=SHADES(0.6), label="best density (eq. 10)"),
        painters_style.line_handle({"color": CURVE, "label": "learned density"}),
    ]
    painters_style.legend_above(figure, handles, columns=2)
    return figure


@painters_style.with_style
def robustness(**scenarios: xr.Dataset) -> Figure:
    """Accuracy on distorted events by the amount of distortion; arguments name panels (contrastive flows Fig. 3)."""
    figure, axes = painters_style.grid(len(scenarios), columns=len(scenarios), size=(3.3, 3.3))
    for axis, (name, found) in zip(axes, scenarios.items(), strict=True):
        title, unit, label = SCENARIOS[name]
        accuracy, phi = found["accuracy"].transpose("classifier", "seed", "phi"), found["phi"].values / unit
        for kind, (text, colour) in PREDICTIONS.items():
            best = accuracy.sel(classifier=kind).mean("seed")
            axis.plot(phi, best, color=colour, linestyle="--", linewidth=1, label=text, zorder=3)
        for kind, look in CLASSIFIERS.items():
            painters_style.band(axis, phi, accuracy.sel(classifier=kind).values, **look)
        axis.set(title=title, xlabel=label, ylabel="accuracy")
    painters_style.share_range(axes)
    labelled = dict(zip(*axes[0].get_legend_handles_labels()[::-1], strict=True))
    handles = [labelled[label] for column in COLUMNS for label in column]
    note = "lines: mean over seeds, bands: ±1 standard deviation"
    painters_style.legend_above(figure, handles, columns=len(COLUMNS), note=note)
    return figure


@painters_style.with_style
def generated_images(drawn: xr.Dataset, *, titles: list[str]) -> Figure:
    """Images that flows make, each with its title (contrastive flows Fig. 8)."""
    figure, axes = painters_style.grid(drawn.sizes["flow"], size=(3.2, 3.4))
    for axis, images, title in zip(axes, drawn["image"].values, titles, strict=True):
        _mosaic(axis, images)
        axis.set_title(title)
    return figure


@painters_style.with_style
def classified_images(images: xr.Dataset, *, wanted: str, shunned: str, shown: int = 16) -> Figure:
    """Test images of the highest and the lowest density, those called wrong framed (contrastive flows Figs. 9, 10)."""
    figure, axes = painters_style.grid(2, size=(3.2, 3.7))
    passed, ours = images["log_density"].values > float(images["floor"]), images["is_signal"].values
    mine, called = images["image"].values[ours], passed[ours]  # the largest density first
    for axis, chosen, wrong, title in (
        (axes[0], mine[called][:shown], (), f"{wanted} of the highest density"),
        (
            axes[1],
            mine[::-1][:shown],
            np.flatnonzero(~called[::-1][:shown]).tolist(),
            f"{wanted} of the lowest density",
        ),
    ):
        _mosaic(axis, chosen, shown, wrong)
        axis.set_title(title)
    told = [
        f"{name} called {name}: {right.sum()} of {right.size}"
        for name, right in ((wanted, called), (shunned, ~passed[~ours]))
    ]
    figure.supxlabel(", ".join(told), **NOTE)
    return figure


def _mosaic(axis: Axes, images: np.ndarray, number: int | None = None, framed: Sequence[int] = ()) -> None:
    """Images side by side in a square that has room for so many, some of them in a frame."""
    side = int(np.ceil(np.sqrt(number or len(images))))
    _, height, width = images.shape
    whole = np.full((side * (height + 1) - 1, side * (width + 1) - 1), np.nan)
    for place, image in enumerate(images):
        row, column = divmod(place, side)
        top, left = row * (height + 1), column * (width + 1)
        whole[top : top + height, left : left + width] = image
        if place in framed:
            corner = (left - 0.5, top - 0.5)
            axis.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=painters_style.CURVE, linewidth=2))
    axis.imshow(whole, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    axis.spines[:].set(visible=True, color="#d9d9d9")
    if not len(images):
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", va="center", color="#595959")


@painters_style.with_style
def coupling_variants(variants: xr.Dataset) -> Figure:
    """Draw the results of kinds of couplings and of clamps on equal events (ours)."""
    figure, axes = painters_style.panels(2, 2, size=(4.4, 3.0))
    mass, loss, distance, accuracy = axes.flat
    shown = {name: look for name, look in VARIANTS.items() if name in variants["variant"]}
    for place, (name, (_, colour, line)) in enumerate(shown.items()):
        here = variants.sel(variant=name)
        look = {"color": colour, "markerfacecolor": colour if line == "-" else "white"}
        mass.plot(here["box"], here["mass"], "o", linestyle=line, markersize=6, **look)
        loss.plot(here["iteration"], here["valid"], linestyle=line, color=colour)
        for axis, variable in ((distance, "distance"), (accuracy, "accuracy")):
            axis.plot(here[variable], place, "o", markersize=7, **look)
    mass.set(xscale="log", yscale="log", xlabel="half side of the square", ylabel='integral of the "density"')
    mass.set_xticks(variants["box"].values, [f"{box:g}" for box in variants["box"].values])
    loss.set(xlabel="step of the training", ylabel="loss of validating events")
    for axis, label in ((distance, "half the integral of |difference to eq. 10|"), (accuracy, "accuracy")):
        axis.set(xlabel=label, ylim=(len(shown) - 0.5, -0.5))
        axis.set_yticks(range(len(shown)), [label for label, *_ in shown.values()])
    distance.set(xscale="log")
    for axis in (mass.yaxis, distance.xaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.minorticks_off()
    mass.xaxis.minorticks_off()
    accuracy.tick_params(labelleft=False)
    accuracy.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.supxlabel("colours above as below; dashed lines and hollow points: clamp as printed", **NOTE)
    return figure

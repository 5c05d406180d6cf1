"""Figures of the study of foundations (thesis chapters 2 to 6)."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from diffhep.figures.painters import style
from diffhep.figures.painters.style import CURVE, HARD, SMOOTH, TRUTH

SIDES = {"lower": SMOOTH, "upper": CURVE}
DATA = {"color": TRUTH, "linestyle": "--", "linewidth": 1.2}  # where something was observed


@style.with_style
def poisson(poisson: xr.Dataset) -> Figure:
    """Poisson probabilities beside the normal density of the same mean and variance (thesis Fig. 2.1)."""
    figure, axes = style.panels(1, poisson.sizes["mean"], size=(2.5, 2.6))
    for axis, mean in zip(axes.flat, poisson["mean"].values, strict=True):
        here = poisson.sel(mean=mean)
        bars = {"width": 1, "color": HARD, "edgecolor": "white", "linewidth": 0.3}
        axis.bar(here["count"], here["probability"], **bars, label="Poisson")
        axis.plot(here["x"], here["density"], color=CURVE, label="normal")
        axis.set(title=rf"$\lambda = {mean:g}$", xlabel="$n$")
        axis.set_xlim(-0.5, mean + 4.5 * np.sqrt(mean))
    axes[0, 0].set_ylabel("probability")
    style.legend_above(figure, axes[0, 0], columns=2)
    return figure


@style.with_style
def density_and_likelihood(interval: xr.Dataset) -> Figure:
    """Density of x at one mu, and likelihood of mu at one x (thesis Fig. 2.2)."""
    figure, axes = style.panels(1, 2, size=(3.4, 2.8))
    observed = interval.attrs["observed"]
    axes[0, 0].plot(interval["x"], interval["density"], color=SMOOTH)
    axes[0, 0].set(xlabel="$x$", ylabel="density", title=rf"$p(x\,|\,\mu = {observed:g})$", xlim=(0, 2 * observed))
    axes[0, 1].plot(interval["mu"], interval["likelihood"], color=CURVE)
    axes[0, 1].set(xlabel=r"$\mu$", ylabel="likelihood", title=rf"$L(\mu)$ for $x = {observed:g}$")
    return figure


@style.with_style
def limits(interval: xr.Dataset) -> Figure:
    """Densities at the two limits, with the area that each leaves beyond the observed value (thesis Fig. 2.3)."""
    figure, axes = style.panels(1, 1, size=(5.0, 3.2))
    axis, x, observed = axes[0, 0], interval["x"].values, interval.attrs["observed"]
    for side, colour in SIDES.items():
        here = interval.sel(side=side)
        curve = here["density_at_limit"].values
        axis.plot(x, curve, color=colour, label=rf"$\mu_\mathrm{{{side}}} = {float(here['limits']):.3f}$")
        inside = x <= observed if side == "lower" else x >= observed
        axis.fill_between(x, curve, where=inside, color=colour, alpha=0.25, linewidth=0)
    share = 1 - (1 - interval.attrs["level"]) / 2
    axis.axvline(observed, **DATA, label=f"$x_0 = {observed:g}$")
    axis.set(xlabel="$x$", ylabel="density", xlim=(0, 2.2 * observed), ylim=(0, None))
    axis.set_title(f"each shaded area: {share:.2%}")
    axis.legend()
    return figure


@style.with_style
def neyman_belt(interval: xr.Dataset) -> Figure:
    """Acceptance intervals in x for many mu, and the interval in mu at the observed x (thesis Fig. 2.4)."""
    figure, axes = style.panels(1, 1, size=(5.0, 3.8))
    axis, mu = axes[0, 0], interval["mu"].values
    low, high = interval["acceptance"].values.T
    axis.fill_betweenx(mu, low, high, color=HARD, alpha=0.5, linewidth=0, label="confidence band")
    every = slice(None, None, max(len(mu) // 30, 1))
    axis.hlines(mu[every], low[every], high[every], color=TRUTH, linewidth=0.6, label="acceptance intervals")
    observed = interval.attrs["observed"]
    axis.axvline(observed, **DATA, label=f"$x_0 = {observed:g}$")
    for side, colour in SIDES.items():
        crossing = float(interval["crossings"].sel(side=side))
        label = rf"$\mu_\mathrm{{{side}}} = {crossing:.3f}$"
        axis.plot([0, observed], [crossing, crossing], color=colour, label=label)
    axis.set(xlabel="$x$", ylabel=r"$\mu$", xlim=(low.min() - 1, high.max() + 1), ylim=(mu[0], mu[-1]))
    axis.legend(loc="lower right", frameon=True)
    return figure


@style.with_style
def hypothesis_test(data: xr.Dataset) -> Figure:
    """Test statistic under both hypotheses, with both probabilities of error shaded (thesis Fig. 2.5)."""
    figure, axes = style.panels(1, 1, size=(5.0, 3.2))
    axis, t, cutoff = axes[0, 0], data["t"].values, float(data["cutoff"])
    sides = {
        "null": (SMOOTH, t >= cutoff, rf"$\alpha = {data.attrs['size']:g}$", "$p(t\\,|\\,H_0)$"),
        "alternative": (CURVE, t <= cutoff, rf"$\beta = {1 - float(data['power']):.2f}$", "$p(t\\,|\\,H_1)$"),
    }
    for hypothesis, (colour, extreme, error, label) in sides.items():
        curve = data["density"].sel(hypothesis=hypothesis).values
        axis.plot(t, curve, color=colour, label=label)
        axis.fill_between(t, curve, where=extreme, color=colour, alpha=0.3, linewidth=0, label=error)
    axis.axvline(cutoff, **DATA, label=f"$t_c = {cutoff:.2f}$")
    axis.set(xlabel="test statistic $t$", ylabel="density", ylim=(0, None))
    axis.legend()
    return figure


@style.with_style
def histograms(density: xr.Dataset) -> Figure:
    """Draw histograms of the same events with several numbers of bins (thesis Fig. 3.1)."""
    numbers = _numbers(density, "histogram_")
    figure, axes = style.panels(1, len(numbers), size=(2.9, 2.6))
    for axis, number in zip(axes.flat, numbers, strict=True):
        axis.stairs(density[f"histogram_{number}"].values, density[f"edges_{number}"].values, fill=True, color=HARD)
        _true_density(axis, density)
        axis.set(title=f"{number} bins", xlabel="$x$")
    axes[0, 0].set_ylabel("density")
    style.legend_above(figure, axes[0, 0], columns=1)
    return figure


@style.with_style
def kernel_estimates(density: xr.Dataset) -> Figure:
    """Draw kernel density estimates of the same events with several bandwidths (thesis Fig. 3.2)."""
    figure, axes = style.panels(1, density.sizes["bandwidth"], size=(2.9, 2.6))
    for axis, bandwidth in zip(axes.flat, density["bandwidth"].values, strict=True):
        axis.plot(density["x"], density["kde"].sel(bandwidth=bandwidth), color=CURVE, label="KDE")
        _true_density(axis, density)
        axis.set(title=f"bandwidth {bandwidth:g}", xlabel="$x$", ylim=(0, 1.1 * float(density["kde"].max())))
        axis.label_outer()
    axes[0, 0].set_ylabel("density")
    style.legend_above(figure, axes[0, 0], columns=2)
    return figure


@style.with_style
def density_fits(fit: xr.Dataset, *, models: list[str] | None = None) -> Figure:
    """Events, and what gradient descent fits to them (thesis Figs. 4.2 to 4.4).

    Args:
        fit: Result of `studies.foundations.fit`.
        models: Which fits to draw: `single`, `double`, `symmetric`.
    """
    looks = {
        "single": {"color": SMOOTH, "label": "one normal distribution"},
        "double": {"color": CURVE, "label": "two in equal parts"},
        "symmetric": {"color": TRUTH, "linestyle": ":", "label": "two, started alike"},
    }
    figure, axes = style.panels(1, 1, size=(4.8, 3.2))
    axis = axes[0, 0]
    axis.stairs(fit["counts"].values, fit["edges"].values, fill=True, color=HARD, label="events")
    for model in models or []:
        label = rf"{looks[model]['label']}: $-2\ln L/n = {float(fit[f'loss_{model}']):.3f}$"
        axis.plot(fit["x"], fit[model], **looks[model] | {"label": label})
    axis.set(xlabel="$x$", ylabel="density")
    axis.set_ylim(top=1.35 * float(fit["counts"].max()))
    axis.legend(loc="upper left", fontsize="small")
    return figure


@style.with_style
def derivative_by_step_size(differences: xr.Dataset) -> Figure:
    """Derivative of sin x by finite differences of several step sizes (thesis Fig. 5.2)."""
    figure, axes = style.panels(1, 1, size=(4.8, 3.2))
    axis = axes[0, 0]
    steps = differences["step"].values
    for colour, step in zip(style.ordered_colours(len(steps)), steps, strict=True):
        estimate = differences["by_step"].sel(step=step)
        axis.plot(differences["x"], estimate, color=colour, label=rf"$\Delta x = {step:g}$")
    axis.plot(differences["x"], differences["truth"], **DATA, label=r"$\cos x$")
    axis.set(xlabel="$x$", ylabel=r"d$\,\sin x$ / d$x$")
    axis.legend()
    return figure


@style.with_style
def derivative_by_points(differences: xr.Dataset) -> Figure:
    """Draw numerical derivatives with a fixed small step at several numbers of points (thesis Fig. 5.3)."""
    numbers = _numbers(differences, "by_points_")
    figure, axes = style.panels(1, len(numbers), size=(2.4, 2.6))
    for axis, number in zip(axes.flat, numbers, strict=True):
        estimate = differences[f"by_points_{number}"]
        axis.plot(differences[f"x_{number}"], estimate, "o-", color=SMOOTH, label="forward differences")
        axis.plot(differences["x"], differences["truth"], **DATA, label=r"$\cos x$")
        axis.set(title=f"{number} points", xlabel="$x$")
        axis.label_outer()
    axes[0, 0].set_ylabel(r"d$\,\sin x$ / d$x$")
    style.legend_above(figure, axes[0, 0], columns=2)
    return figure


@style.with_style
def difference_errors(differences: xr.Dataset) -> Figure:
    """Error of finite differences against the size of their step, beside automatic differentiation (ours)."""
    figure, axes = style.panels(1, 1, size=(4.8, 3.2))
    axis = axes[0, 0]
    for scheme, colour in {"forward": SMOOTH, "central": CURVE, "automatic": TRUTH}.items():
        error = differences["error"].sel(scheme=scheme)
        exact = {} if error.any() else {"linestyle": "none", "label": f"{scheme}: no error at all"}
        axis.plot(differences["size"], error, **{"color": colour, "label": scheme} | exact)
    axis.set(xscale="log", yscale="log", xlabel=r"step $\Delta x$", ylabel="root mean square error")
    axis.legend()
    return figure


@style.with_style
def activations(activations: xr.Dataset) -> Figure:
    """Activation functions and their derivatives (thesis Fig. 6.1)."""
    figure, axes = style.grid(activations.sizes["name"], columns=4, size=(2.2, 2.0))
    for axis, name in zip(axes, activations["name"].values, strict=True):
        here = activations.sel(name=name)
        axis.plot(here["x"], here["value"], color=SMOOTH, label="function")
        axis.plot(here["x"], here["slope"], color=CURVE, linestyle="--", label="derivative")
        axis.set_title(str(name).replace("_", " "))
    for axis in axes:
        axis.set_ylim(-1.3, float(activations["value"].max()))
    style.label_outer(axes, "$x$", "")
    style.legend_above(figure, axes[0], columns=2)
    return figure


def _numbers(data: xr.Dataset, stem: str) -> list[int]:
    """The numbers at the end of the names of the variables that begin with the stem."""
    return sorted(int(str(name).removeprefix(stem)) for name in data.data_vars if str(name).startswith(stem))


def _true_density(axis: Axes, density: xr.Dataset) -> None:
    axis.plot(density["x"], density["truth"], **DATA, label="true density")

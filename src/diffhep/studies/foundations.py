"""Stages of the study of foundations: closed forms and small samples behind thesis chapters 2 to 6."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.stats import norm
from scipy import stats

from diffhep import prng
from diffhep.data.mixtures import draw_mixture, mixture_density
from diffhep.learning.optimisers import adam_trajectory

CURVE = 601  # points of curves that nothing else depends on


def poisson(settings: dict) -> xr.Dataset:
    """Poisson probabilities and the normal density of the same mean and variance (thesis 2.1.6).

    Returns:
        `probability` (mean, count) and `density` (mean, x); `distance` (mean), the largest difference between the two
        at whole numbers over the largest probability.
    """
    means = np.asarray(settings["means"])[:, None]
    highest = means.max() + 5 * np.sqrt(means.max())
    count, x = np.arange(int(highest) + 1), np.linspace(0, highest, CURVE)
    probability = stats.poisson.pmf(count, means)
    normal = partial(stats.norm.pdf, loc=means, scale=np.sqrt(means))
    distance = np.abs(probability - normal(count)).max(axis=1) / probability.max(axis=1)
    return xr.Dataset(
        {
            "probability": (("mean", "count"), probability),
            "density": (("mean", "x"), normal(x)),
            "distance": ("mean", distance),
        },
        coords={"mean": settings["means"], "count": count, "x": x},
    )


def interval(settings: dict) -> xr.Dataset:
    """Central interval for mu of x ~ Normal(mu, mu / 5): by gradient descent, and by a Neyman band (thesis 2.3.2).

    Returns:
        `density` (x) at mu = observed and `likelihood` (mu); `limits` (side), where descent on the squared difference
        of the cumulative probability and its goal ends, with `density_at_limit` (side, x); `acceptance` (mu, side), the
        band; and `crossings` (side), where the observed value leaves it.
    """
    width, observed = settings["relative_width"], settings["observed"]
    tail = (1 - settings["level"]) / 2
    mu = np.linspace(*settings["mu"], settings["points"])
    x = np.linspace(0, 2 * settings["mu"][1], 4 * CURVE)
    goals = np.array([1 - tail, tail])  # of the probability below the observed value, at the lower and the upper limit
    limits = np.asarray(jax.jit(jax.vmap(lambda goal: _limit(settings, goal)))(goals))
    acceptance = mu[:, None] * (1 + width * stats.norm.ppf([tail, 1 - tail]))
    crossings = [np.interp(observed, acceptance[:, side], mu) for side in (1, 0)]
    return xr.Dataset(
        {
            "density": ("x", stats.norm.pdf(x, observed, width * observed)),
            "likelihood": ("mu", stats.norm.pdf(observed, mu, width * mu)),
            "limits": ("side", limits),
            "density_at_limit": (("side", "x"), stats.norm.pdf(x, limits[:, None], width * limits[:, None])),
            "acceptance": (("mu", "side"), acceptance),
            "crossings": ("side", crossings),
        },
        coords={"x": x, "mu": mu, "side": ["lower", "upper"]},
        attrs={"observed": observed, "level": settings["level"]},
    )


def _limit(settings, goal):
    def loss(mu):
        return (norm.cdf(settings["observed"], mu, settings["relative_width"] * mu) - goal) ** 2

    start = jnp.asarray(settings["start"])
    return adam_trajectory(loss, start, learning_rate=settings["learning_rate"], steps=settings["steps"])[-1]


def hypothesis_test(settings: dict) -> xr.Dataset:
    """Test statistic under two hypotheses, the cutoff of a test of the given size, and its power (thesis 2.3.3).

    Returns:
        `density` (hypothesis, t), and `cutoff` and `power`.
    """
    separation = settings["separation"]
    t, cutoff = np.linspace(-4, separation + 4, CURVE), stats.norm.isf(settings["size"])
    return xr.Dataset(
        {
            "density": (("hypothesis", "t"), stats.norm.pdf(t, np.array([[0.0], [separation]]))),
            "cutoff": cutoff,
            "power": stats.norm.sf(cutoff - separation),
        },
        coords={"hypothesis": ["null", "alternative"], "t": t},
        attrs={"size": settings["size"]},
    )


def density(settings: dict) -> xr.Dataset:
    """Histograms and kernel density estimates of the same events (thesis 3.1).

    Returns:
        `histogram_<bins>` over `edges_<bins>`, each of unit area; `kde` (bandwidth, x) and `truth` (x).
    """
    events = draw_mixture(prng.key(settings["seed"], prng.FOUNDATIONS_DENSITY), settings["mixture"], settings["events"])
    x = np.linspace(*settings["range"], CURVE)
    kde = jax.jit(jax.vmap(lambda bandwidth: norm.pdf(x[:, None], events, bandwidth).mean(axis=1)))
    found = {
        "kde": (("bandwidth", "x"), np.asarray(kde(np.asarray(settings["bandwidths"])))),
        "truth": ("x", np.asarray(mixture_density(x, **settings["mixture"]))),
    }
    for bins in settings["bins"]:
        edges = np.linspace(*settings["range"], bins + 1)
        area = settings["events"] * (edges[1] - edges[0])
        found[f"edges_{bins}"] = (f"edge_{bins}", edges)
        found[f"histogram_{bins}"] = (f"bin_{bins}", np.histogram(events, edges)[0] / area)
    return xr.Dataset(found, coords={"bandwidth": settings["bandwidths"], "x": x})


def fit(settings: dict) -> xr.Dataset:
    """One and two normal distributions fitted to a mixture by gradient descent on -2 log L (thesis 4.1.1).

    Returns:
        `counts` (bin) over `edges` (edge), of unit area; `single` and `double` (x), the fitted densities, and
        `symmetric`, of two that started alike; `loss_...`, -2 log L per event at the end, and `symmetric_excess`, that
        of `symmetric` less that of `single`.
    """
    events = draw_mixture(prng.key(settings["seed"], prng.FOUNDATIONS_FIT), settings["mixture"], settings["events"])
    one, two = settings["single"], settings["double"]
    starts = {
        "single": [[one["mean"]], [one["width"]]],
        "double": [two["means"], two["widths"]],
        "symmetric": [[one["mean"]] * 2, [one["width"]] * 2],
    }
    x, edges = np.linspace(-4, 7, CURVE), np.linspace(-4, 7, 45)
    found = {
        "counts": ("bin", np.histogram(events, edges)[0] / settings["events"] / np.diff(edges)),
        "edges": ("edge", edges),
    }
    walk = partial(adam_trajectory, partial(_twice_nll, events), learning_rate=settings["learning_rate"])
    for name, start in starts.items():
        end = np.asarray(walk(np.array(start), steps=settings["steps"]))[-1]
        found[name] = ("x", _even_mixture(end, x))
        found[f"loss_{name}"] = float(_twice_nll(events, end))
    found["symmetric_excess"] = found["loss_symmetric"] - found["loss_single"]
    return xr.Dataset(found, coords={"x": x})


@jax.jit
def _even_mixture(parameters, x):
    """Density of normal distributions in equal parts, from their means and widths (2, component)."""
    means, widths = parameters
    return norm.pdf(x[:, None], means, widths).mean(axis=1)


@jax.jit
def _twice_nll(events, parameters):
    return -2 * jnp.mean(jnp.log(_even_mixture(parameters, events)))


def differences(settings: dict) -> xr.Dataset:
    """Forward differences of sin x, by size of step and by number of points (thesis 5.4.1).

    Returns:
        `by_step` (step, x) and `truth` (x); `by_points_<n>` over `x_<n>`; and `error` (scheme, size), the root mean
        square error over x of `forward`, `central` and `automatic` derivatives against the size of the step.
    """
    x = np.linspace(*settings["range"], CURVE)
    steps, exponents = np.asarray(settings["steps"]), settings["error_steps"]
    sizes = np.logspace(exponents["smallest"], exponents["largest"], exponents["points"])
    estimates = np.stack([_forward(x, sizes[:, None]), _central(x, sizes[:, None])])
    automatic = np.broadcast_to(jax.jit(jax.vmap(jax.grad(jnp.sin)))(x), estimates[:1].shape)
    error = np.sqrt(np.mean((np.concatenate([estimates, automatic]) - np.cos(x)) ** 2, axis=-1))
    found = {
        "by_step": (("step", "x"), _forward(x, steps[:, None])),
        "truth": ("x", np.cos(x)),
        "error": (("scheme", "size"), error),
    }
    for number in settings["evaluations"]:
        places = np.linspace(*settings["range"], number)
        found[f"x_{number}"] = (f"point_{number}", places)
        found[f"by_points_{number}"] = (f"point_{number}", _forward(places, settings["fixed_step"]))
    coords = {"x": x, "step": steps, "size": sizes, "scheme": ["forward", "central", "automatic"]}
    return xr.Dataset(found, coords=coords)


def _forward(x, step):
    return (np.sin(x + step) - np.sin(x)) / step


def _central(x, step):
    return (np.sin(x + step) - np.sin(x - step)) / (2 * step)


def activations(settings: dict) -> xr.Dataset:
    """Activation functions of JAX and their derivatives: `value` and `slope` (name, x) (thesis 6.1)."""
    x = np.linspace(*settings["range"], CURVE)
    functions = [getattr(jax.nn, name) for name in settings["names"]]

    @jax.jit
    def curves(x):
        both = [jax.vmap(jax.value_and_grad(function))(x) for function in functions]
        return jnp.stack([value for value, _ in both]), jnp.stack([slope for _, slope in both])

    value, slope = curves(x)
    return xr.Dataset(
        {"value": (("name", "x"), np.asarray(value)), "slope": (("name", "x"), np.asarray(slope))},
        coords={"name": settings["names"], "x": x},
    )

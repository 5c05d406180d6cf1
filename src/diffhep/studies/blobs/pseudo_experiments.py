"""Stages that throw pseudo-experiments from trained observables (ours)."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Key

from diffhep import prng
from diffhep.inference import fisher, test_statistics, toys
from diffhep.models.likelihood import Model, nominal_parameters, with_unbounded_poi
from diffhep.models.simple import signal_background
from diffhep.studies.blobs.settings import PseudoExperiments, Scan

HYPOTHESES = (0.0, 1.0)  # strengths under which toys are thrown


Q_GRID = np.geomspace(1e-3, 200, 400)  # where asymptotic densities are drawn


def scan(settings: Scan, trained: xr.Dataset) -> xr.Dataset:
    """CLs from toys of the typical trained observable, for the signal strengths `first` to `last` of `tested_mu`."""
    (model, seed), first = _typical(settings, trained), settings.first
    tested, key = settings.tested_mu[first : settings.last + 1], _toy_key(settings, len(HYPOTHESES))
    cls_scan = toys.scan_cls(model, tested, settings.number, key=key, first_index=first)
    return xr.Dataset(
        {f"cls_{name}": ("tested_mu", np.asarray(values)) for name, values in cls_scan._asdict().items()},
        coords={"tested_mu": list(tested), "seed": seed},
    )


def pseudo_experiments(settings: PseudoExperiments, trained: xr.Dataset, scan: xr.Dataset) -> xr.Dataset:
    """Throw toys of the typical trained observable, and add the result of `scan`."""
    model, _ = _typical(settings, trained)
    thrown = [
        _distributions(model, mu, settings.number, _toy_key(settings, number)) for number, mu in enumerate(HYPOTHESES)
    ]
    return xr.merge([scan, xr.concat(thrown, xr.Variable("true_mu", list(HYPOTHESES)))])


def _typical(settings: PseudoExperiments, trained: xr.Dataset) -> tuple[Model, xr.DataArray]:
    """Model and seed of the trained observable with the median CLs after the last epoch."""
    last = trained.isel(epoch=-1)
    typical = last.isel(seed=int(np.argsort(last["cls"].values)[last.sizes["seed"] // 2]))
    model = signal_background(*typical["yields"].values, interpolation=settings.interpolation)
    return with_unbounded_poi(model), typical["seed"]


def _toy_key(settings: PseudoExperiments, number: int) -> Key[Array, ""]:
    """Random key of a hypothesis, or of the scan, which comes after them."""
    return jax.random.fold_in(prng.key(settings.seed, prng.BLOBS_TOYS), number)


def _distributions(model: Model, true_mu: float, number: int, key: Array) -> xr.Dataset:
    """Test statistics of mu = 1 and mu = 0, pulls and coverage of toys of `true_mu`, and asymptotic densities."""
    pars = nominal_parameters(model, true_mu)
    statistics = toys.toy_statistics(model, toys.throw(model, pars, number, key=key), jnp.asarray(1.0))
    sigma, *shifts = jax.jit(_expectations)(model, jnp.asarray(true_mu))
    pulls = (np.asarray(statistics.mu_hat) - true_mu) / np.asarray(sigma)
    coverage, root = np.mean(np.abs(pulls) <= 1), np.sqrt(Q_GRID)
    densities = {
        f"density_{name}": ("q", np.asarray(toys.asymptotic_density(jnp.asarray(Q_GRID), shift)))
        for name, shift in zip(("q_mu", "q_0"), shifts, strict=True)
    }
    return xr.Dataset(
        {
            "q_mu": ("toy", np.asarray(statistics.q_mu, np.float32)),
            "q_0": ("toy", np.asarray(statistics.q_0, np.float32)),
            "pull": ("toy", np.asarray(pulls, np.float32)),
            "coverage": coverage,
            "coverage_error": np.sqrt(coverage * (1 - coverage) / number),
            "failed": np.mean(~np.asarray(statistics.converged)),
            **densities,
            **{f"root_{name}": ("q", 2 * root * density) for name, (_, density) in densities.items()},
            "root_q": ("q", root),
        },
        coords={"q": Q_GRID},
    )


def _expectations(model: Model, true_mu: Array) -> tuple[Array, Array, Array]:
    """Uncertainty sigma of the strength, and its distances from 1 and 0 in units of sigma, from Asimov data."""
    poi = model.parameters.poi
    sigma = jnp.sqrt(fisher.covariance(model, nominal_parameters(model, true_mu))[poi, poi])
    return sigma, *(jnp.sqrt(test_statistics.expected_q(model, tested, true_mu)) for tested in (1.0, 0.0))

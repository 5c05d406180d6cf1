"""The same work as users of the peers do it: training with relaxed, fits with pyhf."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyhf
import relaxed
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, PyTree

from benchmarks.timing import Work
from diffhep.likelihood import Data, expected_data, log_likelihood
from diffhep.models import signal_background
from diffhep.networks import Observable

RELAXED = f"relaxed {version('relaxed')} (conditional fit given a copy of its parameters), jax {version('jax')}"
PYHF = f"pyhf {version('pyhf')} (numpy {version('numpy')}, scipy {version('scipy')})"

Loss = Callable[[PyTree, Float[Array, "sample event feature"]], Float[Array, ""]]


@cache
def repair_relaxed() -> None:
    """Let the conditional fit of relaxed work on a copy of the parameters.

    It writes the tested strength into the dict that jaxopt gave it, which present versions of jax refuse as a
    change of structure. Nothing else is changed; what is computed stays the same.
    """
    minimize = relaxed.mle._minimize

    def minimize_a_copy(fit_objective, **rest):
        def objective(pars, model, data):
            return fit_objective(dict(pars), model, data)

        return minimize(fit_objective=objective, **rest)

    relaxed.mle._minimize = minimize_a_copy


@register_dataclass
@dataclass(frozen=True)
class RelaxedModel:
    """Our likelihood as relaxed wants one, which brings none of its own; made of yields (sample, bin)."""

    yields: Array

    def logpdf(self, pars: Mapping[str, Array], data: Data) -> Array:
        """Log-likelihood of parameters by name."""
        return log_likelihood(signal_background(*self.yields), _vector(pars), data)

    def expected_data(self, pars: Mapping[str, Array]) -> Data:
        """The Asimov data set of parameters by name."""
        return expected_data(signal_background(*self.yields), _vector(pars))


def _vector(pars: Mapping[str, Array]) -> Array:
    return jnp.stack([jnp.asarray(pars[name], jnp.float64) for name in ("mu", "gamma")])


def relaxed_losses(settings: Mapping[str, Any]) -> dict[str, Loss]:
    """CLs, with histograms and hypothesis test of relaxed, and augmented cross-entropy of a batch."""
    repair_relaxed()
    network, scales = Observable(settings["network"]), settings["yields"]
    edges = jnp.linspace(0, 1, settings["bins"] + 1)
    background = scales["background"] * scales["overall"]
    expected = jnp.array([scales["signal"] * scales["overall"], background, background, background])

    def cls(parameters, features):
        scores = jax.nn.sigmoid(network.apply(parameters, features))
        counts = jnp.stack([relaxed.hist(sample, edges, settings["bandwidth"]) for sample in scores])
        model = RelaxedModel(expected[:, None] * counts / scores.shape[1] + scales["floor"])
        background_only = {"mu": 0.0, "gamma": 0.0}
        return relaxed.infer.hypotest(
            1.0,
            data=model.expected_data(background_only),
            model=model,
            init_pars={"mu": 1.0, "gamma": 0.0},
            bounds={"mu": (0.0, 10.0), "gamma": (-5.0, 5.0)},
            expected_pars=background_only,  # known, so that the free fit can be left out, as with us
        )

    def bce_augmented(parameters, features):
        logits = network.apply(parameters, features)
        labels = jnp.zeros_like(logits).at[0].set(1)
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, labels))

    return {"cls": cls, "bce_augmented": bce_augmented}


def python_loop(
    loss: Loss,
    parameters: PyTree,
    features: Float[Array, "sample event feature"],
    settings: Mapping[str, Any],
) -> Work:
    """One epoch of one seed: a Python loop over batches that calls one compiled step."""
    optimiser = optax.adam(settings["learning_rate"])
    features, size = np.asarray(features), settings["batch_size"]
    rng = np.random.default_rng(0)

    @jax.jit
    def step(parameters, memory, batch):
        gradient = jax.grad(loss)(parameters, batch)
        updates, memory = optimiser.update(gradient, memory)
        return optax.apply_updates(parameters, updates), memory

    def epoch() -> None:
        trained, memory = parameters, optimiser.init(parameters)
        order = rng.permutation(features.shape[1])
        for first in range(0, features.shape[1], size):
            trained, memory = step(trained, memory, features[:, order[first : first + size]])
        jax.block_until_ready(trained)

    return epoch


def pyhf_model(yields: Float[np.ndarray, "sample bin"]) -> pyhf.Model:
    """Signal over a background with one correlated shape uncertainty."""
    return pyhf.simplemodels.correlated_background(*np.asarray(yields).tolist())


def pyhf_fits(model: pyhf.Model, data: Data) -> Float[np.ndarray, "toy par"]:
    """Best (mu, gamma) of each data set, one fit after the other."""
    columns = [model.config.poi_index, model.config.par_slice("correlated_bkg_uncertainty").start]
    observed = np.concatenate([data.main, data.auxiliary], axis=1)
    return np.array([pyhf.infer.mle.fit(toy, model) for toy in observed])[:, columns]

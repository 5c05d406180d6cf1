"""Flows of coupling layers: a network of one half of the variables sets the transform of the other half.

Layers come in pairs: the first transforms one half, the second the other half by another kind of transform, and the
halves swap from pair to pair (contrastive flows Appendix A). With the masks as printed there, half of the variables
would pass through one kind of transform only.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection, Chain, Coupling, Flip, Invert, Scan
from jaxtyping import Array, Key

from diffhep.flows import bijections, flow
from diffhep.flows.flow import Flow
from diffhep.static_settings import StaticSettings


def coupling_flow(settings: Mapping[str, Any], dimension: int) -> Flow:
    """Build an unconditional flow of coupling layers, initialised as the identity.

    Args:
        settings: `layers`, an even number; `couplings`, the two kinds of transforms in a pair of layers (names in
            `bijections.TRANSFORMS`); `depth` and `width`, the number of hidden layers of each network and their nodes
            (with GELU).
        dimension: Number of features of an event, at least two.

    Returns:
        The flow.

    Raises:
        ValueError: The number of layers is odd, a transform is unknown, or events have one feature only.
    """
    if settings["layers"] % 2 or settings["layers"] < 2:
        raise ValueError(f"layers is {settings['layers']}: they come in pairs, choose an even number")
    if dimension < 2:
        raise ValueError(f"events have {dimension} feature: coupling layers need at least two")
    return _cached_flow(StaticSettings(settings), dimension)


@lru_cache(maxsize=8)  # equal settings share one flow, and so its compiled programs
def _cached_flow(settings: StaticSettings, dimension: int) -> Flow:
    def layer(key, kind):
        coupling = Coupling(
            key,
            transformer=bijections.make_transform(kind),
            untransformed_dim=dimension // 2,
            dim=dimension,
            nn_width=settings["width"],
            nn_depth=settings["depth"],
            nn_activation=jax.nn.gelu,
        )
        last = coupling.conditioner.layers[-1]
        zero = eqx.tree_at(lambda linear: (linear.weight, linear.bias), last, replace_fn=jnp.zeros_like)
        return eqx.tree_at(lambda layer: layer.conditioner.layers[-1], coupling, zero)

    def pair(key):
        keys = jax.random.split(key)
        first, second = (layer(key, kind) for key, kind in zip(keys, settings["couplings"], strict=True))
        return Chain([first, Flip((dimension,)), second])

    def draw_bijection(key: Key[Array, ""]) -> AbstractBijection:
        stacked = eqx.filter_vmap(pair)(jax.random.split(key, settings["layers"] // 2))
        return Invert(Scan(stacked))  # densities use the transforms in closed form, samples their inverses

    return flow.flow_from_bijection(draw_bijection, dimension)

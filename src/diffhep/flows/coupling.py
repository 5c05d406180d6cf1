"""Flows of coupling layers, in which one half of the variables is transformed as a network says of the other.

Layers come in pairs: the first transforms one half, the second the other by another kind of transform, and halves
change places from pair to pair (contrastive flows Appendix A; its masks as printed would let half of the variables see
one kind of transform alone).
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
    """A flow of events of so many features, the identity before it is trained.

    Args:
        settings: `layers`, an even number of them; `couplings`, the kinds of transforms of a pair (names of
            `bijections.TRANSFORMS`); hidden layers `depth` of `width` nodes with GELU in the network of each.
        dimension: Features of an event, two or more.

    Raises:
        ValueError: The number of layers is odd, a transform has no such name, or there is but one feature.
    """
    if settings["layers"] % 2 or settings["layers"] < 2:
        raise ValueError(f"layers is {settings['layers']}: they come in pairs, choose an even number")
    if dimension < 2:
        raise ValueError(f"{dimension} feature: couplings need two at least")
    return _built(StaticSettings(settings), dimension)


@lru_cache(maxsize=8)  # programs are compiled for a flow: those of equal ones are shared
def _built(settings: StaticSettings, dimension: int) -> Flow:
    def layer(key, kind):
        made = Coupling(
            key,
            transformer=bijections.make_transform(kind),
            untransformed_dim=dimension // 2,
            dim=dimension,
            nn_width=settings["width"],
            nn_depth=settings["depth"],
            nn_activation=jax.nn.gelu,
        )
        last = made.conditioner.layers[-1]
        silent = eqx.tree_at(lambda each: (each.weight, each.bias), last, replace_fn=jnp.zeros_like)
        return eqx.tree_at(lambda each: each.conditioner.layers[-1], made, silent)

    def pair(key):
        first, second = (layer(*each) for each in zip(jax.random.split(key), settings["couplings"], strict=True))
        return Chain([first, Flip((dimension,)), second])

    def made(key: Key[Array, ""]) -> AbstractBijection:
        stacked = eqx.filter_vmap(pair)(jax.random.split(key, settings["layers"] // 2))
        return Invert(Scan(stacked))  # from events to normal variables by the formulas, not by their inverses

    return flow.flow_from_bijection(made, dimension)

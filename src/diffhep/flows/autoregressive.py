"""Masked autoregressive flows."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flowjax.bijections import RationalQuadraticSpline
from flowjax.distributions import StandardNormal
from flowjax.flows import masked_autoregressive_flow

from diffhep.flows.flow import Flow, flow_from_bijection
from diffhep.static_settings import StaticSettings


def autoregressive_flow(settings: Mapping[str, Any], dimension: int, conditions: int) -> Flow:
    """Build a masked autoregressive flow (arXiv:1705.07057).

    Args:
        settings: `layers`, the number of transforms; `hidden`, the nodes in the one hidden layer of each network;
            `transform`, the transform of a variable: `affine` (location and scale) or `spline` (rational quadratic,
            arXiv:1906.04032, with `knots` knots within `reach` standard deviations, and the identity beyond).
        dimension: Number of features of an event.
        conditions: Number of conditioning variables; 0 for an unconditional flow.

    Returns:
        The flow.

    Raises:
        ValueError: The transform is unknown.
    """
    if settings["transform"] not in ("affine", "spline"):
        raise ValueError(f"transform {settings['transform']!r} is unknown; choose affine or spline")
    return _cached_flow(StaticSettings(settings), dimension, conditions)


@lru_cache(maxsize=8)  # equal settings share one flow, and so its compiled programs
def _cached_flow(settings: StaticSettings, dimension: int, conditions: int) -> Flow:
    def spline():
        return RationalQuadraticSpline(knots=settings["knots"], interval=settings["reach"])

    def draw_bijection(key):
        return masked_autoregressive_flow(
            key,
            base_dist=StandardNormal((dimension,)),
            transformer=spline() if settings["transform"] == "spline" else None,
            cond_dim=conditions or None,
            flow_layers=settings["layers"],
            nn_width=settings["hidden"],
            nn_depth=1,
        ).bijection

    return flow_from_bijection(draw_bijection, dimension)

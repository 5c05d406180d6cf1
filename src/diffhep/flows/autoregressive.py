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
    """A flow of events of so many features, in contexts of so many.

    Args:
        settings: `layers` of transforms and `hidden` nodes in the one hidden layer of each; `transform` of a variable:
            `affine` (location and scale) or `spline` (rational quadratic, arXiv:1906.04032, with so many `knots` within
            `reach` standard deviations and the identity beyond).
        dimension: features of an event.
        conditions: features of a context; 0 for a flow that knows none.

    Raises:
        ValueError: The transform has no such name.
    """
    if settings["transform"] not in ("affine", "spline"):
        raise ValueError(f"transform {settings['transform']!r} is unknown; choose affine or spline")
    return _built(StaticSettings(settings), dimension, conditions)


@lru_cache(maxsize=8)  # programs are compiled for a flow: those of equal ones are shared
def _built(settings: StaticSettings, dimension: int, conditions: int) -> Flow:
    def spline():
        return RationalQuadraticSpline(knots=settings["knots"], interval=settings["reach"])

    def made(key):
        return masked_autoregressive_flow(
            key,
            base_dist=StandardNormal((dimension,)),
            transformer=spline() if settings["transform"] == "spline" else None,
            cond_dim=conditions or None,
            flow_layers=settings["layers"],
            nn_width=settings["hidden"],
            nn_depth=1,
        ).bijection

    return flow_from_bijection(made, dimension)

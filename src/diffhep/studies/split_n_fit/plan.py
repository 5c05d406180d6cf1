"""The networks of the study: what the workflow needs, without jax."""

from collections.abc import Iterable


def compared_networks(inputs: str, sweep: Iterable[str]) -> list[str]:
    """Networks that are compared: those of the sweep only with inputs that are independent of the mass.

    Args:
        inputs: "decorrelated" or "correlated" with the mass.
        sweep: Names of the points of the sweep.
    """
    swept = [f"tuned_{point}" for point in sweep] if inputs == "decorrelated" else []
    return ["wrong", "tuned", "correct", *swept]

"""Expected run times of the study: what the workflow needs, without jax."""

from collections.abc import Mapping, Sequence


def cost_seconds(peers: Sequence[str], axes: Mapping[str, Sequence[int]]) -> float:
    """Expected seconds to compile and time a piece of work, for all peers and sizes.

    Args:
        peers: Packages that are timed.
        axes: Sizes along each axis.
    """
    return 6 * len(peers) * sum(map(len, axes.values()))

"""Random keys: one for each seed and purpose."""

import jax
from jaxtyping import Array, Key


@jax.jit
def key(seed: int | Array, purpose: int | Array) -> Key[Array, ""]:
    """Randomness of one seed for one purpose; the same however many seeds run beside it."""
    return jax.random.fold_in(jax.random.key(seed), purpose)

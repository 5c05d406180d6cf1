"""Ready-made models refuse invalid yields and shapes."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.models.likelihood import expected_rates
from diffhep.models.simple import signal_background

S, B, U, D = np.array([1.0, 2, 3]), np.array([10.0, 20, 30]), np.array([12.0, 19, 33]), np.array([9.0, 22, 31])


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_an_invalid_yield_is_refused_with_its_bin(place, bad):
    yields = [S.copy(), B.copy(), U.copy(), D.copy()]
    yields[place][1] = bad
    with pytest.raises(ValueError, match=rf"{('signal', 'background', 'up', 'down')[place]} is {bad} in bin 1"):
        signal_background(*yields)


def test_shapes_of_traced_yields_are_checked():
    build = inspect.unwrap(signal_background)  # without the type checks of the test suite, which would raise first
    with pytest.raises(ValueError, match="down has shape"):
        jax.jit(lambda d: expected_rates(build(S, B, U, d), jnp.zeros(2)))(D[:2])

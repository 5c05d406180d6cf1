"""Relativistic kinematics of two-body decays. Four-vectors are arrays (..., 4) of E, px, py, pz in GeV."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

FourVector = Float[Array, "*axis 4"]


def on_shell(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, mass: ArrayLike) -> FourVector:
    """Of transverse momentum, pseudorapidity, azimuth and mass."""
    px, py, pz = pt * jnp.cos(phi), pt * jnp.sin(phi), pt * jnp.sinh(eta)
    energy = jnp.sqrt((pt * jnp.cosh(eta)) ** 2 + jnp.square(mass))
    return jnp.stack(jnp.broadcast_arrays(energy, px, py, pz), axis=-1)


def mass(vector: FourVector) -> Float[Array, "*axis"]:
    """Invariant mass; 0 where rounding makes its square negative."""
    squares = vector**2
    return jnp.sqrt(jnp.maximum(squares[..., 0] - squares[..., 1:].sum(axis=-1), 0.0))


def transverse_momentum(vector: FourVector) -> Float[Array, "*axis"]:
    """Momentum across the beam."""
    return jnp.hypot(vector[..., 1], vector[..., 2])


def pseudorapidity(vector: FourVector) -> Float[Array, "*axis"]:
    """arsinh(pz / pt); infinite along the beam."""
    return jnp.arcsinh(vector[..., 3] / transverse_momentum(vector))


def boost(vector: FourVector, frame: FourVector) -> FourVector:
    """A vector given in the rest frame of `frame` as it is where `frame` was given (PDG review "Kinematics", 49.1).

    With p the momentum of the frame, E its energy and M its mass: E' = (E e + p.q) / M and
    q' = q + p (p.q / (M (E + M)) + e / M).
    """
    energy, momentum = frame[..., :1], frame[..., 1:]
    rest = mass(frame)[..., None]
    e, q = vector[..., :1], vector[..., 1:]
    along = jnp.sum(momentum * q, axis=-1, keepdims=True)
    return jnp.concatenate(
        [(energy * e + along) / rest, q + momentum * (along / (rest * (energy + rest)) + e / rest)], axis=-1
    )


def decay(
    key: Key[Array, ""], parent: FourVector, first: ArrayLike, second: ArrayLike
) -> tuple[FourVector, FourVector]:
    """Two products of so much mass, isotropic in the rest frame of their parent.

    Their momentum there is sqrt[(M² - (m1 + m2)²)(M² - (m1 - m2)²)] / 2M (PDG review "Kinematics", eq. 49.17); 0 where
    the parent is too light.
    """
    heavy = mass(parent)
    product = (heavy**2 - jnp.square(first + second)) * (heavy**2 - jnp.square(first - second))
    momentum = jnp.sqrt(jnp.maximum(product, 0.0)) / (2 * heavy)
    direction = jax.random.normal(key, (*heavy.shape, 3))
    direction = direction / jnp.linalg.norm(direction, axis=-1, keepdims=True)
    products = []
    for sign, each in ((1, first), (-1, second)):
        energy = jnp.sqrt(momentum**2 + jnp.square(each))
        at_rest = jnp.concatenate([energy[..., None], sign * momentum[..., None] * direction], axis=-1)
        products.append(boost(at_rest, parent))
    return products[0], products[1]

"""Relativistic kinematics of two-body decays. Four-vectors are arrays (..., 4) of E, px, py, pz in GeV."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

FourVector = Float[Array, "*axis 4"]


@jax.jit
def four_vector(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, mass: ArrayLike) -> FourVector:
    """Of transverse momentum, pseudorapidity, azimuth and mass."""
    px, py, pz = pt * jnp.cos(phi), pt * jnp.sin(phi), pt * jnp.sinh(eta)
    energy = jnp.sqrt((pt * jnp.cosh(eta)) ** 2 + jnp.square(mass))
    return jnp.stack(jnp.broadcast_arrays(energy, px, py, pz), axis=-1)


@jax.jit
def mass(vector: FourVector) -> Float[Array, "*axis"]:
    """Invariant mass; 0 where rounding makes its square negative."""
    squares = vector**2
    return jnp.sqrt(jnp.maximum(squares[..., 0] - squares[..., 1:].sum(axis=-1), 0.0))


@jax.jit
def transverse_momentum(vector: FourVector) -> Float[Array, "*axis"]:
    """Momentum across the beam."""
    return jnp.hypot(vector[..., 1], vector[..., 2])


@jax.jit
def pseudorapidity(vector: FourVector) -> Float[Array, "*axis"]:
    """arsinh(pz / pt); infinite along the beam."""
    return jnp.arcsinh(vector[..., 3] / transverse_momentum(vector))


@jax.jit
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


@jax.jit
def decay(
    key: Key[Array, ""],
    parent: FourVector,
    first: ArrayLike,
    second: ArrayLike,
    direction: Float[Array, "*axis 3"] | None = None,
) -> tuple[FourVector, FourVector]:
    """Two products of so much mass, isotropic in the rest frame of their parent or in a given direction there.

    Their momentum there is sqrt[(M² - (m1 + m2)²)(M² - (m1 - m2)²)] / 2M (PDG review "Kinematics", eq. 49.17); 0 where
    the parent is too light. Without a direction the key decides; with one it is not looked at.
    """
    heavy = mass(parent)
    product = (heavy**2 - jnp.square(first + second)) * (heavy**2 - jnp.square(first - second))
    momentum = jnp.sqrt(jnp.maximum(product, 0.0)) / (2 * heavy)
    if direction is None:
        direction = jax.random.normal(key, (*heavy.shape, 3))
        direction = direction / jnp.linalg.norm(direction, axis=-1, keepdims=True)
    products = []
    for sign, each in ((1, first), (-1, second)):
        energy = jnp.sqrt(momentum**2 + jnp.square(each))
        at_rest = jnp.concatenate([energy[..., None], sign * momentum[..., None] * direction], axis=-1)
        products.append(boost(at_rest, parent))
    return products[0], products[1]


@partial(jax.jit, static_argnums=1)
def draw_forward_directions(key: Key[Array, ""], shape: tuple[int, ...], forward: ArrayLike) -> Float[Array, "*axis 3"]:
    """Directions whose cosine c to the beam has the density 1 / (1 - a² c²), up to normalisation, with a = `forward`.

    Drawn as c = tanh(u artanh a) / a with u uniform in (-1, 1); a between 0, where it would be isotropic, and 1.
    """
    polar, azimuth = jax.random.split(key)
    cosine = jnp.tanh(jax.random.uniform(polar, shape, minval=-1.0) * jnp.arctanh(forward)) / forward
    phi = jax.random.uniform(azimuth, shape, minval=-jnp.pi, maxval=jnp.pi)
    sine = jnp.sqrt(jnp.maximum(1 - cosine**2, 0.0))
    return jnp.stack([sine * jnp.cos(phi), sine * jnp.sin(phi), cosine], axis=-1)


@jax.jit
def delta_r(first: FourVector, second: FourVector) -> Float[Array, "*axis"]:
    """Delta R, the distance of two directions in pseudorapidity and azimuth."""
    phi = jnp.arctan2(first[..., 2], first[..., 1]) - jnp.arctan2(second[..., 2], second[..., 1])
    around = jnp.abs(jnp.arctan2(jnp.sin(phi), jnp.cos(phi)))
    return jnp.hypot(around, pseudorapidity(first) - pseudorapidity(second))

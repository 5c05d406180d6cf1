"""Relativistic kinematics of two-body decays. Four-vectors are arrays (..., 4) of E, px, py, pz in GeV."""

from functools import partial

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

FourVector = Float[Array, "*axis 4"]


@jax.jit
def four_vector(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, mass: ArrayLike) -> FourVector:
    """Return the four-vector of a particle.

    Args:
        pt: Transverse momentum in GeV.
        eta: Pseudorapidity.
        phi: Azimuth in rad.
        mass: Mass in GeV.
    """
    px, py, pz = pt * jnp.cos(phi), pt * jnp.sin(phi), pt * jnp.sinh(eta)
    energy = jnp.sqrt((pt * jnp.cosh(eta)) ** 2 + jnp.square(mass))
    return jnp.stack(jnp.broadcast_arrays(energy, px, py, pz), axis=-1)


@jax.jit
def mass(vector: FourVector) -> Float[Array, "*axis"]:
    """Invariant mass in GeV; 0 where rounding makes its square negative."""
    squares = vector**2
    return jnp.sqrt(jnp.maximum(squares[..., 0] - squares[..., 1:].sum(axis=-1), 0.0))


@jax.jit
def transverse_momentum(vector: FourVector) -> Float[Array, "*axis"]:
    """Momentum transverse to the beam, in GeV."""
    return jnp.hypot(vector[..., 1], vector[..., 2])


@jax.jit
def pseudorapidity(vector: FourVector) -> Float[Array, "*axis"]:
    """Pseudorapidity arsinh(pz / pt); infinite along the beam."""
    return jnp.arcsinh(vector[..., 3] / transverse_momentum(vector))


@jax.jit
def boost(vector: FourVector, frame: FourVector) -> FourVector:
    """Boost a vector out of the rest frame of `frame` (PDG review "Kinematics", 49.1).

    With p the momentum of the frame, E its energy and M its mass: E' = (E e + p.q) / M and
    q' = q + p (p.q / (M (E + M)) + e / M).

    Args:
        vector: Four-vector (e, q) in the rest frame of `frame`.
        frame: Four-vector of the frame in the laboratory.

    Returns:
        Four-vector in the laboratory.
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
    """Decay particles into two products, isotropically or in a given direction in the rest frame of the parent.

    The momentum of the products in that frame is sqrt[(M² - (m1 + m2)²)(M² - (m1 - m2)²)] / 2M (PDG review
    "Kinematics", eq. 49.17), or 0 if the parent is too light.

    Args:
        key: Source of randomness; unused if a direction is given.
        parent: Four-vectors of the parents.
        first: Mass of the first product in GeV.
        second: Mass of the second product in GeV.
        direction: Unit vectors of the first product in the rest frame; isotropic by default.

    Returns:
        Four-vectors of both products.
    """
    heavy = mass(parent)
    product = (heavy**2 - jnp.square(first + second)) * (heavy**2 - jnp.square(first - second))
    momentum = jnp.sqrt(jnp.maximum(product, 0.0)) / (2 * heavy)
    if direction is None:
        direction = jax.random.normal(key, (*heavy.shape, 3))
        direction = direction / jnp.linalg.norm(direction, axis=-1, keepdims=True)
    products = []
    for sign, product_mass in ((1, first), (-1, second)):
        energy = jnp.sqrt(momentum**2 + jnp.square(product_mass))
        at_rest = jnp.concatenate([energy[..., None], sign * momentum[..., None] * direction], axis=-1)
        products.append(boost(at_rest, parent))
    return products[0], products[1]


@partial(jax.jit, static_argnums=1)
def draw_forward_directions(key: Key[Array, ""], shape: tuple[int, ...], forward: ArrayLike) -> Float[Array, "*axis 3"]:
    """Draw directions whose cosine c to the beam has a density proportional to 1 / (1 - a² c²).

    With u uniform in (-1, 1), c = tanh(u artanh a) / a.

    Args:
        key: Source of randomness.
        shape: Shape of the result without its last axis.
        forward: Parameter a, between 0 (isotropic) and 1 (along the beam), both excluded.
    """
    polar, azimuth = jax.random.split(key)
    cosine = jnp.tanh(jax.random.uniform(polar, shape, minval=-1.0) * jnp.arctanh(forward)) / forward
    phi = jax.random.uniform(azimuth, shape, minval=-jnp.pi, maxval=jnp.pi)
    sine = jnp.sqrt(jnp.maximum(1 - cosine**2, 0.0))
    return jnp.stack([sine * jnp.cos(phi), sine * jnp.sin(phi), cosine], axis=-1)


@jax.jit
def delta_r(first: FourVector, second: FourVector) -> Float[Array, "*axis"]:
    """Delta R, the distance between two directions in pseudorapidity and azimuth."""
    phi = jnp.arctan2(first[..., 2], first[..., 1]) - jnp.arctan2(second[..., 2], second[..., 1])
    wrapped = jnp.abs(jnp.arctan2(jnp.sin(phi), jnp.cos(phi)))
    return jnp.hypot(wrapped, pseudorapidity(first) - pseudorapidity(second))

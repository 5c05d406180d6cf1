"""Scalar transforms of coupling layers, whose parameters are outputs of a network.

With all parameters zero, each transform is the identity. The paper's quadratic (contrastive flows eq. 16) is not
one-to-one: two values share an image, so that its "density" may integrate to up to two for each such layer. The
hyperbolic and the clipped quadratic have its curvature around zero and are monotone everywhere (ours).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection, RationalQuadraticSpline
from jaxtyping import Array, Float

MAX_LOG_SCALE = 2.0
"""Largest logarithm of a scale, so that no layer diverges; the paper gives none."""

MAX_BEND = 0.98
"""Largest curvature parameter of the monotone transforms; at 1 they would not be one-to-one."""

SLOPE_OFFSET = 1e-8
"""Added to the slope of the quadratic, whose logarithm is infinite at its vertex."""

Scalar = Float[Array, ""]
RawParameters = Float[Array, " raw"]


class _ScalarTransform(AbstractBijection):
    """Transform of one variable with three parameters."""

    raw: RawParameters
    shape: tuple[int, ...] = eqx.field(default=(), static=True)
    cond_shape: None = eqx.field(default=None, static=True)

    def __init__(self) -> None:
        self.raw = jnp.zeros(3)


class GatedAffine(_ScalarTransform):
    """Gated affine transform y = g (u e^s + t) + (1 - g) u, gate g between 0 and 1 (contrastive flows eq. 15)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the image y and log dy/du."""
        slope, shift = self._line()
        return slope * x + shift, jnp.log(slope)

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the argument u and log du/dy."""
        slope, shift = self._line()
        return (y - shift) / slope, -jnp.log(slope)

    def _line(self) -> tuple[Scalar, Scalar]:
        gate, scale = jax.nn.sigmoid(self.raw[0]), jnp.exp(MAX_LOG_SCALE * jnp.tanh(self.raw[1]))
        return gate * scale + 1 - gate, gate * self.raw[2]


class LiteralQuadratic(_ScalarTransform):
    """Quadratic transform y = a u² / 2 + b u + c as printed (contrastive flows eq. 16), with its vertex at u = -b / a.

    The inverse is the root on the side where a u + b > 0; for y beyond the image, it is the vertex.
    """

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the image y and log |dy/du|."""
        a, b, c = self.raw[0], 1 + self.raw[1], self.raw[2]
        return a * x**2 / 2 + b * x + c, jnp.log(jnp.abs(a * x + b) + SLOPE_OFFSET)

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the root u on one side of the vertex, and log |du/dy|."""
        a, b, c = self.raw[0], 1 + self.raw[1], self.raw[2]
        slope = jnp.sqrt(jnp.maximum(b**2 + 2 * a * (y - c), 0.0))
        # (slope - b) / a and its limit at a = 0, without cancellation
        straight = jnp.abs(b + slope) > jnp.abs(slope - b)
        root = jnp.where(
            straight,
            2 * (y - c) / jnp.where(straight, b + slope, 1.0),
            (slope - b) / jnp.where(straight, 1.0, a),
        )
        return root, -jnp.log(slope + SLOPE_OFFSET)


class _Monotone(_ScalarTransform):
    """Monotone transform y = c + b [u + r w(u)]: b > 0, |r| < 1, and w even with slopes between -1 and 1."""

    def _parameters(self) -> tuple[Scalar, Scalar, Scalar]:
        return jnp.exp(MAX_LOG_SCALE * jnp.tanh(self.raw[0])), MAX_BEND * jnp.tanh(self.raw[1]), self.raw[2]


class Hyperbolic(_Monotone):
    """Hyperbolic transform with w(u) = sqrt(1 + u²) - 1, which is u² / 2 near zero and |u| far away (ours)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the image y and log dy/du."""
        b, r, c = self._parameters()
        root = jnp.sqrt(1 + x**2)
        return c + b * (x + r * (root - 1)), jnp.log(b * (1 + r * x / root))

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return u = (v - r sqrt(v² + 1 - r²)) / (1 - r²) with v = (y - c) / b + r, and log du/dy."""
        b, r, c = self._parameters()
        v = (y - c) / b + r
        u = (v - r * jnp.sqrt(v**2 + 1 - r**2)) / (1 - r**2)
        return u, -jnp.log(b * (1 + r * u / jnp.sqrt(1 + u**2)))


class ClippedQuadratic(_Monotone):
    """Quadratic transform with w(u) = u² / 2 for |u| < 1, and linear beyond (ours)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return the image y and log dy/du."""
        b, r, c = self._parameters()
        near = jnp.clip(x, -1.0, 1.0)
        return c + b * (x + r * (near * x - near**2 / 2)), jnp.log(b * (1 + r * near))

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """Return u, from the quadratic where |u| < 1 and from the lines beyond, and log du/dy."""
        b, r, c = self._parameters()
        v = (y - c) / b
        middle = v - r / 2  # from -1 to 1 in the quadratic part
        beyond = (v + r / 2) / (1 + r * jnp.sign(middle))
        root = jnp.sqrt(jnp.maximum(1 + 2 * r * v, (1 - MAX_BEND) ** 2))  # its smallest value in the quadratic part
        u = jnp.where(jnp.abs(middle) > 1, beyond, 2 * v / (1 + root))
        return u, -jnp.log(b * (1 + r * jnp.clip(u, -1.0, 1.0)))


SPLINE_SETTINGS = {"knots": 8, "interval": 4.0}
TRANSFORMS = {
    "gated_affine": GatedAffine,
    "quadratic_literal": LiteralQuadratic,
    "hyperbolic": Hyperbolic,
    "quadratic_clipped": ClippedQuadratic,
    "spline": lambda: RationalQuadraticSpline(**SPLINE_SETTINGS),
}


def make_transform(name: str) -> AbstractBijection:
    """Make a scalar transform, initialised as the identity.

    Args:
        name: Name in `TRANSFORMS`.

    Returns:
        The transform.

    Raises:
        ValueError: The name is unknown.
    """
    if name not in TRANSFORMS:
        raise ValueError(f"coupling {name!r} is unknown; choose from {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name]()

"""How a coupling layer transforms a variable: scalar bijections whose parameters a network gives.

Parameters are what the network says of the other variables; at zero each transform is the identity. The paper's
quadratic (contrastive flows eq. 16) is none of them: two values share an image, so that its "density" integrates to
anything up to two for each such layer. The hyperbolic and the clipped one bend as it does around zero and are monotone
everywhere (ours).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from flowjax.bijections import AbstractBijection, RationalQuadraticSpline
from jaxtyping import Array, Float

MAX_LOG_SCALE = 2.0
"""Largest logarithm of a scale, so that no layer can blow up; the paper says nothing."""

MAX_BEND = 0.98
"""Largest bend of the monotone transforms; at 1 they would fold."""

SLOPE_OFFSET = 1e-8
"""Added to the slope of the quadratic, whose logarithm is infinite at its fold."""

Scalar = Float[Array, ""]
RawParameters = Float[Array, " raw"]


class _Scalar(AbstractBijection):
    """A transform of one variable with three parameters."""

    raw: RawParameters
    shape: tuple[int, ...] = eqx.field(default=(), static=True)
    cond_shape: None = eqx.field(default=None, static=True)

    def __init__(self) -> None:
        self.raw = jnp.zeros(3)


class GatedAffine(_Scalar):
    """y = g (u e^s + t) + (1 - g) u with a gate g between 0 and 1 (contrastive flows eq. 15)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The image y, and log dy/du."""
        slope, shift = self._line()
        return slope * x + shift, jnp.log(slope)

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The argument u, and log du/dy."""
        slope, shift = self._line()
        return (y - shift) / slope, -jnp.log(slope)

    def _line(self) -> tuple[Scalar, Scalar]:
        gate, scale = jax.nn.sigmoid(self.raw[0]), jnp.exp(MAX_LOG_SCALE * jnp.tanh(self.raw[1]))
        return gate * scale + 1 - gate, gate * self.raw[2]


class LiteralQuadratic(_Scalar):
    """y = a u² / 2 + b u + c as printed (contrastive flows eq. 16), which folds at u = -b / a.

    What is called its inverse is the root on the side where a u + b > 0; beyond the fold's image, the fold.
    """

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The image y, and log |dy/du|."""
        a, b, c = self.raw[0], 1 + self.raw[1], self.raw[2]
        return a * x**2 / 2 + b * x + c, jnp.log(jnp.abs(a * x + b) + SLOPE_OFFSET)

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The argument u on one side of the fold, and log |du/dy| there."""
        a, b, c = self.raw[0], 1 + self.raw[1], self.raw[2]
        slope = jnp.sqrt(jnp.maximum(b**2 + 2 * a * (y - c), 0.0))
        # (slope - b) / a and its limit at a = 0, without the difference of like numbers where there is none
        straight = jnp.abs(b + slope) > jnp.abs(slope - b)
        root = jnp.where(
            straight,
            2 * (y - c) / jnp.where(straight, b + slope, 1.0),
            (slope - b) / jnp.where(straight, 1.0, a),
        )
        return root, -jnp.log(slope + SLOPE_OFFSET)


class _Bent(_Scalar):
    """y = c + b [u + r w(u)] with b > 0 and |r| < 1, where w is even and its slope lies between -1 and 1."""

    def _parameters(self) -> tuple[Scalar, Scalar, Scalar]:
        return jnp.exp(MAX_LOG_SCALE * jnp.tanh(self.raw[0])), MAX_BEND * jnp.tanh(self.raw[1]), self.raw[2]


class Hyperbolic(_Bent):
    """w(u) = sqrt(1 + u²) - 1, which is u² / 2 near zero and |u| far away (ours)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The image y, and log dy/du."""
        b, r, c = self._parameters()
        root = jnp.sqrt(1 + x**2)
        return c + b * (x + r * (root - 1)), jnp.log(b * (1 + r * x / root))

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The argument (v - r sqrt(v² + 1 - r²)) / (1 - r²) with v = (y - c) / b + r, and log du/dy."""
        b, r, c = self._parameters()
        v = (y - c) / b + r
        u = (v - r * jnp.sqrt(v**2 + 1 - r**2)) / (1 - r**2)
        return u, -jnp.log(b * (1 + r * u / jnp.sqrt(1 + u**2)))


class ClippedQuadratic(_Bent):
    """w(u) = u² / 2 within one standard deviation, and straight beyond (ours)."""

    def transform_and_log_det(self, x: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The image y, and log dy/du."""
        b, r, c = self._parameters()
        near = jnp.clip(x, -1.0, 1.0)
        return c + b * (x + r * (near * x - near**2 / 2)), jnp.log(b * (1 + r * near))

    def inverse_and_log_det(self, y: Scalar, condition: None = None) -> tuple[Scalar, Scalar]:
        """The argument u, from the quadratic within and from the lines beyond, and log du/dy."""
        b, r, c = self._parameters()
        v = (y - c) / b
        middle = v - r / 2  # from -1 to 1 within
        beyond = (v + r / 2) / (1 + r * jnp.sign(middle))
        root = jnp.sqrt(jnp.maximum(1 + 2 * r * v, (1 - MAX_BEND) ** 2))  # its least value within
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
    """The scalar transform of a name, at the identity.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in TRANSFORMS:
        raise ValueError(f"coupling {name!r} is unknown; choose from {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name]()

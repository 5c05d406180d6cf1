"""Neural networks that turn an event into one number."""

from collections.abc import Sequence

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float


class Observable(nn.Module):
    """A learnable summary statistic: an event in, the logit of its score out.

    Dense layers with ReLU between them; the score is the sigmoid of what comes out (neos Appendix A). The logit is
    returned because cross-entropy of a saturated sigmoid loses its gradient.

    Attributes:
        widths: Sizes of the hidden layers; the last layer of size one comes on top.
    """

    widths: Sequence[int]

    @nn.compact
    def __call__(self, features: Float[Array, "... feature"]) -> Float[Array, "..."]:
        """Logit of the score of each event, in float32."""
        hidden = features.astype(jnp.float32)
        for width in self.widths:
            hidden = nn.relu(nn.Dense(width)(hidden))
        return nn.Dense(1)(hidden)[..., 0]

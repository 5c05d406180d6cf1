"""Contrastive flows of handwritten digits, to look at (contrastive flows Appendix C).

The digits are the 1797 of 8 x 8 pixels that come with scikit-learn, where the paper has those of MNIST.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Float
from scipy import ndimage
from sklearn.datasets import load_digits

from diffhep import prng
from diffhep.flows import contrastive
from diffhep.flows import flow as flows_flow
from diffhep.studies.contrastive.gaussians import split_pairs

MAX_SHADE = 16
"""Of the shades of grey."""

IMAGE_SHAPE = (8, 8)

TRAINED, VALIDATED = 0.75, 0.2
"""Share of the images that are trained on, and share of their copies that validate."""


def load_images(settings: Mapping, digit: int) -> tuple[Float[np.ndarray, "_ pixel"], Float[np.ndarray, "_ pixel"]]:
    """Images of one digit for training and for tests, pixels from 0 to 1.

    There are some 180 of each digit, too few for a flow: each that is trained on stands there `copies` times, turned
    and moved a little. All have normal noise, for the density of single shades would be infinite.

    Args:
        settings: `copies`; `turned` by up to so many degrees, `moved` by up to so many pixels; `noise`; `seed`.
        digit: 0 to 9.
    """
    rng, loaded = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_DIGITS, digit]), load_digits()
    chosen = rng.permutation(loaded.images[loaded.target == digit]) / MAX_SHADE
    seen, kept = np.split(chosen, [round(TRAINED * len(chosen))])
    seen = np.stack([_moved(settings, image, rng) for _ in range(settings["copies"]) for image in seen])
    flat = (each.reshape(len(each), -1) for each in (seen, kept))
    return tuple(each + settings["noise"] * rng.normal(size=each.shape) for each in flat)


def _moved(settings: Mapping, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angle, shift = rng.uniform(-1, 1), rng.uniform(-1, 1, size=2)
    turned = ndimage.rotate(image, settings["turned"] * angle, reshape=False, order=1)
    return ndimage.shift(turned, settings["moved"] * shift, order=1)


def train(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a flow of one digit that shuns another.

    Args:
        settings: As for `gaussian_classes.train` and `load_images`; the `digits` that are wanted and shunned.
        checkpoint: As in `training.train`.
    """
    both = [load_images(settings, digit)[0] for digit in settings["digits"]]
    number = min(map(len, both))
    valid = np.arange(number) >= round((1 - VALIDATED) * number)  # other copies of the same images: there are too few
    seen = split_pairs(np.stack([each[:number] for each in both]), valid, settings["seed"])
    return contrastive.train(settings, *seen, checkpoint=checkpoint)


def generate_images(settings: dict, flows_of: dict[str, xr.Dataset]) -> xr.Dataset:
    """Images that flows make.

    Args:
        settings: `flow`; `shown`, how many; `seed`.
        flows_of: Results of `train`.

    Returns:
        `image` (flow, image, y, x).
    """
    found = []
    for trained in flows_of.values():
        flow, parameters = contrastive.restore(settings["flow"], trained)
        key = prng.key(settings["seed"], prng.CONTRASTIVE_DIGIT_SAMPLES)
        drawn = flows_flow.sample(flow, parameters, np.zeros(0), settings["shown"], key=key)
        found.append(np.asarray(drawn).reshape(settings["shown"], *IMAGE_SHAPE))
    return xr.Dataset({"image": (("flow", "image", "y", "x"), np.stack(found))}, coords={"flow": list(flows_of)})


def evaluate_images(settings: dict, trained: xr.Dataset) -> xr.Dataset:
    """Test images of both digits, by the density that the flow gives them.

    Args:
        settings: As for `load_images`; `flow` and `floor`; the `digits` that are wanted and shunned.
        trained: Result of `train`.

    Returns:
        `image` (image, y, x), `wanted` (image), and `log_density` (image), of pixels scaled as in training, sorted by
        it, the largest first; and the `floor` of training: what lies below is none of the wanted.
    """
    both = [load_images(settings, digit)[1] for digit in settings["digits"]]
    every = np.concatenate(both)
    found = contrastive.log_density_function(settings["flow"], every.shape[-1])(trained, every)
    found = found + np.log(trained["event_width"].values).sum()
    order, wanted = np.argsort(-found), np.arange(len(every)) < len(both[0])
    return xr.Dataset({
        "image": (("image", "y", "x"), every[order].reshape(-1, *IMAGE_SHAPE)),
        "wanted": ("image", wanted[order]),
        "log_density": ("image", found[order]),
        "floor": settings["floor"],
    })  # fmt: skip

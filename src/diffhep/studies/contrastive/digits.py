"""Contrastive flows of handwritten digits (contrastive flows Appendix C).

The digits are the 1797 images of 8 x 8 pixels that come with scikit-learn; the paper uses MNIST.
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
from diffhep.studies.contrastive.gaussians import split_samples

MAX_SHADE = 16
"""Largest shade of grey in scikit-learn's images."""

IMAGE_SHAPE = (8, 8)

TRAINING_SHARE, VALIDATION_SHARE = 0.75, 0.2
"""Share of the images for training (the rest are test images), and share of their copies that validate."""


def load_images(settings: Mapping, digit: int) -> tuple[Float[np.ndarray, "_ pixel"], Float[np.ndarray, "_ pixel"]]:
    """Load training and test images of one digit.

    There are about 180 images of each digit, too few for a flow: training images are repeated as rotated and shifted
    copies. Normal noise is added to all images, because the density of discrete shades would be infinite.

    Args:
        settings: `copies` of each training image; `turned` and `moved`, the largest rotation in degrees and shift in
            pixels; standard deviation of the `noise`; `seed`.
        digit: Digit, 0 to 9.

    Returns:
        Training and test images, pixels from 0 to 1 before the noise.
    """
    rng, digits = np.random.default_rng([settings["seed"], prng.CONTRASTIVE_DIGITS, digit]), load_digits()
    images = rng.permutation(digits.images[digits.target == digit]) / MAX_SHADE
    seen, test = np.split(images, [round(TRAINING_SHARE * len(images))])
    seen = np.stack([_move(settings, image, rng) for _ in range(settings["copies"]) for image in seen])
    flat = (part.reshape(len(part), -1) for part in (seen, test))
    return tuple(part + settings["noise"] * rng.normal(size=part.shape) for part in flat)


def _move(settings: Mapping, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rotate and shift an image at random."""
    angle, shift = rng.uniform(-1, 1), rng.uniform(-1, 1, size=2)
    turned = ndimage.rotate(image, settings["turned"] * angle, reshape=False, order=1)
    return ndimage.shift(turned, settings["moved"] * shift, order=1)


def train(settings: dict, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a contrastive flow of one digit against another.

    Args:
        settings: Settings of `flows.contrastive.train` and `load_images`; `digits`, the signal and the background
            digit.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.contrastive.train`.
    """
    classes = [load_images(settings, digit)[0] for digit in settings["digits"]]
    number = min(map(len, classes))
    # validation images are other copies of the training images, because there are too few images
    valid = np.arange(number) >= round((1 - VALIDATION_SHARE) * number)
    samples = split_samples(np.stack([images[:number] for images in classes]), valid, settings["seed"])
    return contrastive.train(settings, *samples, checkpoint=checkpoint)


def generate_images(settings: dict, flows: dict[str, xr.Dataset]) -> xr.Dataset:
    """Sample images from trained flows.

    Args:
        settings: `flow` (settings of `coupling_flow`); `figure_images`, the number of images of each flow; `seed`.
        flows: Results of `train`.

    Returns:
        `image` (flow, image, y, x).
    """
    images = []
    for trained in flows.values():
        flow, parameters = contrastive.restore(settings["flow"], trained)
        key = prng.key(settings["seed"], prng.CONTRASTIVE_DIGIT_SAMPLES)
        sample = flows_flow.sample(flow, parameters, np.zeros(0), settings["figure_images"], key=key)
        images.append(np.asarray(sample).reshape(settings["figure_images"], *IMAGE_SHAPE))
    return xr.Dataset({"image": (("flow", "image", "y", "x"), np.stack(images))}, coords={"flow": list(flows)})


def evaluate_images(settings: dict, trained: xr.Dataset) -> xr.Dataset:
    """Evaluate the density of the test images of both digits.

    Args:
        settings: Settings of `load_images`; `flow` (settings of `coupling_flow`) and `floor` of the loss; `digits`, the
            signal and the background digit.
        trained: Result of `train`.

    Returns:
        In decreasing order of their density: `image` (image, y, x), `is_signal` (image), and `log_density` (image) of
        pixels scaled as in training. And the `floor` of the loss; images below it are classified as background.
    """
    classes = [load_images(settings, digit)[1] for digit in settings["digits"]]
    images = np.concatenate(classes)
    log_density = contrastive.log_density_function(settings["flow"], images.shape[-1])(trained, images)
    log_density = log_density + np.log(trained["event_width"].values).sum()
    order, is_signal = np.argsort(-log_density), np.arange(len(images)) < len(classes[0])
    return xr.Dataset({
        "image": (("image", "y", "x"), images[order].reshape(-1, *IMAGE_SHAPE)),
        "is_signal": ("image", is_signal[order]),
        "log_density": ("image", log_density[order]),
        "floor": settings["floor"],
    })  # fmt: skip

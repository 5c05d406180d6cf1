"""Training and test images of digits stay apart, and test images are sorted by their density."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.merging import merge
from diffhep.studies.contrastive import digits

SETTINGS = study_settings("contrastive", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
IMAGES = SETTINGS["digits"]["images"] | {"seed": 0, "digits": [0, 8]}
TRAINING = merge(SETTINGS["flow"], SETTINGS["digits"]["training"])


@pytest.fixture(scope="module")
def trained():
    return digits.train(TRAINING | SEEDS | IMAGES | {"strength": 2.0})


def test_test_images_are_not_copies_of_training_images():
    unchanged = IMAGES | {"turned": 0.0, "moved": 0.0, "noise": 1e-6, "copies": 3}
    seen, test = digits.load_images(unchanged, 0)
    assert len(seen) == 3 * round(0.75 * 178) and len(test) == 178 - round(0.75 * 178)
    assert np.abs(seen[:, None] - test).max(axis=-1).min() > 0.01
    np.testing.assert_allclose(seen[:134], seen[134:268], atol=1e-4)
    assert seen.min() > -0.01 and seen.max() < 1.01


def test_copies_are_similar_to_their_image():
    seen = digits.load_images(IMAGES | {"noise": 1e-6}, 8)[0]
    first, again = np.split(seen, 2)
    assert (np.abs(first - again).max(axis=-1) > 0.01).all()
    apart = np.abs(first - again).mean(axis=-1), np.abs(first - np.roll(again, 1, axis=0)).mean(axis=-1)
    assert np.median(apart[0]) < np.median(apart[1])


def test_generated_images_have_finite_pixels(trained):
    settings = {"seed": 0, "flow": TRAINING["flow"], "figure_images": 5}
    found = digits.generate_images(settings, {"2.0": trained})
    assert found["image"].shape == (1, 5, 8, 8) and np.isfinite(found["image"]).all()


def test_test_images_are_sorted_by_their_density_in_scaled_pixels(trained):
    found = digits.evaluate_images(IMAGES | {"flow": TRAINING["flow"], "floor": -500.0}, trained)
    assert (np.diff(found["log_density"]) <= 0).all() and float(found["floor"]) == -500.0
    test = [digits.load_images(IMAGES, digit)[1] for digit in (0, 8)]
    assert int(found["is_signal"].sum()) == len(test[0]) and found.sizes["image"] == sum(map(len, test))
    signal = found["image"].values[found["is_signal"].values].reshape(-1, 64)
    np.testing.assert_allclose(np.sort(signal.sum(axis=1)), np.sort(test[0].sum(axis=1)))
    assert -300 < float(found["log_density"].median()) < -50  # of 64 pixels of unit width

"""Two normal classes have the densities, distortions and accuracies of the paper (sections 4, 5 and B)."""

import numpy as np
import pytest
from scipy import stats
from support.study_settings import study_settings

from diffhep.data import gaussian_classes

SETTINGS = study_settings("contrastive")
CLASSES = gaussian_classes.build_classes(SETTINGS["gaussians"])
EMBEDDING = gaussian_classes.draw_embedding(np.random.default_rng(0), 5)
ANGLES = np.pi * np.arange(7) / 12
SMALL = np.pi * np.linspace(-1, 1, 7) / 5


@pytest.fixture(scope="module")
def drawn():
    return gaussian_classes.draw(np.random.default_rng(1), CLASSES, 100_000)


def test_events_have_the_moments_of_their_class(drawn):
    np.testing.assert_allclose(drawn.mean(axis=1), CLASSES.means, atol=0.05)
    np.testing.assert_allclose([np.cov(events.T) for events in drawn], CLASSES.covariances, atol=0.25)


def test_densities_are_those_of_both_classes(drawn):
    log_densities = gaussian_classes.log_densities(CLASSES, drawn[0, :5])
    expected = [stats.multivariate_normal(*each).logpdf(drawn[0, :5]) for each in zip(*CLASSES, strict=True)]
    np.testing.assert_allclose(log_densities, expected)
    averaged = gaussian_classes.averaged_log_densities([CLASSES, gaussian_classes.rotate(CLASSES, 1.0)], drawn[0, :5])
    other = gaussian_classes.log_densities(gaussian_classes.rotate(CLASSES, 1.0), drawn[0, :5])
    np.testing.assert_allclose(np.exp(averaged), (np.exp(log_densities) + np.exp(other)) / 2)


def test_rotation_transforms_means_and_covariances():
    turned = gaussian_classes.rotate(CLASSES, np.pi / 2)
    np.testing.assert_allclose(turned.means[0], [-2.5, -3.25])
    np.testing.assert_allclose(turned.covariances[0], [[13.06, -2.19], [-2.19, 2.58]])


def test_orthogonal_factors_are_continuous_in_the_matrix():
    result = np.stack(
        [
            gaussian_classes.orthogonal_factor(EMBEDDING.mixing + t * EMBEDDING.deformation)
            for t in np.linspace(0, 0.5, 501)
        ]
    )
    np.testing.assert_allclose(result @ np.swapaxes(result, 1, 2), np.broadcast_to(np.eye(5), result.shape), atol=1e-12)
    assert np.abs(np.diff(result, axis=0)).max() < 0.05


@pytest.mark.parametrize("kind", ["rotation", "deformation"])
def test_embedding_preserves_the_likelihood_ratio(kind):
    """Added variables are equally distributed in both classes, and a known distortion loses no information."""
    rng = np.random.default_rng(2)
    distorted = gaussian_classes.distort(CLASSES, EMBEDDING, kind, 0.3)
    turned = gaussian_classes.rotate(CLASSES, 0.3) if kind == "rotation" else CLASSES
    events = gaussian_classes.draw(rng, distorted, 50)
    mixing = EMBEDDING.mixing + (0.3 * EMBEDDING.deformation if kind == "deformation" else 0)
    plane = (events @ gaussian_classes.orthogonal_factor(mixing))[..., :2]
    ratio, expected = (
        np.subtract(*gaussian_classes.log_densities(*each)) for each in ((distorted, events), (turned, plane))
    )
    np.testing.assert_allclose(ratio, expected, atol=1e-8)


def test_kinds_of_distortion_agree_at_zero():
    turned, deformed = (gaussian_classes.distort(CLASSES, EMBEDDING, kind, 0.0) for kind in ("rotation", "deformation"))
    np.testing.assert_allclose(turned.means, deformed.means, atol=1e-12)
    np.testing.assert_allclose(turned.covariances, deformed.covariances, atol=1e-12)
    with pytest.raises(ValueError, match="distortion 'shear' is unknown; choose rotation or deformation"):
        gaussian_classes.distort(CLASSES, EMBEDDING, "shear", 0.0)


@pytest.mark.parametrize(
    ("strength", "norm", "signal", "background"),
    [
        (0.1, 0.928, 0.987, 0.585),
        (0.5, 0.765, 0.917, 0.301),
        (1.0, 0.645, 0.840, 0.193),
        (2.0, 0.499, 0.722, 0.110),
        (10.0, 0.164, 0.327, 0.016),
        (20.0, 0.073, 0.173, 0.005),
    ],
)
def test_norm_and_support_of_the_optimal_density(drawn, strength, norm, signal, background):
    """Eq. 10: lambda_c = E_s[max(1 - c p_b / p_s, 0)], and the fraction of both classes where p_s > c p_b."""
    log_signal, log_background = gaussian_classes.log_densities(CLASSES, drawn)
    difference = 1 - strength * np.exp(log_background - log_signal)
    assert np.maximum(difference[0], 0).mean() == pytest.approx(norm, abs=0.004)
    np.testing.assert_allclose((difference > 0).mean(axis=-1), [signal, background], atol=0.005)


def accuracies(predict, angles):
    """Accuracy of a classifier (log p of both classes) on events rotated by each of several angles."""
    rng, values = np.random.default_rng(3), []
    for angle in angles:
        ratio = np.subtract(*predict(gaussian_classes.draw(rng, gaussian_classes.rotate(CLASSES, angle), 30_000)))
        values.append(((ratio[0] > 0).mean() + (ratio[1] <= 0).mean()) / 2)
    return values


@pytest.mark.parametrize(
    ("angles", "plain", "averaged"),
    [
        (ANGLES, [0.825, 0.745, 0.608, 0.525, 0.471, 0.425, 0.382], [0.652, 0.704, 0.755, 0.788, 0.780, 0.736, 0.654]),
        (SMALL, [0.683, 0.734, 0.792, 0.825, 0.773, 0.657, 0.568], [0.678, 0.722, 0.768, 0.799, 0.799, 0.760, 0.679]),
    ],
    ids=["large", "small"],
)
def test_optimal_accuracies_by_angle_are_those_of_the_paper(angles, plain, averaged):
    result = accuracies(lambda events: gaussian_classes.log_densities(CLASSES, events), angles)
    np.testing.assert_allclose(result, plain, atol=0.007)
    several = [gaussian_classes.rotate(CLASSES, angle) for angle in np.linspace(angles[0], angles[-1], 25)]
    result = accuracies(lambda events: gaussian_classes.averaged_log_densities(several, events), angles)
    np.testing.assert_allclose(result, averaged, atol=0.015)

"""Ellipses have the covariance of their point, and histograms are densities of all finite values."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from diffhep.figures.painters import conditioning_points

MEANS, TRAINED = np.array([[0.0, 0.0], [3.0, 1.0], [6.0, 2.0]]), np.array([True, False, True])


@pytest.fixture
def axis():
    return Figure().subplots()


def test_parts_are_training_points_and_all_others():
    assert conditioning_points.in_part(TRAINED, "trained").tolist() == [True, False, True]
    assert conditioning_points.in_part(TRAINED, "unseen").tolist() == [False, True, False]


def test_points_on_an_ellipse_have_its_mahalanobis_distance(axis):
    covariance = np.array([[2.0, 0.8], [0.8, 1.0]])
    conditioning_points.covariance_ellipses(axis, MEANS[1:2], covariance[None])
    distances = []
    for ellipse in axis.patches:
        outline = ellipse.get_patch_transform().transform(ellipse.get_path().vertices[:-1:3])  # on the curve
        difference = outline - MEANS[1]
        distances.append(np.sqrt(np.einsum("ni,ij,nj->n", difference, np.linalg.inv(covariance), difference)))
    for distance, sigma in zip(distances, (1, 2, 3), strict=True):
        np.testing.assert_allclose(distance, sigma, rtol=1e-3)


def test_means_are_marked_by_part(axis):
    conditioning_points.mark_means(axis, MEANS, TRAINED)
    assert [line.get_xdata().tolist() for line in axis.lines] == [[0.0, 6.0], [3.0]]


def test_limits_have_room_for_three_standard_deviations(axis):
    conditioning_points.set_limits(axis, MEANS)
    assert axis.get_xlim()[0] < -3 and axis.get_xlim()[1] > 9 and axis.get_xlim() == axis.get_ylim()


def test_a_histogram_is_a_density_of_all_finite_values():
    values, edges = np.array([0.1, 0.2, 1.5, 9.0, np.nan]), np.array([0.0, 1.0, 3.0])
    np.testing.assert_allclose(conditioning_points.density_histogram(values, edges), [2 / 4, 1 / 4 / 2])


def test_a_normal_distribution_is_drawn_unless_its_width_is_unknown(axis):
    conditioning_points.draw_normal(axis, 0.5, 2.0, 4.0)
    conditioning_points.draw_normal(axis, 0.5, np.nan, 4.0)
    (line,) = axis.lines
    np.testing.assert_allclose(line.get_ydata(), stats.norm.pdf(line.get_xdata(), 0.5, 2.0))

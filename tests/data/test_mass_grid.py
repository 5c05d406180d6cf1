"""Mass points are the grid points at which the decay is allowed."""

import numpy as np
import pytest

from diffhep.data import mass_grid


def test_points_are_the_allowed_points_of_all_grids_without_duplicates():
    parts = {"dense": {"m_x": [200, 300], "m_s": [50, 75, 170]}, "sparse": {"m_x": [300, 500], "m_s": [170]}}
    points = mass_grid.mass_points(parts)
    np.testing.assert_array_equal(points, [[200, 50], [300, 50], [300, 75], [300, 170], [500, 170]])


def test_mesh_contains_its_last_mass():
    result = mass_grid.mass_mesh({"m_x": [200, 300, 50], "m_s": [50, 150, 50]})
    np.testing.assert_array_equal(result, [[200, 50], [250, 50], [250, 100], [300, 50], [300, 100], [300, 150]])


def test_selected_points_must_be_on_the_grid():
    points = mass_grid.mass_points({"all": {"m_x": [200, 300], "m_s": [50]}})
    np.testing.assert_array_equal(mass_grid.select_points(points, [[300, 50]]), [False, True])
    with pytest.raises(ValueError, match="m_X = 300, m_S = 60 GeV is no point of the grid"):
        mass_grid.select_points(points, [[300, 60]])


def test_a_grid_without_allowed_points_is_refused():
    with pytest.raises(ValueError, match=r"^nowhere is m_x more than m_s \+ 125 GeV: give larger m_x$"):
        mass_grid.mass_points({"all": {"m_x": [200], "m_s": [75, 100]}})

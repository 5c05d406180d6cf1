"""Mass points are where grids cross and energy allows the decay; what is chosen must be among them."""

import numpy as np
import pytest

from diffhep.data import mass_grid


def test_points_are_the_allowed_crossings_of_all_grids_once():
    parts = {"dense": {"m_x": [200, 300], "m_s": [50, 75, 170]}, "sparse": {"m_x": [300, 500], "m_s": [170]}}
    found = mass_grid.mass_points(parts)
    np.testing.assert_array_equal(found, [[200, 50], [300, 50], [300, 75], [300, 170], [500, 170]])


def test_a_mesh_has_its_last_mass():
    found = mass_grid.mass_mesh({"m_x": [200, 300, 50], "m_s": [50, 150, 50]})
    np.testing.assert_array_equal(found, [[200, 50], [250, 50], [250, 100], [300, 50], [300, 100], [300, 150]])


def test_what_is_chosen_must_be_a_point():
    points = mass_grid.mass_points({"all": {"m_x": [200, 300], "m_s": [50]}})
    np.testing.assert_array_equal(mass_grid.select_points(points, [[300, 50]]), [False, True])
    with pytest.raises(ValueError, match="m_X = 300, m_S = 60 GeV is no point of the grid"):
        mass_grid.select_points(points, [[300, 60]])


def test_a_grid_where_nothing_may_decay_is_told():
    with pytest.raises(ValueError, match=r"^nowhere is m_x more than m_s \+ 125 GeV: give larger m_x$"):
        mass_grid.mass_points({"all": {"m_x": [200], "m_s": [75, 100]}})

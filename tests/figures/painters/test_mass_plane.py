"""Points lie inside the limits, and the region in which X cannot decay is shaded."""

import numpy as np
from matplotlib.figure import Figure

from diffhep.figures.painters import mass_plane

MASSES = np.array([[200.0, 50.0], [300.0, 50.0], [400.0, 200.0]])


def test_all_points_lie_inside_the_limits_and_outside_the_forbidden_region():
    axes = list(Figure().subplots(1, 2))
    mass_plane.set_limits(axes, MASSES)
    for axis in axes:
        (low, high), (bottom, top) = axis.get_xlim(), axis.get_ylim()
        assert (MASSES[:, 0] > low).all() and (MASSES[:, 0] < high).all()
        assert (MASSES[:, 1] > bottom).all() and (MASSES[:, 1] < top).all()
        (forbidden,) = axis.collections
        (path,) = forbidden.get_paths()
        assert not path.contains_points(MASSES).any() and path.contains_point((200.0, 100.0))


def test_held_out_points_are_marked_as_unseen():
    axis = Figure().subplots()
    mass_plane.mark_points(axis, MASSES, np.array([False, True, False]))
    assert {line.get_label(): line.get_xdata().tolist() for line in axis.lines} == {
        "training points": [200.0, 400.0],
        "unseen points": [300.0],
    }


def test_a_point_is_labelled_with_both_masses():
    assert mass_plane.point_label(MASSES[2]) == "$m_X$ = 400, $m_S$ = 200 GeV"

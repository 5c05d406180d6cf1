"""Yields are interpolated with the kernel that cross-validation selects."""

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


def test_the_kernel_of_the_smallest_pull_interpolates_yields(signal, yields):
    assert yields.attrs["chosen"] == str(yields["kernel"].values[int(np.argmin(yields["pull"].values))])
    assert "WhiteKernel" in yields.attrs["fitted"]
    np.testing.assert_array_equal(yields["point_masses"], signal["masses"])
    known = ~signal["held_out"].values
    apart = np.abs(yields["point_yield"] - signal["yield"].values)
    assert apart[known].max() < 12 and apart.max() < 25
    assert yields["limit_masses"].values.tolist() == [[300, 100], [300, 150], [400, 100], [400, 150]]
    assert float(yields["corner_error_ratio"]) > 0

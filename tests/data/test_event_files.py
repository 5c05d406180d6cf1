"""Selected events are spread evenly over a file, whatever its batches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhep.data import event_files
from diffhep.data.event_files import Batch


@given(st.lists(st.integers(0, 9), max_size=8), st.data())
def test_events_are_selected_evenly_whatever_the_batches(sizes, data):
    rows = np.arange(sum(sizes)) * 3
    events = data.draw(st.integers(0, len(rows)))
    batches = [Batch(part, [part + 1.0, -part]) for part in np.split(rows, np.cumsum(sizes)[:-1])] if sizes else []
    selected = list(event_files.select_evenly(batches, len(rows), events))
    numbers = [row for batch in selected for row in batch.rows]
    assert numbers == [rows[k * len(rows) // events] for k in range(events)]
    for batch in selected:
        np.testing.assert_array_equal(batch.columns, [batch.rows + 1.0, -batch.rows])


def test_values_that_are_not_finite_numbers_are_refused_with_their_row(tmp_path):
    path, rows = tmp_path / "a.parquet", np.array([4, 9])
    np.testing.assert_array_equal(event_files.finite_numbers(path, "x", np.array([True, False]), rows), [1.0, 0.0])
    with pytest.raises(ValueError, match=r"a.parquet: x is inf in row 9: remove such events$"):
        event_files.finite_numbers(path, "x", np.array([1.0, np.inf]), rows)
    with pytest.raises(ValueError, match=r"a.parquet: x is nan in row 4: remove such events$"):
        event_files.finite_numbers(path, "x", np.array([None, True]), rows)
    with pytest.raises(ValueError, match=r"a.parquet: x does not hold numbers \(.* 'two'\): store it as numbers$"):
        event_files.finite_numbers(path, "x", np.array(["1", "two"], object), rows)

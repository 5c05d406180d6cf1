"""Work is spread evenly over jobs."""

import pytest

from diffhep.pipeline.shards import seed_range, shard_of_run, split_range


@pytest.mark.parametrize(
    ("seeds", "per_job", "sizes"),
    [
        (7, "all", []),
        (7, 7, []),
        (7, 8, []),
        (1, 2, []),
        (3, 2, []),
        (4, 2, [2, 2]),
        (7, 2, [2, 2, 3]),
        (10, 4, [3, 3, 4]),
    ],
)
def test_seeds_are_spread_evenly_and_none_is_alone(seeds, per_job, sizes):
    run = {"seed": 5, "seeds": seeds, "bins": 3}
    found = split_range(seed_range(run), per_job)
    assert [last - first + 1 for first, last in found] == sizes
    of_parts = [shard_of_run(run, *part) for part in found]
    assert all(part["bins"] == 3 for part in of_parts)
    covered = [seed for part in of_parts for seed in seed_range(part)]
    assert covered == (list(range(5, 5 + seeds)) if found else [])

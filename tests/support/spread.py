"""Whether the results of a stage are the same, byte for byte, if it is spread over jobs."""

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from diffhep.pipeline import jobs, shards, store


def files(folder: Path, stage: Callable[[int, int], xr.Dataset], number: int, along: str) -> tuple[bytes, bytes]:
    """The file of a stage that does `number` pieces of work, made by one job, and joined from those of two.

    Args:
        folder: An empty one.
        stage: Makes what there is from the first to the last piece.
        number: Of pieces, at least 4.
        along: The dimension along which they are joined.
    """
    job, paths = {"call": "tests:stage", "settings": {}, "code": ""}, []
    for first, last in shards.split_range(range(number), -(-number // 2)):
        paths.append(str(folder / f"{along}_{first}_{last}.nc"))
        store.save(stage(first, last), paths[-1], provenance={"first": first, "last": last})
    assert len(paths) == 2
    whole, joined = folder / "whole.nc", folder / "joined.nc"
    store.save(stage(0, number - 1), whole, provenance=job)
    jobs.run(job, {f"{shards.SHARDS_ALONG}{along}": paths}, str(joined))
    return whole.read_bytes(), joined.read_bytes()

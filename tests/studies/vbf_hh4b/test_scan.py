"""Pairs of cuts on a grid: their CLs is the direct computation, and the best pair has the lowest."""

import numpy as np
import pytest
import xarray as xr
from support.vbf_hh4b_runs import EVENTS, NAMES, REGIONS, RUN, THREE, direct

from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b import scan as scanning


@pytest.fixture(scope="module")
def events():
    return inputs.generate(EVENTS)


@pytest.fixture(scope="module")
def scan_settings():
    return EVENTS | {"scan": {"m_jj": [0.0, 1000.0, 4], "deta_jj": [0.0, 6.0, 3]}, "edges": {"three": THREE}}


@pytest.fixture(scope="module")
def landscape(events, scan_settings):
    return scanning.landscape(scan_settings, events)


@pytest.mark.parametrize("cuts", [(0.0, 0.0), (1000.0, 3.0), (2000 / 3, 6.0)])
def test_the_scan_is_the_direct_computation_at_every_pair_of_cuts(events, landscape, cuts):
    last = xr.Dataset({"cuts": ("cut", list(cuts)), "edges": ("edge", THREE)})
    _, cls = direct(RUN, events, last)
    found = landscape["cls"].sel(binning="three").sel(m_jj=cuts[0], deta_jj=cuts[1], method="nearest")
    assert float(found) == pytest.approx(cls, rel=1e-6)


def test_the_best_pair_of_the_scan_is_its_lowest(landscape):
    here = landscape.sel(binning="three")
    best = here["best"].sel(cut=NAMES).values
    assert float(here["best_cls"]) == here["cls"].min() == here["cls"].sel(m_jj=best[0], deta_jj=best[1])


def test_the_traditional_cuts_are_the_best_of_a_scan_of_the_training_events(events, scan_settings):
    settings = RUN | scan_settings | {"edges": THREE}
    found = scanning.traditional(settings, events)
    part = inputs.parts(events, settings, REGIONS)["train"]
    values = [np.linspace(*settings["scan"][name]) for name in NAMES]
    grid = tuple(inputs.to_shares(events, each, name) for each, name in zip(values, NAMES, strict=True))
    cls = scanning.scan(part, grid, inputs.to_shares(events, THREE, "m_hh"), "m_hh")
    expected_cuts = [each[place] for each, place in zip(values, np.unravel_index(cls.argmin(), cls.shape), strict=True)]
    assert found["cuts"].sel(cut=NAMES).values[0, 0].tolist() == expected_cuts
    assert found["edges"].values[0, 0].tolist() == THREE
    assert found.sizes["seed"] == found.sizes["step"] == 1

"""Events and a trained observable that the tests of the study share."""

import pytest
from support.blobs_runs import MEANS, RUN

from diffhep.studies.blobs import stages
from diffhep.studies.blobs.settings import Generation
from diffhep.typed_settings import from_plain


@pytest.fixture(scope="package")
def events():
    return stages.generate(from_plain(Generation, {"seed": 0, "events": 400, "test_fraction": 0.25, "means": MEANS}))


@pytest.fixture(scope="package")
def trained(events):
    return stages.train(RUN, events)

"""Settings of the study fit its file at every scale."""

import pytest
from support.study_settings import study_settings

from diffhep.studies.scaling.settings import Study
from diffhep.typed_settings import check


@pytest.mark.parametrize("scale", ["full", "quick"])
def test_home_is_a_size_of_every_axis(scale):
    works = study_settings("scaling", scale).cost.works
    for work in (works.step, works.fit, works.limit):
        assert set(dict(work.home)) == set(dict(work.axes))


def test_relaxed_has_no_limits_and_an_unknown_peer_is_refused():
    content = study_settings("scaling").plain()
    assert "relaxed" not in content["cost"]["works"]["limit"]["peers"]
    content["cost"]["works"]["fit"]["peers"] = ["zfit"]
    with pytest.raises(ValueError, match=r"cost\.works\.fit\.peers\.0: 'zfit': give one of diffhep, pyhf, relaxed"):
        check(Study, content, "scaling.yaml")

"""Layouts have the channels, samples and nominal yields of pyhf; invalid specifications are refused."""

import numpy as np
import pyhf
import pytest
from support.workspaces import WORKSPACES, histosys, modifier, normsys, one, sample

from diffhep.models.specification import check_modifier, read_layout


@pytest.mark.parametrize("name", WORKSPACES)
def test_channels_samples_and_nominal_yields_equal_those_of_pyhf(name):
    layout = read_layout(WORKSPACES[name]["channels"])
    model = pyhf.Workspace(WORKSPACES[name]).model()
    assert layout.channels == {channel: model.config.channel_nbins[channel] for channel in model.config.channels}
    assert list(layout.samples) == model.config.samples
    np.testing.assert_array_equal(layout.nominal, np.asarray(model.nominal_rates)[0, :, 0])


def test_channels_are_in_alphabetical_order_and_absent_samples_have_no_events():
    channels = [
        {"name": "b", "samples": [sample("top", [3.0, 4.0], normsys("size", 1.1, 0.9))]},
        {"name": "a", "samples": [sample("fake", [1.0], normsys("size", 1.2, 0.8))]},
    ]
    layout = read_layout(channels)
    assert layout.channels == {"a": 1, "b": 2} and layout.samples == ("fake", "top")
    np.testing.assert_array_equal(layout.nominal, [[1, 0, 0], [0, 3, 4]])
    fake, top = layout.effects
    assert (fake.channel, fake.sample, fake.bins) == (0, 0, slice(0, 1))
    assert (top.channel, top.sample, top.bins) == (1, 1, slice(1, 3))
    assert top.label == "channel b, sample top, modifier size (normsys)"
    np.testing.assert_array_equal(top.nominal, [3, 4])


def test_effects_return_the_data_of_their_modifiers():
    spec = one(
        normsys("size", 1.1, 0.9),
        histosys("tilt", [54.0, 40, 28], [47.0, 41, 31]),
        modifier("staterror", "mc", [4, 3, 1]),
    )
    effects = {effect.name: effect for effect in read_layout(spec["channels"]).effects}
    assert (effects["size"].factor("hi"), effects["size"].factor("lo")) == (1.1, 0.9)
    np.testing.assert_array_equal(effects["tilt"].yields("lo_data"), [47, 41, 31])
    np.testing.assert_array_equal(effects["mc"].uncertainties(), [4, 3, 1])


@pytest.mark.parametrize(("channels", "message"), [
    ([], "the model has no channels: add one"),
    ([{"name": "SR", "samples": []}], "channel SR has no samples: add one"),
    ([{"name": "SR", "samples": [sample("a", [1.0])]}] * 2, "^channel SR is defined twice: rename or merge them"),
    ([{"name": "SR", "samples": [sample("a", [1.0, np.inf])]}], "channel SR, sample a: inf in bin 1: give finite"),
])  # fmt: skip
def test_an_invalid_channel_is_refused(channels, message):
    with pytest.raises(ValueError, match=message):
        read_layout(channels)


def test_a_modifier_is_checked_for_type_and_data():
    assert check_modifier("sample a", normsys("size", 1.1, 0.9)) == "sample a, modifier size (normsys)"
    with pytest.raises(ValueError, match="sample a, modifier size: unknown type 'foo': choose from normfactor, lumi"):
        check_modifier("sample a", modifier("foo", "size"))
    with pytest.raises(ValueError, match=r"modifier size \(normsys\): missing hi, lo in data: add it"):
        check_modifier("sample a", modifier("normsys", "size"))

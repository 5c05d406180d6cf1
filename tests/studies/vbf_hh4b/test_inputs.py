"""Events that are optimised on: no copy of one is tested on, and every part predicts the full luminosity."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.studies.vbf_hh4b import inputs

FULL = study_settings("vbf_hh4b")
DATA = FULL["data"] | {"events": {"signal": 3000, "background": 9000}, "reference": {"signal": 500, "background": 900}}
REGIONS = DATA["regions"]
RUN = {"seed": 0, "shares": FULL["defaults"]["shares"], "fold": 0, "validation": "expected"}


@pytest.fixture(scope="module")
def events():
    return inputs.generate({"seed": 0, "data": DATA})


@pytest.fixture(scope="module")
def parts(events):
    return inputs.parts(events, RUN, REGIONS)


def chosen(monkeypatch, events, **changes):
    """Rows (sample, event) by part."""
    asked, part = [], inputs.part

    def record(events, regions, rows, *others):
        asked.append(rows)
        return part(events, regions, rows, *others)

    monkeypatch.setattr(inputs, "part", record)
    inputs.parts(events, RUN | changes, REGIONS)
    monkeypatch.undo()
    return dict(zip(("test", "valid", "train"), asked, strict=True))


@pytest.mark.parametrize("fold", range(4))
def test_parts_share_no_event_and_leave_none_out(events, monkeypatch, fold):
    rows = chosen(monkeypatch, events, fold=fold)
    assert set(rows) == set(inputs.PARTS)
    for sample, number in (("signal", 3000), ("background", 9000)):
        together = np.sort(np.concatenate([rows[name][sample] for name in inputs.PARTS]))
        np.testing.assert_array_equal(together, np.arange(number))
        assert [len(rows[name][sample]) for name in inputs.PARTS] == [0.65 * number, 0.1 * number, 0.25 * number]


@pytest.mark.parametrize("folds", [4, 5, 10])
def test_folds_test_on_every_event_once(events, monkeypatch, folds):
    """However a share of a tenth is rounded."""
    shares = {"valid": 0.1, "test": 1 / folds}
    for sample, number in (("signal", 3000), ("background", 9000)):
        tested = []
        for fold in range(folds):
            rows = chosen(monkeypatch, events, shares=shares, fold=fold)
            tested.append(rows["test"][sample])
            assert sum(len(rows[name][sample]) for name in inputs.PARTS) == number
        np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(number))


def distinct(region, row):
    """Events of a sample that have a weight, as rows of numbers; copies count once."""
    return {tuple(each) for each in region.variables[row]}


@pytest.mark.parametrize("row", [0, 1, -1])
def test_no_copy_of_a_training_event_is_ever_evaluated_on(parts, row):
    train, valid, test = (distinct(parts[name].signal_region, row) for name in inputs.PARTS)
    assert train and not train & valid and not train & test and not valid & test


def test_the_smaller_sample_is_repeated_and_the_larger_one_is_not(parts):
    region = parts["train"].signal_region
    number = region.weights.shape[1]
    found = [len(distinct(region, row)) for row in (0, -1)]
    assert found[1] > found[0] and number == max(found)


def test_copies_keep_all_sums_of_weights():
    rng = np.random.default_rng(0)
    weights, two_tag = rng.uniform(0, 2, (3, 7)), rng.uniform(0, 1, (3, 7))
    region = inputs.Region(rng.uniform(size=(3, 7, len(VARIABLES))), weights, two_tag)
    for number in (7, 8, 14, 25):
        many = inputs._repeat(region, number)
        assert many.weights.shape == (3, number)
        for before, after in ((weights, many.weights), (two_tag, many.two_tag)):
            np.testing.assert_allclose(after.sum(axis=1), before.sum(axis=1), rtol=1e-12)
        for n in range(7):  # event by event, and so in every bin and after every cut
            same = (many.variables == region.variables[:, n : n + 1]).all(axis=(0, 2))
            np.testing.assert_allclose(many.weights[:, same].sum(axis=1), weights[:, n], rtol=1e-12)


def test_every_part_predicts_the_yields_of_the_full_luminosity(events, parts):
    whole = inputs.part(events, REGIONS)
    for name in inputs.PARTS:
        for ours, all_of_them in zip(parts[name], whole, strict=True):
            # an event weighs about as much as any other: with n of them a sum scatters by 1 / root n
            least = min(len(distinct(ours, row)) for row in range(len(ours.weights)))
            for field in ("weights", "two_tag"):
                found, expected = (getattr(each, field).sum(axis=1) for each in (ours, all_of_them))
                np.testing.assert_allclose(found, expected, rtol=4 / np.sqrt(least))


def test_shares_of_the_parts_predict_exactly_the_yields_of_all(events, parts):
    whole, share = inputs.part(events, REGIONS), {"train": 0.65, "valid": 0.1, "test": 0.25}
    for place, region in enumerate(whole):
        found = sum(share[name] * parts[name][place].weights.sum(axis=1) for name in inputs.PARTS)
        np.testing.assert_allclose(found, region.weights.sum(axis=1), rtol=1e-12)


def test_all_events_predict_the_yields_that_are_set(events):
    region, validation, control = inputs.part(events, REGIONS)
    assert region.weights[0].sum() == pytest.approx(16)
    everything = sum(each.weights[-1].sum() + each.two_tag[-1].sum() for each in (region, validation, control))
    assert everything == pytest.approx(180_000)


def test_regions_are_of_rising_distance(events):
    weight, two_tag = (events[f"background_{name}"].values for name in ("weight", "two_tag"))
    distance, whole = events["background_distance"].values, inputs.part(events, REGIONS)
    inside = [distance < 1, (distance >= 1) & (distance < 1.6), distance >= 1.6]
    for region, where in zip(whole, inside, strict=True):
        assert region.weights[-1].sum() == pytest.approx((weight * (1 - two_tag))[where].sum())
        assert region.two_tag[-1].sum() == pytest.approx((weight * two_tag)[where].sum())


def test_the_signal_counts_with_two_tags_and_under_every_variation(events):
    region = inputs.part(events, REGIONS).signal_region
    near = events["signal_distance"].values < 1
    expected = (events["signal_weight"] * events["signal_two_tag"]).values[:, near].sum(axis=1)
    np.testing.assert_allclose(region.weights[:3].sum(axis=1), expected)
    assert region.weights.shape[0] == len(inputs.SAMPLES)


def test_everything_is_scaled_to_the_unit_interval(events):
    for region in inputs.part(events, REGIONS):
        assert region.variables.min() >= 0 and region.variables.max() <= 1
    low, high = (inputs.to_shares(events, events[bound].values) for bound in ("low", "high"))
    np.testing.assert_array_equal([low, high], [np.zeros(7), np.ones(7)])
    lowest = min(float(events[name].sel(variable="m_jj").min()) for name in ("signal", "background"))
    assert float(events["low"].sel(variable="m_jj")) == pytest.approx(lowest, rel=1e-6)


def test_physical_values_come_back_from_shares(events):
    values = np.array([100.0, 475.0, 2000.0])
    np.testing.assert_allclose(inputs.from_shares(events, inputs.to_shares(events, values, "m_jj"), "m_jj"), values)
    low, high = (float(events[bound].sel(variable="deta_jj")) for bound in ("low", "high"))
    assert inputs.from_shares(events, np.array(0.5), "deta_jj") == pytest.approx((low + high) / 2)


def test_reference_events_are_others_from_the_same_generator(events):
    reference = inputs.reference({"seed": 0, "data": DATA})
    assert reference.sizes["signal_event"] == 500 and reference.sizes["background_event"] == 900
    masses = [set(of["background"].sel(variable="m_hh").values.tolist()) for of in (events, reference)]
    assert len(masses[0] & masses[1]) < 5


def test_drawn_validation_data_are_counts_with_the_right_mean(events):
    expected = inputs.parts(events, RUN, REGIONS)["train"].validation
    totals = []
    for seed in range(60):
        drawn = inputs.parts(events, RUN | {"validation": "drawn", "seed": seed}, REGIONS)["train"]
        assert (drawn.validation.two_tag == np.round(drawn.validation.two_tag)).all()
        np.testing.assert_array_equal(drawn.validation.weights, expected.weights)
        totals.append(drawn.validation.two_tag.sum())
    mean = expected.two_tag.sum()
    assert np.mean(totals) == pytest.approx(mean, abs=4 * np.sqrt(mean / 60))
    assert np.std(totals) == pytest.approx(np.sqrt(mean), rel=0.4)


def test_only_the_validation_region_is_drawn_and_every_fold_has_data_of_its_own(events, parts):
    settings = RUN | {"validation": "drawn"}
    drawn, other = (inputs.parts(events, settings | {"fold": fold}, REGIONS)["train"] for fold in (0, 1))
    np.testing.assert_array_equal(drawn.control.two_tag, parts["train"].control.two_tag)
    np.testing.assert_array_equal(drawn.signal_region.two_tag, parts["train"].signal_region.two_tag)
    again = inputs.parts(events, settings, REGIONS)["train"]
    np.testing.assert_array_equal(drawn.validation.two_tag, again.validation.two_tag)
    number = min(drawn.validation.two_tag.shape[1], other.validation.two_tag.shape[1])
    assert not np.array_equal(drawn.validation.two_tag[:, :number], other.validation.two_tag[:, :number])

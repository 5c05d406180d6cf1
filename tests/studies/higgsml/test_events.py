"""Pools have the yields of their processes, and training events their nuisance parameters."""

import jax
import numpy as np
import pytest
from support.higgsml import SETTINGS, TRAINING_EVENTS

from diffhep.data.htautau import challenge_files
from diffhep.data.htautau.features import PRIMARY
from diffhep.data.htautau.shifts import PROCESSES
from diffhep.studies.higgsml import events


def test_every_part_of_a_pool_has_the_whole_yield(pools):
    settings = SETTINGS["data"] | {"process": "htautau", "seed": 0}
    one_part = settings | {"shares": {"train": 0.999, "template": 0.0005, "test": 0.0005}}
    expected = float(events.build_pool(one_part)["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        total = events.pool_samples(pools, part)[0].weights.sum()
        assert total == pytest.approx(expected, rel=0.1) and total < SETTINGS["data"]["yields"]["htautau"]


def test_parts_of_a_pool_share_no_events(pools):
    first = [events.pool_samples(pools, part)[0].primaries[:50, 0] for part in ("template", "test")]
    assert not np.isin(*first).any()


def test_pools_are_read_from_a_file_of_the_challenge(tmp_path, pools):
    pool = pools["ttbar"]
    path = tmp_path / "events.parquet"
    columns = jax.device_put([pool[name].values for name in ("primaries", "weights")])
    challenge_files.write(path, {"ttbar": tuple(columns)}, seed=0)
    number = pool.sizes["event"]
    settings = SETTINGS["data"] | {"process": "ttbar", "seed": 0, "events": {"ttbar": number}}
    read = events.build_pool(settings, path)
    assert list(read["column"].values) == list(PRIMARY) and read.sizes["event"] == number
    total = float(pool["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        sample = events.pool_samples(dict.fromkeys(PROCESSES, read), part)[0]
        assert sample.weights.sum() == pytest.approx(total)


def test_rows_are_drawn_in_proportion_to_their_weights():
    rows = events.draw_rows(np.random.default_rng(0), np.array([1.0, 0.0, 3.0]), 4000)
    np.testing.assert_allclose(np.bincount(rows, minlength=3) / 4000, [0.25, 0.0, 0.75], atol=0.02)


def test_nominal_background_consists_of_all_other_processes(pools):
    signal, background = events.nominal_events(TRAINING_EVENTS, pools, "train")
    samples = events.pool_samples(pools, "train")
    assert background.weights.max() == pytest.approx(max(sample.weights.max() for sample in samples[1:]))
    assert signal.weights.sum() < samples[0].weights.sum() < background.weights.sum()
    np.testing.assert_array_equal(events.concatenate_samples(samples[1:]).noise[-3:], samples[-1].noise[-3:])


def test_training_and_validation_subsets_have_different_nuisance_parameters(pools):
    (signal, background), (validation, _) = events.draw_perturbed_events(TRAINING_EVENTS, pools)
    for perturbed in (signal, background):
        assert set(np.unique(perturbed.category)) == {0, 1} and perturbed.columns.shape[1] == 28
    assert len(np.unique(signal.nuisances[:, 0])) == 17
    assert not np.isin(validation.nuisances[:, 0], signal.nuisances[:, 0]).any()


def test_labelled_events_have_their_category_last_and_the_signal_first(pools):
    classes, _ = events.draw_perturbed_events(TRAINING_EVENTS, pools)
    labelled = events.label_classes(classes, [perturbed.columns[:, :2] for perturbed in classes], seed=0)
    signal = np.asarray(labelled.events[0])
    expected = np.column_stack([classes[0].columns[:, :2], classes[0].category])
    assert set(map(tuple, signal)) == set(map(tuple, expected.astype(np.float32)))

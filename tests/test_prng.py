"""Random streams: independent keys, numbers that results depend on, and no number twice within a study."""

import jax
import numpy as np

from diffhep import prng

STREAMS = {name: value for name, value in vars(prng).items() if name.isupper()}
STUDIES = (
    "BLOBS",
    "FLOW_INTERPOLATION",
    "HISTOGRAMS",
    "CUTS",
    "RESONANCE",
    "SPLIT_N_FIT",
    "FOUNDATIONS",
    "SCALING",
    "CONTRASTIVE",
    "HIGGSML",
    "VBF_HH4B",
)


def numbers(key):
    return np.asarray(jax.random.key_data(key))


def test_a_key_is_the_seed_with_the_stream_folded_in():
    expected = jax.random.fold_in(jax.random.key(3), 11)
    np.testing.assert_array_equal(numbers(prng.key(3, prng.BLOBS_TOYS)), numbers(expected))


def test_seeds_and_streams_have_keys_of_their_own():
    keys = {tuple(numbers(prng.key(seed, stream))) for seed in range(3) for stream in set(STREAMS.values())}
    assert len(keys) == 3 * len(set(STREAMS.values()))


def test_keys_of_many_seeds_are_those_of_each():
    keys = jax.jit(jax.vmap(lambda seed: prng.key(seed, prng.SHUFFLE)))(np.arange(4))
    np.testing.assert_array_equal(numbers(keys[2]), numbers(prng.key(2, prng.SHUFFLE)))


def test_every_stream_belongs_to_training_or_to_a_study():
    rest = [name for name in STREAMS if not name.startswith(STUDIES)]
    assert rest == ["INITIALISE", "SHUFFLE"]


def test_no_number_is_used_twice_within_training_and_a_study():
    for study in STUDIES:
        values = [value for name, value in STREAMS.items() if name.startswith((study, "INITIALISE", "SHUFFLE"))]
        assert len(set(values)) == len(values), study
    of_blobs = [value for name, value in STREAMS.items() if name.startswith(("BLOBS", "SCALING"))]
    assert len(set(of_blobs)) == len(of_blobs)  # the study of scaling generates the events of the blobs


def test_numbers_of_streams_are_those_that_stored_results_were_made_with():
    """Changing one of them changes results."""
    assert (prng.INITIALISE, prng.SHUFFLE, prng.BLOBS_EVENTS, prng.HISTOGRAMS_MIXTURE) == (0, 1, 10, 20)
    assert (prng.RESONANCE_SIGNAL, prng.SPLIT_N_FIT_EVENTS, prng.CONTRASTIVE_GAUSSIANS) == (30, 40, 50)
    assert (prng.HIGGSML_POOLS, prng.VBF_HH4B_EVENTS, prng.VBF_HH4B_EXPLOIT) == (60, 71, 74)

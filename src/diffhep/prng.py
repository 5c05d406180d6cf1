"""Random keys: a seed and a stream, which separates the random numbers of one purpose from those of the others.

Every stream of the suite is a constant here, so that numbers are not used twice by accident. A new stream takes a new
number: changing one changes results. Some studies share numbers, which does no harm where no study uses both.

They are constants and not an enumeration because a result is rebuilt when code changes that it depends on: a new member
of an enumeration would rebuild the results of all studies.
"""

import jax
from jaxtyping import Array, Key

# training
INITIALISE = 0
SHUFFLE = 1

# study of the blobs
BLOBS_EVENTS = 10
BLOBS_TOYS = 11

# flows conditioned on the parameters of a Gaussian
FLOW_INTERPOLATION_EVENTS = 20
FLOW_INTERPOLATION_SAMPLES = 21
FLOW_INTERPOLATION_DIVERGENCE = 22

# histograms with gradients; shares the numbers of the flows above
HISTOGRAMS_MIXTURE = 20
HISTOGRAMS_NORMAL = 21

# resonance X -> SH
RESONANCE_SIGNAL = 30
RESONANCE_BACKGROUND = 31
RESONANCE_CLASSES = 32
RESONANCE_SAMPLES = 33
RESONANCE_LIMITS = 34

# learned cuts; shares the number of the resonance's signal
CUTS_EVENTS = 30

# split-and-fit classifiers
SPLIT_N_FIT_EVENTS = 40
SPLIT_N_FIT_TOYS = 41
SPLIT_N_FIT_DATA_SETS = 42

# gradients and densities of the thesis' foundations, gradient noise of the blobs; share numbers of split-and-fit
FOUNDATIONS_DENSITY = 40
FOUNDATIONS_FIT = 41
SCALING_BATCHES = 40

# contrastive flows
CONTRASTIVE_GAUSSIANS = 50
CONTRASTIVE_SPLIT = 51
CONTRASTIVE_SPACE = 52
CONTRASTIVE_UNDISTORTED = 53
CONTRASTIVE_PERTURBED = 54
CONTRASTIVE_TEST = 55
CONTRASTIVE_DIGITS = 56
CONTRASTIVE_DIGIT_SAMPLES = 57

# HiggsML uncertainty challenge
HIGGSML_POOLS = 60
HIGGSML_PERTURBED = 61
HIGGSML_NOMINAL = 62
HIGGSML_SPLIT = 63
HIGGSML_DESIGN = 64
HIGGSML_BELT = 65
HIGGSML_SETS = 66
HIGGSML_BOOTSTRAP = 67
HIGGSML_TEMPLATES = 68
HIGGSML_INFERNO = 69
HIGGSML_ILLUSTRATIONS = 70

# VBF HH -> 4b
VBF_HH4B_EVENTS = 71
VBF_HH4B_REFERENCE = 72
VBF_HH4B_VALIDATION = 73
VBF_HH4B_EXPLOIT = 74


@jax.jit
def key(seed: int | Array, stream: int | Array) -> Key[Array, ""]:
    """Return the random key of one seed and stream; it does not depend on the number of seeds.

    Args:
        seed: Seed of the suite or of a training.
        stream: One of the constants of this module.
    """
    return jax.random.fold_in(jax.random.key(seed), stream)

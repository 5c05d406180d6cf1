"""Toy boosted VBF HH -> 4b events and their multi-jet background, as TOMATOS looks at them.

Every event has two Higgs candidates and two forward jets. The signal's forward jets lie far apart and are heavy
together; the background has hard jets that lie close and soft ones that lie far apart, so that neither variable does
the other's work. The distance from the Higgs masses, in the plane of both candidates' masses, parts the signal region
from those that the background is estimated from. Whether both candidates are tagged is no random number but a
probability, which weighs the event: expectations are smooth. All numbers are the settings'; none is ATLAS's.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from diffhep.data.mass_grid import HIGGS_MASS

VARIABLES = ("m_hh", "m_jj", "deta_jj", "pt_j1", "pt_j2", "pt_h1", "pt_h2")

BLOCK = 100_000
"""Events generated at a time."""


class VbfEvents(NamedTuple):
    """Events of one sample, under every variation of the jets' momenta.

    Attributes:
        variables: in the order of `VARIABLES`; momenta and masses in GeV.
        selected: 1 where an event passes the thresholds, else 0.
        distance: from the Higgs masses, in the plane of both candidates' masses.
        two_tag: probability that both candidates are tagged, and not only one.
    """

    variables: Float[np.ndarray, "variation event variable"]
    selected: Float[np.ndarray, "variation event"]
    distance: Float[np.ndarray, " event"]
    two_tag: Float[np.ndarray, " event"]


def generate(rng: np.random.Generator, settings: Mapping[str, Any], sample: str, events: int) -> VbfEvents:
    """So many events that pass the selection under at least one variation.

    Args:
        rng: Source of randomness.
        settings: `samples.<sample>`: `jets`, several kinds with their shares; `higgs`; `distance`; `two_tag`.
            `variations`: factors on all transverse momenta, the first 1; `thresholds`; `range` of each variable that
            has one; `least_pt`. See `config/studies/vbf_hh4b.yaml`.
        sample: Which of the samples.
        events: How many.

    Raises:
        ValueError: None of a block of events passes.
    """
    variables, parts, found = [], [], 0
    while found < events:
        block = _block(rng, settings, settings["samples"][sample])
        passed = block.selected.any(axis=0)
        if not passed.any():
            raise ValueError(f"none of {BLOCK} events of the {sample} passes the thresholds: lower them")
        variables.append(block.variables[:, passed])
        parts.append([array[..., passed] for array in block[1:]])
        found += passed.sum()
    others = [np.concatenate(columns, axis=-1)[..., :events] for columns in zip(*parts, strict=True)]
    return VbfEvents(np.concatenate(variables, axis=1)[:, :events], *others)


def _block(rng: np.random.Generator, settings: Mapping[str, Any], of: Mapping[str, Any]) -> VbfEvents:
    jets, higgs = _jets(rng, settings["least_pt"]["jets"], of["jets"]), _higgs(rng, settings["least_pt"], of["higgs"])
    variations = [_observed(settings, jets, higgs, factor) for factor in settings["variations"]]
    variables = np.stack([variables for variables, _ in variations])
    selected = np.stack([passed for _, passed in variations])
    distance = _drawn(rng, of["distance"], BLOCK)
    return VbfEvents(variables, selected.astype(float), distance, _two_tag(of["two_tag"], distance, variables[0, :, 0]))


def _jets(rng, start: float, kinds: Mapping[str, Mapping[str, Any]]) -> tuple[np.ndarray, ...]:
    """Pseudorapidity between the forward jets, their momenta and the angle between them."""
    kind = rng.choice(len(kinds), BLOCK, p=[each["share"] for each in kinds.values()])
    apart, first, share = (
        np.choose(kind, [_drawn(rng, each[name], BLOCK) for each in kinds.values()]) for name in ("deta", "pt", "ratio")
    )
    return apart, start + first, start + first * share, rng.uniform(0, 2 * np.pi, BLOCK)


def _higgs(rng, least: Mapping[str, float], of: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    """Pseudorapidity between the candidates, their momenta and the angle between them."""
    first = least["first"] + _drawn(rng, of["pt"], BLOCK)
    second = np.maximum(first * (1 - _drawn(rng, of["unbalanced"], BLOCK)), least["second"])
    return _drawn(rng, of["deta"], BLOCK), first, second, np.pi - np.abs(rng.normal(0, of["acoplanarity"], BLOCK))


def _observed(settings, jets, higgs, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Variables and selection where all transverse momenta are so many times as large."""
    (apart, *momenta, angle), (rapidities, *candidates, between) = jets, higgs
    momenta, candidates = ([factor * pt for pt in each] for each in (momenta, candidates))
    limits = settings["range"]
    apart = np.minimum(apart, limits["deta_jj"][1])
    columns = {
        "m_hh": _mass(*candidates, rapidities, between, HIGGS_MASS),
        "m_jj": _mass(*momenta, apart, angle, 0.0),
        "deta_jj": apart,
        **dict(zip(VARIABLES[3:], (*momenta, *candidates), strict=True)),
    }
    columns = {name: np.clip(values, *limits.get(name, (0, np.inf))) for name, values in columns.items()}
    passed = np.all([columns[name] > least for name, least in settings["thresholds"].items()], axis=0)
    return np.stack([columns[name] for name in VARIABLES], axis=-1), passed


def _mass(first, second, deta, dphi, mass: float) -> np.ndarray:
    """Of two bodies of equal mass: m^2 = 2 mass^2 + 2 (mT1 mT2 cosh deta - pT1 pT2 cos dphi)."""
    across = np.hypot(first, mass) * np.hypot(second, mass)
    return np.sqrt(2 * (mass**2 + across * np.cosh(deta) - first * second * np.cos(dphi)))


def _two_tag(of: Mapping[str, float], distance: np.ndarray, m_hh: np.ndarray) -> np.ndarray:
    """Probability x (1 + slope (distance - pivot) tanh((m_hh - mass) / width)), which makes regions differ."""
    if not of.get("slope"):
        return np.full(distance.shape, of["probability"])
    bend = of["slope"] * (distance - of["pivot"]) * np.tanh((m_hh - of["mass"]) / of["width"])
    return of["probability"] * (1 + bend)


def _drawn(rng: np.random.Generator, of: Mapping[str, Any], number: int) -> np.ndarray:
    """Random numbers of a distribution that numpy has under this name, as absolute values."""
    return np.abs(getattr(rng, of["name"])(*of["parameters"], number))

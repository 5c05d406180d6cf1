"""Toy boosted VBF HH -> 4b events and their multi-jet background, as in TOMATOS.

Every event has two Higgs candidates and two forward jets. Forward jets of the signal are far apart in pseudorapidity
and have a large dijet mass. The background has hard jets that are close and soft jets that are far apart, so that
neither variable makes the other redundant. The distance from the Higgs masses, in the plane of both candidate masses,
separates the signal region from those in which the background is estimated. Whether both candidates are tagged is not
drawn at random: its probability weights the event, so that expectations are smooth. All numbers come from the settings;
none is ATLAS's.
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
    """Events of one sample, under every variation of the jet momenta.

    Attributes:
        variables: Values in the order of `VARIABLES`; momenta and masses in GeV.
        selected: 1 where an event passes the thresholds, else 0.
        distance: Distance from the Higgs masses, in the plane of both candidate masses.
        two_tag: Probability that both candidates are tagged, and not only one.
    """

    variables: Float[np.ndarray, "variation event variable"]
    selected: Float[np.ndarray, "variation event"]
    distance: Float[np.ndarray, " event"]
    two_tag: Float[np.ndarray, " event"]


def generate(rng: np.random.Generator, settings: Mapping[str, Any], sample: str, events: int) -> VbfEvents:
    """Generate events that pass the selection under at least one variation.

    Args:
        rng: Source of randomness.
        settings: `samples.<sample>`: `jets`, several kinds with their shares; `higgs`; `distance`; `two_tag`.
            `variations`: factors on all transverse momenta, the first 1; `thresholds`; `range` of the variables that
            are limited; `least_pt`. See `config/studies/vbf_hh4b.yaml`.
        sample: Name of the sample.
        events: Number of events to return.

    Raises:
        ValueError: No event of a block passes.
    """
    variables, parts, number = [], [], 0
    while number < events:
        block = _block(rng, settings, settings["samples"][sample])
        passed = block.selected.any(axis=0)
        if not passed.any():
            raise ValueError(f"none of {BLOCK} events of the {sample} passes the thresholds: lower them")
        variables.append(block.variables[:, passed])
        parts.append([array[..., passed] for array in block[1:]])
        number += passed.sum()
    others = [np.concatenate(columns, axis=-1)[..., :events] for columns in zip(*parts, strict=True)]
    return VbfEvents(np.concatenate(variables, axis=1)[:, :events], *others)


def _block(rng: np.random.Generator, settings: Mapping[str, Any], laws: Mapping[str, Any]) -> VbfEvents:
    jets, higgs = (
        _draw_jets(rng, settings["least_pt"]["jets"], laws["jets"]),
        _draw_higgs(rng, settings["least_pt"], laws["higgs"]),
    )
    variations = [_vary(settings, jets, higgs, factor) for factor in settings["variations"]]
    variables = np.stack([variables for variables, _ in variations])
    selected = np.stack([passed for _, passed in variations])
    distance = _draw(rng, laws["distance"], BLOCK)
    two_tag = _two_tag_probability(laws["two_tag"], distance, variables[0, :, 0])
    return VbfEvents(variables, selected.astype(float), distance, two_tag)


def _draw_jets(rng, min_pt: float, kinds: Mapping[str, Mapping[str, Any]]) -> tuple[np.ndarray, ...]:
    """Difference in pseudorapidity of the forward jets, their momenta and the angle between them."""
    kind = rng.choice(len(kinds), BLOCK, p=[law["share"] for law in kinds.values()])
    deta, first, ratio = (
        np.choose(kind, [_draw(rng, law[name], BLOCK) for law in kinds.values()]) for name in ("deta", "pt", "ratio")
    )
    return deta, min_pt + first, min_pt + first * ratio, rng.uniform(0, 2 * np.pi, BLOCK)


def _draw_higgs(rng, min_pt: Mapping[str, float], law: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    """Difference in pseudorapidity of the candidates, their momenta and the angle between them."""
    first = min_pt["first"] + _draw(rng, law["pt"], BLOCK)
    second = np.maximum(first * (1 - _draw(rng, law["unbalanced"], BLOCK)), min_pt["second"])
    return _draw(rng, law["deta"], BLOCK), first, second, np.pi - np.abs(rng.normal(0, law["acoplanarity"], BLOCK))


def _vary(settings, jets, higgs, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Variables and selection where all transverse momenta are scaled by a factor."""
    (deta_jj, *jet_pt, dphi_jj), (deta_hh, *higgs_pt, dphi_hh) = jets, higgs
    jet_pt, higgs_pt = ([factor * pt for pt in pair] for pair in (jet_pt, higgs_pt))
    limits = settings["range"]
    deta_jj = np.minimum(deta_jj, limits["deta_jj"][1])
    columns = {
        "m_hh": _mass(*higgs_pt, deta_hh, dphi_hh, HIGGS_MASS),
        "m_jj": _mass(*jet_pt, deta_jj, dphi_jj, 0.0),
        "deta_jj": deta_jj,
        **dict(zip(VARIABLES[3:], (*jet_pt, *higgs_pt), strict=True)),
    }
    columns = {name: np.clip(values, *limits.get(name, (0, np.inf))) for name, values in columns.items()}
    passed = np.all([columns[name] > threshold for name, threshold in settings["thresholds"].items()], axis=0)
    return np.stack([columns[name] for name in VARIABLES], axis=-1), passed


def _mass(first, second, deta, dphi, mass: float) -> np.ndarray:
    """Mass of two bodies of equal mass: m^2 = 2 mass^2 + 2 (mT1 mT2 cosh deta - pT1 pT2 cos dphi)."""
    transverse_masses = np.hypot(first, mass) * np.hypot(second, mass)
    return np.sqrt(2 * (mass**2 + transverse_masses * np.cosh(deta) - first * second * np.cos(dphi)))


def _two_tag_probability(law: Mapping[str, float], distance: np.ndarray, m_hh: np.ndarray) -> np.ndarray:
    """Probability x (1 + slope (distance - pivot) tanh((m_hh - mass) / width)), so that regions differ."""
    if not law.get("slope"):
        return np.full(distance.shape, law["probability"])
    bend = law["slope"] * (distance - law["pivot"]) * np.tanh((m_hh - law["mass"]) / law["width"])
    return law["probability"] * (1 + bend)


def _draw(rng: np.random.Generator, law: Mapping[str, Any], number: int) -> np.ndarray:
    """Absolute values of random numbers from the distribution of numpy that `law` names."""
    return np.abs(getattr(rng, law["name"])(*law["parameters"], number))

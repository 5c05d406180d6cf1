"""Workspaces in pyhf's JSON that cover every modifier, alone and with others, and one as large as a published one."""

import numpy as np

SIGNAL = {"name": "mu", "type": "normfactor", "data": None}
LUMI = {"name": "lumi", "auxdata": [1.0], "sigmas": [0.02], "bounds": [[0.9, 1.1]], "inits": [1.0]}


def sample(name, data, *modifiers):
    return {"name": name, "data": list(data), "modifiers": list(modifiers)}


def normsys(name, hi, lo):
    return {"name": name, "type": "normsys", "data": {"hi": hi, "lo": lo}}


def histosys(name, hi, lo):
    return {"name": name, "type": "histosys", "data": {"hi_data": list(hi), "lo_data": list(lo)}}


def modifier(kind, name, data=None):
    return {"name": name, "type": kind, "data": data}


def workspace(channels, observed, parameters=()):
    return {
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [{"name": name, "data": data} for name, data in observed.items()],
        "measurements": [{"name": "measurement", "config": {"poi": "mu", "parameters": list(parameters)}}],
        "version": "1.0.0",
    }


def one(*on_background, on_signal=(), observed=(58.0, 41.0, 30.0), parameters=()):
    """One channel of three bins."""
    samples = [
        sample("signal", [5.0, 8.0, 2.0], SIGNAL, *on_signal),
        sample("background", [50.0, 40.0, 30.0], *on_background),
    ]
    return workspace({"SR": samples}, {"SR": list(observed)}, parameters)


def control():
    """A signal region, and a control region that finds the size of one background in each bin."""
    free = modifier("shapefactor", "shape")
    return workspace(
        {
            "SR": [sample("signal", [6.0, 9.0], SIGNAL), sample("free", [20.0, 30.0], free)],
            "CR": [sample("free", [200.0, 250.0], free), sample("other", [20.0, 30.0], normsys("size", 1.1, 0.92))],
        },
        {"SR": [25.0, 35.0], "CR": [230.0, 270.0]},
    )


def correlated():
    """Parameters that act on several samples and channels in different ways; a sample that only one channel has."""
    return workspace(
        {
            "b": [
                sample("signal", [4.0, 7.0], SIGNAL, histosys("energy", [4.5, 7.2], [3.6, 6.5])),
                sample("top", [40.0, 30.0], normsys("energy", 1.08, 0.94), modifier("staterror", "mc_b", [2.0, 1.5])),
                sample("boson", [9.0, 0.0], normsys("size", 1.2, 0.8), modifier("staterror", "mc_b", [1.0, 0.0])),
            ],
            "a": [
                sample("top", [90.0, 80.0, 70.0], histosys("energy", [95.0, 84.0, 70.0], [86.0, 77.0, 71.0])),
                sample("fake", [5.0, 0.0, 3.0], modifier("shapesys", "fake_rate", [2.0, 0.0, 1.0])),
            ],
        },
        {"b": [55.0, 36.0], "a": [92.0, 85.0, 70.0]},
    )


def everything():
    """All kinds of modifiers in three channels."""
    both, size = correlated(), modifier("normfactor", "top_size")
    for channel in both["channels"]:
        for each in channel["samples"]:
            each["modifiers"].append(modifier("lumi", "lumi") if each["name"] != "top" else size)
    both["channels"] += control()["channels"]
    both["observations"] += control()["observations"]
    both["measurements"][0]["config"]["parameters"] = [LUMI]
    return both


def large(channels=5, bins=4, shifts=30, seed=1):
    """As many channels and nuisance parameters as published analyses: 30 shifts, 20 bins of staterror and a lumi."""
    rng = np.random.default_rng(seed)
    names = [f"channel_{number}" for number in range(channels)]
    shape = np.exp(-np.arange(bins) / 3.0)
    by_channel, observed = {}, {}
    for number, name in enumerate(names):
        samples = []
        for kind, size in (("signal", 8.0), ("top", 300.0), ("boson", 120.0), ("fake", 30.0)):
            rising = shape[::-1] if kind == "signal" else shape
            data = size * (1 - 0.15 * number) * rising * rng.uniform(0.9, 1.1, bins)
            error = modifier("staterror", f"mc_{name}", (0.03 * data).tolist())
            own = [SIGNAL] if kind == "signal" else [error]
            own.append(modifier("lumi", "lumi"))
            for shift in range(shifts):
                if rng.uniform() < 0.5:
                    continue
                width = rng.uniform(0.01, 0.06)
                if shift % 2:
                    tilt = width * np.linspace(-1, 1, bins) * rng.choice([-1, 1])
                    own.append(histosys(f"shape_{shift}", data * (1 + tilt), data * (1 - 0.9 * tilt)))
                else:
                    own.append(normsys(f"size_{shift}", 1 + width, 1 / (1 + 0.9 * width)))
            samples.append(sample(kind, data.tolist(), *own))
        by_channel[name] = samples
        total = sum(np.array(each["data"]) for each in samples if each["name"] != "signal")
        observed[name] = rng.poisson(total).astype(float).tolist()
    return workspace(by_channel, observed, [LUMI])


SHAPE = histosys("tilt", [54.0, 40.0, 28.0], [47.0, 41.0, 31.0])
WORKSPACES = {
    "normfactor": one(),
    "normsys": one(normsys("size", 1.15, 0.9)),
    "histosys": one(SHAPE),
    "shapesys": one(modifier("shapesys", "model", [5.0, 0.0, 3.0])),
    "staterror": one(modifier("staterror", "mc", [4.0, 3.0, 0.0])),
    "lumi": one(modifier("lumi", "lumi"), on_signal=[modifier("lumi", "lumi")], parameters=[LUMI]),
    "shapefactor": control(),
    "shape and size in one": one(SHAPE, normsys("tilt", 1.1, 0.93), on_signal=[normsys("tilt", 0.9, 1.05)]),
    "two shapesys": one(modifier("shapesys", "one", [5.0, 4.0, 3.0]), modifier("shapesys", "two", [1.0, 2.0, 3.0])),
    "configured": one(
        normsys("size", 1.2, 0.8),
        modifier("staterror", "mc", [4.0, 3.0, 2.0]),
        modifier("normfactor", "held"),
        parameters=[
            {"name": "held", "inits": [1.05], "fixed": True},
            {"name": "size", "auxdata": [0.3], "bounds": [[-3.0, 3.0]], "inits": [0.2]},
            {"name": "mc", "sigmas": [0.1, 0.05, 0.2]},
            {"name": "mu", "bounds": [[0.0, 20.0]], "inits": [0.5]},
        ],
    ),
    "correlated": correlated(),
    "everything": everything(),
    "large": large(),
}

"""What the rules may ask for: settings, manifest, claims, and the code behind a stage. No rules."""

import re
from datetime import datetime
from functools import cache

from snakemake.logging import logger

from diffhep import experiments
from diffhep.data import mass_grid
from diffhep.dependencies import check_arguments
from diffhep.fingerprints import Fingerprints
from diffhep.forecast import START, coupling_seconds, flow_seconds, forecast, training_seconds
from diffhep.jobs import PARTS_ALONG
from diffhep.progress import Progress

fingerprint = Fingerprints(".cache/fingerprints.json")


def load_settings(path, name):
    return located("", conf.load_study, Path(path), schema(name), config["scale"])


def require_studies():
    """Stop if a figure or animation is of a study that has no settings."""
    known = sorted(path.stem for path in Path("config/studies").glob("*.yaml"))
    for name, entry in ENTRIES.items():
        if entry["study"] not in known:
            path = f"config/studies/{entry['study']}.yaml"
            refuse(f"config/figures.yaml: {name}.study: there is no {path}; choose from {', '.join(known)}")


# by hand and not by Snakemake's `validate`: one message that names file and key
located("", conf.check, dict(config), schema("config"), "--config or --configfile")
MANIFEST = read("config/figures.yaml", "figures")
CLAIMS = read("config/claims.yaml", "claims")
FIGURES, ANIMATIONS, DOCUMENTS = (MANIFEST[part] for part in ("figures", "animations", "documents"))
ENTRIES = FIGURES | ANIMATIONS
PICTURES = {
    **{name: f"<results>/figures/{name}.pdf" for name in FIGURES},
    **{name: f"<results>/figures/{name}.gif" for name in ANIMATIONS},
}
require_studies()
STUDIES = sorted({figure["study"] for figure in FIGURES.values()})
SETTINGS = {study: load_settings(f"config/studies/{study}.yaml", study) for study in STUDIES}


onstart:
    jobs = {
        job.jobid: (job.resources.get("expected_seconds", 0), job.threads) for job in workflow.dag.needrun_jobs()
    }
    print(forecast(jobs.values(), workflow.cores, datetime.now()), file=sys.stderr)
    logger.addHandler(Progress(jobs, workflow.cores))


wildcard_constraints:
    figure="|".join(map(re.escape, FIGURES)),
    animation="|".join(map(re.escape, ANIMATIONS)),
    document="|".join(map(re.escape, DOCUMENTS)),
    first=r"\d+",
    last=r"\d+",


def job(call, settings):
    """What a job is told, and what makes it run anew if it changes: one plain dict."""
    return {"call": call, "settings": conf.plain(settings), "code": fingerprint(call)}


def expected_seconds(run, data):
    """Of a training on four samples of events in the plane; cross-entropy alone needs but two of them."""
    layers = [2, *run["network"], 1]
    events = round(4 * data["events"] * (1 - data["test_fraction"]))
    return training_seconds(layers, events=events, epochs=run["epochs"], seeds=run["seeds"])


def lasting(seconds):
    """Resources of a training that takes so many seconds of one core, a number or a function of its wildcards.

    Forecasts were seen to be out by less than a factor of two, and nodes differ by another.
    """
    limit = lambda expected: 30 + round(4 * expected / 60)
    runtime = (lambda wildcards: limit(seconds(wildcards))) if callable(seconds) else limit(seconds)
    return {"expected_seconds": seconds, "runtime": runtime}


def parts_of(numbers):
    """First and last of each job that consecutive seeds, pseudo-experiments or contexts are spread over."""
    return experiments.parts(numbers, config["seeds_per_job"])


def made_from(numbers, stem, along, **inputs):
    """Inputs of a stage: its parts along a dimension, if it is spread over jobs, else what it is made from."""
    parts = [f"{stem}/{along}_{first}_{last}.nc" for first, last in parts_of(numbers)]
    return {f"{PARTS_ALONG}{along}": parts} if parts else inputs


def seconds_here(numbers, seconds):
    """Of a stage that takes so many: next to none where it only joins what other jobs have made."""
    return 5 if parts_of(numbers) else seconds


def seconds_of_part(numbers, seconds, wildcards):
    """Of one part of a stage that takes so many."""
    return START + seconds * (int(wildcards.last) - int(wildcards.first) + 1) / len(numbers)


def part_of(run, wildcards):
    """Settings of one part of a training."""
    return experiments.of_seeds(run, int(wildcards.first), int(wildcards.last))


def ends(numbers):
    """First and last of them, as settings of a stage that does them all."""
    return {"first": numbers[0], "last": numbers[-1]}


def ends_of_part(wildcards):
    """The same of a job that does some of them."""
    return {"first": int(wildcards.first), "last": int(wildcards.last)}


def expected_cost(peers, axes, **_):
    """Seconds that it takes to compile and time a piece of work for all peers and sizes."""
    return 6 * len(peers) * sum(map(len, axes.values()))


def inner_contexts(points):
    """Numbers of the contexts that are not at the edge of a square grid."""
    return [points * row + column for row in range(1, points - 1) for column in range(1, points - 1)]


def split_n_fit_networks(inputs, sweep):
    """Networks that are compared: swept ones only with inputs that know nothing of the mass."""
    swept = [f"tuned_{point}" for point in sweep] if inputs == "decorrelated" else []
    return ["wrong", "tuned", "correct", *swept]


def higgsml_design(part, scores):
    """Expected histograms on all chunks of the design, of one part of the pools."""
    return [f"<results>/higgsml/design/{part}/{chunk}.nc" for chunk in range(scores["design"]["chunks"])]


def vbf_hh4b_seconds(run, data):
    """Of an optimisation: compiling, and steps with all events or with batches that go through a network."""
    events = sum(data["events"].values()) / 360000
    step = 0.016 * events if run["batch_size"] is None else 0.0085 * run["batch_size"] / 1000
    return 30 + run["steps"] * run["seeds"] * step


def vbf_hh4b_trained(study, group):
    """Files of the runs of a group."""
    return [f"<results>/vbf_hh4b/train/{run}.nc" for run in experiments.members(study, group)]


def vbf_hh4b_runs(study, group):
    """Settings of the runs of a group, as stages are told of them."""
    runs = experiments.folded(study)
    return {"runs": {run: runs[run] for run in experiments.members(study, group)}}


def signal_ntuples(study):
    """Files that hold the signal at each mass point, if it is not generated."""
    pattern, files = study["data"]["ntuples"].get("signal"), []
    if pattern:
        masses = mass_grid.points(study["grid"]["parts"])
        files = [pattern.format(m_x=f"{m_x:g}", m_s=f"{m_s:g}") for m_x, m_s in masses]
    return user_files("config/studies/resonance.yaml: data.ntuples.signal", files)


def user_files(where, files):
    """The same files, with which users come, if they are there."""
    for file in files:
        if not Path(file).is_file():
            refuse(f"{where}: there is no file {file}: put it there or name another")
    return files


def require_masses(settings):
    """Stop if a mass point that is left out or shown is none of the grid."""
    path = "config/studies/resonance.yaml"
    masses = located(f"{path}: grid.parts", mass_grid.points, settings["grid"]["parts"])
    wanted = {
        "grid.held_out": settings["grid"]["held_out"],
        "prediction.shown": settings["prediction"]["shown"],
        "observables.pnn": [settings["observables"]["pnn"]],
        "observables.s_flow": settings["observables"]["s_flow"],
    }
    for key, points in wanted.items():
        located(f"{path}: {key}", mass_grid.chosen, masses, points)


def results(names):
    """Files behind the inputs of a figure or claim: name of a result, or a list of names, for each argument."""
    path = lambda name: f"{config['pathvars']['results']}/{name}.nc"
    return {
        argument: [path(n) for n in name] if isinstance(name, list) else path(name) for argument, name in names.items()
    }


def pictures(**of):
    """Figures and animations of a study or a document."""
    return [PICTURES[name] for name, entry in ENTRIES.items() if of.items() <= entry.items()]


def plot_of(figure):
    """The function that draws a figure."""
    return conf.plot_call(ENTRIES[figure])


@cache
def is_made(file):
    """Whether a rule makes it."""
    return any(maker.is_producer(file) for maker in workflow.rules)


def require_references(path, entries, call_of):
    """Stop if an entry names a document, a function or a result that does not exist.

    Snakemake passes in silence over a figure whose input no rule makes, where an old file of it is left.
    """
    numbers = {}
    for name, entry in entries.items():
        number = entry["document"], entry.get("number", name)
        if numbers.setdefault(number, name) != name:
            refuse(f"{path}: {name}.number: {numbers[number]} has it already: give another")
        if entry["document"] not in DOCUMENTS:
            refuse(f"{path}: {name}.document: {entry['document']} is not among documents: {', '.join(DOCUMENTS)}")
        located(f"{path}: {name}", check_arguments, call_of(name), [*entry["inputs"], *entry.get("options", {})])
        for argument, files in results(entry["inputs"]).items():
            for file in [files] if isinstance(files, str) else files:
                if not is_made(file):
                    refuse(f"{path}: {name}.inputs.{argument}: no rule makes {file}")


def claims_of(document):
    """Claims of a document, with files in place of the names of results."""
    return {
        name: conf.plain({**claim, "inputs": results(claim["inputs"])})
        for name, claim in CLAIMS.items()
        if claim["document"] == document
    }


def claim_inputs(document):
    """Every file that a claim of the document is checked on."""
    groups = (claim["inputs"].values() for claim in claims_of(document).values())
    return sorted(
        {path for group in groups for paths in group for path in ([paths] if isinstance(paths, str) else paths)}
    )

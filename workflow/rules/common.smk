"""What the rules may ask for: settings, manifest, claims, and the code behind a stage. No rules."""

import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SOURCE = Path(workflow.basedir, "src")
sys.path.insert(0, str(SOURCE))

from diffhep import configuration as conf
from diffhep.dependencies import fingerprint


def schema(name):
    return Path(workflow.basedir, "workflow", "schemas", f"{name}.schema.yaml")


def read(path, name):
    return conf.check(conf.read(path), schema(name), path)


try:
    # by hand and not by `validate`: one message that names file and key
    conf.check(dict(config), schema("config"), "config/config.yaml")
    MANIFEST = read("config/figures.yaml", "figures")
    CLAIMS = read("config/claims.yaml", "claims")
    STUDIES = sorted({figure["study"] for figure in MANIFEST["figures"].values()})
    SETTINGS = {
        study: conf.load_study(Path(f"config/studies/{study}.yaml"), schema(study), config["scale"]) for study in STUDIES
    }
except conf.ConfigurationError as error:
    raise WorkflowError(str(error)) from None

FIGURES, DOCUMENTS = MANIFEST["figures"], MANIFEST["documents"]


wildcard_constraints:
    figure="|".join(map(re.escape, FIGURES)),
    document="|".join(map(re.escape, DOCUMENTS)),


def job(call, settings):
    """What a job is told, and what makes it run anew if it changes: one plain dict."""
    return {"call": call, "settings": conf.plain(settings), "code": fingerprint(call)}


def results(names):
    """Files behind the inputs of a figure or claim: name of a result, or a list of names, for each argument."""
    path = lambda name: f"{config['pathvars']['results']}/{name}.nc"
    return {
        argument: [path(n) for n in name] if isinstance(name, list) else path(name) for argument, name in names.items()
    }


def require_producers(path, entries):
    """Stop if an entry is made from a result that no rule makes, which Snakemake passes over where an old file is left."""
    for name, entry in entries.items():
        for argument, files in results(entry["inputs"]).items():
            for file in [files] if isinstance(files, str) else files:
                if not any(rule.is_producer(file) for rule in workflow.rules):
                    raise WorkflowError(f"{path}: {name}.inputs.{argument}: no rule makes {file}")


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
    return sorted({path for group in groups for paths in group for path in ([paths] if isinstance(paths, str) else paths)})

"""Figures and claims of all documents, and the results that they need. No rules."""

from functools import cache

from diffhep.pipeline.manifest import read_claims, read_manifest, source_of

DOCUMENTS, FIGURES, ANIMATIONS = exit_with_context(
    "", read_manifest, Path("config/figures"), lambda path: read(path, "figures")
)
CLAIMS = exit_with_context("", read_claims, Path("config/claims"), lambda path: read(path, "claims"))
ENTRIES = FIGURES | ANIMATIONS
PICTURES = {
    **{name: f"<results>/figures/{name}.pdf" for name in FIGURES},
    **{name: f"<results>/figures/{name}.gif" for name in ANIMATIONS},
}
for name, entry in ENTRIES.items():
    if entry["study"] not in STUDIES:
        path = f"config/studies/{entry['study']}.yaml"
        exit_with(f"{source_of(entry, 'figures')}: {name}.study: there is no {path}; choose from {', '.join(STUDIES)}")


wildcard_constraints:
    figure="|".join(map(re.escape, FIGURES)),
    animation="|".join(map(re.escape, ANIMATIONS)),
    document="|".join(map(re.escape, DOCUMENTS)),


def results(names):
    """Files behind the inputs of a figure or claim: name of a result, or a list of names, for each argument."""
    path = lambda name: f"{config['pathvars']['results']}/{name}.nc"
    return {
        argument: [path(n) for n in name] if isinstance(name, list) else path(name) for argument, name in names.items()
    }


def pictures(**entry):
    """Files of the figures and animations with these entries in the manifest, such as `study` or `document`."""
    return [PICTURES[name] for name, known in ENTRIES.items() if entry.items() <= known.items()]


def plot_function(figure):
    """The function that draws a figure, as `module:function`."""
    return conf.plot_call(ENTRIES[figure])


@cache
def has_rule(file):
    """Whether a rule makes a file."""
    return any(rule.is_producer(file) for rule in workflow.rules)


def check_references(kind, entries, call_of):
    """Stop if an entry names a document, a function or a result that does not exist.

    Snakemake ignores a figure whose input no rule makes where an old file of that input exists.
    """
    numbers = {}
    for name, entry in entries.items():
        path = source_of(entry, kind)
        number = entry["document"], entry.get("number", name)
        if numbers.setdefault(number, name) != name:
            exit_with(f"{path}: {name}.number: {numbers[number]} has it already: give another")
        if entry["document"] not in DOCUMENTS:
            exit_with(f"{path}: {name}.document: {entry['document']} is not among documents: {', '.join(DOCUMENTS)}")
        arguments = [*entry["inputs"], *entry.get("options", {})]
        exit_with_context(f"{path}: {name}", check_arguments, call_of(name), arguments)
        for argument, files in results(entry["inputs"]).items():
            for file in [files] if isinstance(files, str) else files:
                if not has_rule(file):
                    exit_with(f"{path}: {name}.inputs.{argument}: no rule makes {file}")


def claims_of(document):
    """Claims of a document, with files in place of the names of results."""
    return {
        name: conf.as_plain_json({**claim, "inputs": results(claim["inputs"])})
        for name, claim in CLAIMS.items()
        if claim["document"] == document
    }


def claim_inputs(document):
    """Every file that a claim of the document is checked on."""
    groups = (claim["inputs"].values() for claim in claims_of(document).values())
    return sorted(
        {path for group in groups for paths in group for path in ([paths] if isinstance(paths, str) else paths)}
    )

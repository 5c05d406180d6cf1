"""What the documents say happened, beside what the stored results say."""


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


rule document_claims:
    """Check the claims of one document."""
    input:
        lambda wildcards: claim_inputs(wildcards.document),
    output:
        "<results>/claims/{document}.csv",
    log:
        "<results>/claims/{document}.log",
    benchmark:
        "<results>/claims/{document}.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        claims=lambda wildcards: claims_of(wildcards.document),
        code=fingerprint("diffhep.claims:check"),
    script:
        "../scripts/claims.py"


rule claims:
    """The claims of all documents, each with what was measured: holds, does not hold, or undecided."""
    input:
        expand("<results>/claims/{document}.csv", document=DOCUMENTS),
    output:
        "<results>/claims.csv",
        report("<results>/claims.md", caption="../report/claims.rst", category="Claims"),
    log:
        "<results>/claims.log",
    benchmark:
        "<results>/claims.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    script:
        "../scripts/join.py"

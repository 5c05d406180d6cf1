"""Checks of the claims of the documents on stored results."""


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
        code=fingerprint("diffhep.pipeline.claims:check"),
    script:
        "../scripts/claims.py"


rule claims:
    """Tabulate the claims of all documents: measured value, and whether each holds, does not hold or is undecided."""
    input:
        expand("<results>/claims/{document}.csv", document=DOCUMENTS),
    output:
        "<results>/claims.csv",
        "<results>/claims.md",
    log:
        "<results>/claims.log",
    benchmark:
        "<results>/claims.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    script:
        "../scripts/join.py"

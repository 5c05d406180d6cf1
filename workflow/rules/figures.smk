"""All figures by one rule, and a target by name for every figure, study and document of the manifest."""


rule figure:
    """Draw one figure of the manifest from stored results."""
    input:
        unpack(lambda wildcards: results(FIGURES[wildcards.figure]["inputs"])),
    output:
        pdf="<results>/figures/{figure}.pdf",
        png=report(
            "<results>/figures/{figure}.png",
            caption="../report/figure.rst",
            category=lambda wildcards: DOCUMENTS[FIGURES[wildcards.figure]["document"]]["title"],
            subcategory=lambda wildcards: FIGURES[wildcards.figure]["section"],
            labels=lambda wildcards: {"figure": FIGURES[wildcards.figure]["number"]},
        ),
    log:
        "<results>/figures/{figure}.log",
    benchmark:
        "<results>/figures/{figure}.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        entry=lambda wildcards: conf.plain(FIGURES[wildcards.figure]),
        code=lambda wildcards: fingerprint(plot_of(wildcards.figure)),
        dpi=config["dpi"],
    script:
        "../scripts/draw.py"


for name in FIGURES:

    rule:
        name:
            name
        input:
            f"<results>/figures/{name}.pdf",
        localrule: True


for study in sorted(set(STUDIES) - set(DOCUMENTS)):  # a study of its document's name is in its rule

    rule:
        name:
            study
        input:
            [f"<results>/figures/{name}.pdf" for name, entry in FIGURES.items() if entry["study"] == study],
        localrule: True


for document in DOCUMENTS:

    rule:
        name:
            document
        input:
            [f"<results>/figures/{name}.pdf" for name, entry in FIGURES.items() if entry["document"] == document],
            f"<results>/claims/{document}.csv",
        localrule: True

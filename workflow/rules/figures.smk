"""One rule for all figures, one for animations, and a target for every figure, study and document by name."""


rule figure:
    """Draw one figure of the manifest from stored results."""
    input:
        unpack(lambda wildcards: results(FIGURES[wildcards.figure]["inputs"])),
    output:
        pdf="<results>/figures/{figure}.pdf",
        png="<results>/figures/{figure}.png",
    log:
        "<results>/figures/{figure}.log",
    benchmark:
        "<results>/figures/{figure}.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        entry=lambda wildcards: conf.as_plain_json(FIGURES[wildcards.figure]),
        code=lambda wildcards: fingerprint(plot_function(wildcards.figure)),
        dpi=config["dpi"],
    script:
        "../scripts/draw.py"


rule animation:
    """Draw one animation of the manifest from stored results."""
    input:
        unpack(lambda wildcards: results(ANIMATIONS[wildcards.animation]["inputs"])),
    output:
        "<results>/figures/{animation}.gif",
    log:
        "<results>/figures/{animation}.log",
    benchmark:
        "<results>/figures/{animation}.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    params:
        entry=lambda wildcards: conf.as_plain_json(ANIMATIONS[wildcards.animation]),
        code=lambda wildcards: fingerprint(plot_function(wildcards.animation)),
        dpi=config["dpi"] // 2,
    script:
        "../scripts/animate.py"


for name, path in PICTURES.items():

    rule:
        name:
            name
        input:
            path,
        localrule: True


for study in sorted(set(STUDIES) - set(DOCUMENTS)):  # a study of its document's name is in its rule

    rule:
        name:
            study
        input:
            pictures(study=study),
        localrule: True


for document in DOCUMENTS:

    rule:
        name:
            document
        input:
            pictures(document=document),
            f"<results>/claims/{document}.csv",
        localrule: True

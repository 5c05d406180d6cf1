"""The one way in which a stage runs: datasets in, one dataset out. A study `use`s it and says what is its own."""


pathvars:
    stem="<results>/<study>/<stage>",  # a rule that uses the template names study and stage
    study="study",
    stage="stage",


rule stage:
    output:
        "<stem>.nc",
    log:
        "<stem>.log",
    benchmark:
        "<stem>.benchmark.tsv"
    conda:
        "../../envs/diffhep.yaml"
    resources:
        expected_seconds=10,  # of one core; for the forecast only
    params:
        job=None,
    script:
        "../scripts/run.py"

"""Template rule of a stage, which makes one dataset from others. A study `use`s it with its own inputs and settings."""


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
        f"{workflow.basedir}/envs/diffhep.yaml"  # a relative path would be relative to the file that uses the rule
    resources:
        expected_seconds=10,  # of one core; for the forecast only
    params:
        job=None,
    script:
        f"{workflow.basedir}/workflow/scripts/run.py"

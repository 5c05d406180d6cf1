"""Study `histograms`: what a binned kernel density estimate does to a histogram."""

HISTOGRAMS = {
    stage: job(f"diffhep.studies.histograms:{stage}", {"seed": config["seed"], **settings})
    for stage, settings in SETTINGS["histograms"].items()
}


use rule stage as histograms_bandwidth_tradeoff with:
    pathvars:
        stem="<results>/histograms/bandwidth_tradeoff",
    params:
        job=HISTOGRAMS["bandwidth_tradeoff"],


use rule stage as histograms_translation with:
    pathvars:
        stem="<results>/histograms/translation",
    params:
        job=HISTOGRAMS["translation"],


use rule stage as histograms_gradients with:
    pathvars:
        stem="<results>/histograms/gradients",
    params:
        job=HISTOGRAMS["gradients"],


use rule stage as histograms_gradient_map with:
    pathvars:
        stem="<results>/histograms/gradient_map",
    resources:
        expected_seconds=60,
    params:
        job=HISTOGRAMS["gradient_map"],

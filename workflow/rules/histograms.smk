"""Study `histograms`: what a binned kernel density estimate does to a histogram."""


def histograms_job(stage):
    return job(f"diffhep.studies.histograms:{stage}", {"seed": config["seed"], **SETTINGS["histograms"][stage]})


use rule stage as histograms_bandwidth_tradeoff with:
    pathvars:
        stem="<results>/histograms/bandwidth_tradeoff",
    params:
        job=histograms_job("bandwidth_tradeoff"),


use rule stage as histograms_translation with:
    pathvars:
        stem="<results>/histograms/translation",
    params:
        job=histograms_job("translation"),


use rule stage as histograms_gradients with:
    pathvars:
        stem="<results>/histograms/gradients",
    params:
        job=histograms_job("gradients"),


use rule stage as histograms_gradient_map with:
    pathvars:
        stem="<results>/histograms/gradient_map",
    resources:
        expected_seconds=60,
    params:
        job=histograms_job("gradient_map"),

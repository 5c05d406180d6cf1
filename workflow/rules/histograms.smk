"""Study `histograms`: what a binned kernel density estimate does to a histogram."""


use rule stage as histograms_bandwidth_tradeoff with:
    pathvars:
        stem="<results>/histograms/bandwidth_tradeoff",
    params:
        job=job(
            "diffhep.studies.histograms:bandwidth_tradeoff",
            {"seed": config["seed"], **SETTINGS["histograms"]["bandwidth_tradeoff"]},
        ),

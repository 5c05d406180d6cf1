"""Statistical inference: fits, test statistics, hypothesis tests, limits, intervals, pseudo-experiments."""

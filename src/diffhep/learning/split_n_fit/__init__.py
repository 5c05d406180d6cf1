"""Split-N-Fit: a loss without labels and fine-tuning on data."""

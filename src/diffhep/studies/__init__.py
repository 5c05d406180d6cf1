"""The stages of each study: functions from settings and datasets to a dataset."""

"""Plot functions, one module for each study: functions from datasets to a matplotlib Figure."""

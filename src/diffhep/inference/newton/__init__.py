"""The Newton minimiser behind the fits, for bounded parameters and empty bins."""

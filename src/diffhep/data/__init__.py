"""Generators and readers of events."""

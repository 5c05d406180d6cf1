"""Conditional normalizing flows, ensembles of flows, and contrastive flows."""

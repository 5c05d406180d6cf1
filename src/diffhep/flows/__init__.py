"""Conditional normalizing flows, their training, ensembles of them, contrastive flows."""

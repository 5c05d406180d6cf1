"""Contrastive normalizing flows on Gaussians and digits."""

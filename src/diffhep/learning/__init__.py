"""Training: networks, losses, optimisers and the compiled training loop."""

"""The signal strength of H -> tau tau, by contrastive flows and by other methods."""

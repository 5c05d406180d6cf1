"""Signal strength of H -> tau tau in the HiggsML Uncertainty Challenge, by contrastive flows and other methods."""

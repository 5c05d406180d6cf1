"""Simulated H -> tau tau events with the columns of the HiggsML challenge."""

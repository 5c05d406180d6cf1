"""Toy H -> tau tau events with the columns of the HiggsML challenge, their energy shifts, and the challenge's files."""

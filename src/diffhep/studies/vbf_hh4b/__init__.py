"""VBF HH -> 4b: cuts, bins and a network optimised together (TOMATOS)."""

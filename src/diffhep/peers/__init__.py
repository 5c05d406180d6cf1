"""Fits, limits and expected CLs of the same templates with diffhep and with its peers.

Modules of one name each have some of the functions `fit`, `limit` and `cls`. Those of peers need the extra
`benchmarks` and are imported where they are timed.
"""

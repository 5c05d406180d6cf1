"""Histograms and cuts: smooth ones to train with, hard ones to evaluate, and what is built from them."""

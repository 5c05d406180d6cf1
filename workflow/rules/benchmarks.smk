"""Speeds beside the peers."""

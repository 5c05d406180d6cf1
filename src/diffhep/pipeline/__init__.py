"""Modules that the workflow calls: settings, jobs, results on disk, claims, pages."""

"""Triage of chest radiographs. Research use only."""

__version__ = "0.1.0"

"""Faults as data, and how they change an answer."""

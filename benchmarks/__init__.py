"""Measurements of the product beside its peers; nothing of it is installed."""

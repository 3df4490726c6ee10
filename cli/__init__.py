"""The command line; the one place that composes every part."""

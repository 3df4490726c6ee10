"""The one home of SQL."""

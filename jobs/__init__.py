"""Work away from requests: read from storage, think in the optimizer, store."""

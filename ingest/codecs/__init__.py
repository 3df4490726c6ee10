"""One file per vendor: from bytes to a reading."""

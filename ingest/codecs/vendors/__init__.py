"""One file per vendor: how its frames are read, and its models in `CODECS`."""

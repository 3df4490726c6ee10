"""How full containers are, and how full they will be."""

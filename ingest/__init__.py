"""From a device's message to a stored row, and tours back down to trucks."""

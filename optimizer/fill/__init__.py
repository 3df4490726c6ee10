"""What is believed about each container: its level, its rate, and how sure that is."""

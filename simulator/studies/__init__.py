"""What-if studies: policies compared on simulated weeks."""

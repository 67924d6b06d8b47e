"""The rules of the product: no I/O, no clock, no threads. Time comes in with the facts."""

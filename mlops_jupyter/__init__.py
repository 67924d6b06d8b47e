"""Train, watch, compare and serve models without leaving the notebook."""

__version__ = "0.1.0"

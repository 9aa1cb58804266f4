"""ErrorStack Live: a self-hosted, real-time error stream."""

__version__ = "0.1.0"

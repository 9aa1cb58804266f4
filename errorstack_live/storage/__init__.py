"""The database: the only importers of the driver. Takes and gives the model's values alone."""

import os

THREADS = 24
# The driver makes its thread pool when it is imported, five to a core: on a small machine the
# calls of pages would take them all, and submissions wait.
os.environ.setdefault("MOTOR_MAX_WORKERS", str(THREADS))

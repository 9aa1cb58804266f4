"""The database: the only importers of the driver. Takes and gives the model's values alone."""

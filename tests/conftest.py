"""Every test runs on the real thing: a mongod and a Hypercorn of its own session."""

pytest_plugins = ["fixtures_storage"]

"""Every test runs on the real thing: a mongod and a Hypercorn of its own session."""

from hypothesis import settings

pytest_plugins = [
    "fixtures_storage",
    "fixtures_server",
    "fixtures_dashboard",
    "fixtures_browser",
    "fixtures_site",
]

# A shared machine has slow moments: an example may take its time, a test may not hang.
settings.register_profile("errorstack", deadline=None)
settings.load_profile("errorstack")

"""What the tests of every client share; harness/ says what each fixture gives."""

pytest_plugins = ["harness.fixtures", "harness.report", "fixtures_browser"]

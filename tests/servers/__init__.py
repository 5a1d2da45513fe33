"""Real servers for tests: PostgreSQL, Valkey, an S3-compatible store and Picky itself.

Each starter takes a `Lifetime` and lives exactly as long as it does, even when the test run is
killed. `plugin` turns the starters into fixtures that all workers of a run share.
"""

"""Real servers for tests: PostgreSQL, Valkey, an S3-compatible store and Picky itself.

`plugin` has the fixtures; every test may ask for them:

- `database_url`: a database with the newest schema and no rows; the test runs once on SQLite and
  once on PostgreSQL. `sqlite_url` and `postgres_url` are one of the two, `empty_postgres_url` is
  for a test that changes the schema.
- `valkey_url`: an empty Valkey database.
- `s3_bucket`: an empty bucket, with its `url` and `environment`.
- `picky_server`: a running `picky-server serve` of this test alone, on both databases.
- `private_lifetime`: for servers that the test kills or restarts, with `start_picky`,
  `start_postgres`, `start_valkey` and `start_s3`.

- `run_command` runs any other command of `picky-server` to its end.

Each starter takes a `Lifetime` and its server lives exactly as long as it does, even when the test
run is killed.
"""

"""What a role of PostgreSQL lacks to run a market's process."""

from sqlalchemy import text

from server.platform.database import Database
from server.platform.event_days import FUNCTIONS

_SCHEMA = text("SELECT current_schema()")
_TABLES = text("""
SELECT wanted || ' on ' || relname FROM pg_class
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted
WHERE relkind IN ('r', 'p') AND NOT relispartition
    AND relnamespace = to_regnamespace(quote_ident(current_schema()))
    AND relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('alembic_version'))
    AND (relname <> 'alembic_version' OR wanted = 'SELECT')
    AND NOT has_table_privilege(pg_class.oid, wanted)
ORDER BY relname, wanted
""")
_FUNCTIONS = text("""
SELECT 'EXECUTE on ' || name FROM unnest(CAST(:names AS text[])) AS name
WHERE NOT has_function_privilege(to_regproc(name)::oid, 'EXECUTE') ORDER BY name
""")
"""What is not there, because the schema is older, is no right that is lacking."""


async def missing_rights(database: Database) -> list[str]:
    """The rights that the role of a PostgreSQL lacks, as they are called there."""
    async with database.reader.connect() as connection:
        if await connection.scalar(_SCHEMA) is None:
            return ["USAGE on the schema"]
        tables = await connection.scalars(_TABLES)
        functions = await connection.scalars(_FUNCTIONS, {"names": list(FUNCTIONS)})
        return [*tables, *functions]

"""Dead jobs have an index, and events are kept by day

Revision ID: 0004
Revises: 0003

Days are for PostgreSQL only. What there is stays where it is, and becomes the part of all days
before one that is to come. That no event is of that day or later has to be known before, or all of
them would be looked at while nobody can write; so it is a constraint for a moment, which is
validated beside those who write. A migration that was killed after that has to be gone on with
before that day comes, when the constraint would refuse events: therefore it lies a week ahead.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
from alembic import op

from migrations import beside

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_EVENTS = "platform_stream_event"
_KEY = "uq_platform_stream_event_by_day"
_CHECK = "ck_platform_stream_event_before_"
_DEAD = "ix_platform_job_dead"
_DAYS = 4
_MARGIN = 7

# Who connects as the worker need not own the tables: it makes and drops days by these, which lock
# both tables in the order in which those who append do.
_PATH = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
"""The path that both keep: what somebody else has made for a session comes last."""
_MAKE = """
CREATE OR REPLACE FUNCTION platform_make_event_day(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    starts timestamptz := day::timestamp AT TIME ZONE 'UTC';
    ends timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    LOCK TABLE platform_stream IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY platform_stream_event IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (
        SELECT FROM platform_stream_event_default
        WHERE created_at >= starts AND created_at < ends
    ) THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF platform_stream_event'
        ' FOR VALUES FROM (%L) TO (%L)',
        'platform_stream_event_' || to_char(day, 'YYYYMMDD'), starts, ends
    );
    RETURN true;
END $$
"""
_DROP = """
CREATE OR REPLACE FUNCTION platform_drop_event_part(part text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE platform_stream IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY platform_stream_event IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (
        SELECT FROM pg_inherits WHERE inhparent = 'platform_stream_event'::regclass
        AND inhrelid = to_regclass(quote_ident(part))
    ) AND part <> 'platform_stream_event_default' THEN
        EXECUTE format('DROP TABLE %I', part);
    END IF;
END $$
"""

# Who adds a part has the default looked through for events of it, while nobody can write. Where
# there is much in it, it is closed to days to come, and looked through beside those who write: then
# a part for one of them is taken without a look. While it is closed it refuses events of those
# days.
_CLOSE = """
CREATE OR REPLACE FUNCTION platform_close_event_default(first date, after date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    LOCK TABLE platform_stream IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY platform_stream_event IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'ALTER TABLE platform_stream_event_default ADD CONSTRAINT %I'
        ' CHECK (created_at < %L OR created_at >= %L) NOT VALID',
        'ck_platform_stream_event_default_before_' || to_char(first, 'YYYYMMDD'),
        first::timestamp AT TIME ZONE 'UTC', after::timestamp AT TIME ZONE 'UTC'
    );
END $$
"""
_SCAN = """
CREATE OR REPLACE FUNCTION platform_scan_event_default() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    closing name;
BEGIN
    FOR closing IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'platform_stream_event_default'::regclass AND contype = 'c'
    LOOP
        EXECUTE format(
            'ALTER TABLE platform_stream_event_default VALIDATE CONSTRAINT %I', closing
        );
    END LOOP;
END $$
"""
_OPEN = """
CREATE OR REPLACE FUNCTION platform_open_event_default() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    closing name;
BEGIN
    LOCK TABLE platform_stream IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY platform_stream_event IN ACCESS EXCLUSIVE MODE;
    FOR closing IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'platform_stream_event_default'::regclass AND contype = 'c'
    LOOP
        EXECUTE format('ALTER TABLE platform_stream_event_default DROP CONSTRAINT %I', closing);
    END LOOP;
END $$
"""
_FUNCTIONS = (
    "platform_make_event_day, platform_drop_event_part, platform_close_event_default,"
    " platform_scan_event_default, platform_open_event_default"
)

_TODAY = sa.text("SELECT (now() AT TIME ZONE 'UTC')::date")
_NEXT = sa.text(
    "SELECT 1 + greatest((now() AT TIME ZONE 'UTC')::date,"
    " (max(created_at) AT TIME ZONE 'UTC')::date) FROM platform_stream_event"
)
_ANY = sa.text("SELECT EXISTS (SELECT FROM platform_stream_event)")
_BOUND = sa.text(
    "SELECT right(conname, 8)::date FROM pg_constraint WHERE conname ^@ :check"
    " AND conrelid = to_regclass(:events)"
).bindparams(check=_CHECK, events=_EVENTS)


def upgrade() -> None:
    """Apply."""
    is_dead = sa.text("dead_at IS NOT NULL")
    beside.create_index(
        _DEAD, "platform_job", ["dead_at"], postgresql_where=is_dead, sqlite_where=is_dead
    )
    if not beside.is_postgresql():
        return
    beside.create_index(_KEY, _EVENTS, ["stream_id", "pos", "created_at"], unique=True)
    if op.get_bind().scalar(_ANY) and not beside.is_alone():
        bound = _checked_bound()
        _lock()
    else:
        _lock()
        bound = _day(_NEXT if op.get_bind().scalar(_ANY) else _TODAY)
    _cut(bound)


def _checked_bound() -> date:
    """A day to come, before which all events are."""
    bound: date | None = op.get_bind().scalar(_BOUND)
    if bound is None:
        bound = _day(_NEXT) + timedelta(_MARGIN)
        op.execute(
            f"ALTER TABLE {_EVENTS} ADD CONSTRAINT {_CHECK}{bound:%Y%m%d}"
            f" CHECK (created_at < '{_start(bound)}') NOT VALID"
        )
        beside.commit()
    op.execute(f"ALTER TABLE {_EVENTS} VALIDATE CONSTRAINT {_CHECK}{bound:%Y%m%d}")
    beside.commit()
    return bound


def _day(question: sa.TextClause) -> date:
    found = op.get_bind().scalar(question)
    assert isinstance(found, date)
    return found


def _start(day: date) -> str:
    return datetime.combine(day, time(), UTC).isoformat(sep=" ")


def _lock() -> None:
    """In the order in which those who append lock both: there is no deadlock with them."""
    for table in ("platform_stream", _EVENTS):
        op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def _cut(bound: date) -> None:
    for statement in _statements(bound):
        op.execute(statement)


def _statements(bound: date) -> Iterator[str]:
    before = f"{_EVENTS}_before_{bound:%Y%m%d}"
    key, index = f"pk_{_EVENTS}", f"ix_{_EVENTS}_created_at"
    refers = f"fk_{_EVENTS}_stream_id"
    yield f"ALTER TABLE {_EVENTS} RENAME TO {before}"
    yield f"ALTER INDEX {index} RENAME TO ix_{before}_created_at"
    yield f"ALTER TABLE {before} DROP CONSTRAINT {key}"
    yield f"ALTER TABLE {before} ADD CONSTRAINT pk_{before} PRIMARY KEY USING INDEX {_KEY}"
    yield (
        f"CREATE TABLE {_EVENTS} (stream_id uuid NOT NULL, pos bigint NOT NULL,"
        " kind varchar(40) NOT NULL, data bytea NOT NULL, created_at timestamptz NOT NULL,"
        f" CONSTRAINT {key} PRIMARY KEY (stream_id, pos, created_at),"
        f" CONSTRAINT {refers} FOREIGN KEY (stream_id) REFERENCES platform_stream (id)"
        ") PARTITION BY RANGE (created_at)"
    )
    yield f"CREATE INDEX {index} ON {_EVENTS} (created_at)"
    yield (
        f"ALTER TABLE {_EVENTS} ATTACH PARTITION {before}"
        f" FOR VALUES FROM (MINVALUE) TO ('{_start(bound)}')"
    )
    yield f"ALTER TABLE {before} DROP CONSTRAINT IF EXISTS {_CHECK}{bound:%Y%m%d}"
    yield f"CREATE TABLE {_EVENTS}_default PARTITION OF {_EVENTS} DEFAULT"
    for number in range(_DAYS):
        day = bound + timedelta(number)
        yield (
            f"CREATE TABLE {_EVENTS}_{day:%Y%m%d} PARTITION OF {_EVENTS}"
            f" FOR VALUES FROM ('{_start(day)}') TO ('{_start(day + timedelta(1))}')"
        )
    yield _PATH
    yield from (_MAKE, _DROP, _CLOSE, _SCAN, _OPEN)
    yield f"REVOKE EXECUTE ON FUNCTION {_FUNCTIONS} FROM PUBLIC"


def downgrade() -> None:
    """Undo; the rows are copied."""
    op.drop_index(_DEAD, "platform_job")
    if not beside.is_postgresql():
        return
    op.execute(f"DROP FUNCTION {_FUNCTIONS}")
    op.execute(f"ALTER TABLE {_EVENTS} RENAME TO {_EVENTS}_by_day")
    for kind, end in (("pk", ""), ("ix", "_created_at")):
        op.execute(f"ALTER INDEX {kind}_{_EVENTS}{end} RENAME TO {kind}_{_EVENTS}_by_day{end}")
    op.execute(
        f"CREATE TABLE {_EVENTS} (LIKE {_EVENTS}_by_day,"
        f" CONSTRAINT pk_{_EVENTS} PRIMARY KEY (stream_id, pos), CONSTRAINT fk_{_EVENTS}_stream_id"
        " FOREIGN KEY (stream_id) REFERENCES platform_stream (id))"
    )
    op.execute("INSERT INTO platform_stream_event SELECT * FROM platform_stream_event_by_day")
    op.execute(f"DROP TABLE {_EVENTS}_by_day")
    op.execute(f"CREATE INDEX ix_{_EVENTS}_created_at ON {_EVENTS} (created_at)")

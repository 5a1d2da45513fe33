"""The rules that keep data right and that no linter knows: one committer, one clock, keysets."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import breaks, calls, dotted, none_of, python_files, violations

COMMITTERS = ("server/platform/unit_of_work.py", "server/platform/migrate.py")
TIME_AND_CHANCE = (
    "server/platform/clock.py",
    "server/platform/ids.py",
    "server/platform/secrets.py",
    "server/platform/object_store/embedded.py",  # makes the store's own keys
    "server/platform/exported_traces.py",  # a span begins and ends by the machine's clock
    "server/app/secret_file.py",  # makes the local secret key
    "server/app/demo",  # draws from a seeded source
)


def commits(tree: ast.Module) -> Iterator[ast.AST]:
    """A transaction is begun or committed."""
    yield from calls(tree, ".commit")
    for node in calls(tree, ".begin"):
        if receiver(node) in ("connection", "engine", "reader", "session", "writer"):
            yield node
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
            if words and words[0] in ("BEGIN", "COMMIT"):
                yield node


def receiver(call: ast.AST) -> str:
    """Return the last name before a method's: `writer` for `self.database._writer.begin()`."""
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return dotted(call.func.value).rpartition(".")[2].lstrip("_")
    return ""


CONNECTIONS = ("server/platform/database.py", "server/platform/postgresql.py")
"""They say how a transaction begins, wherever one does."""


def test_only_the_unit_of_work_begins_and_commits_transactions() -> None:
    files = python_files("server", but=(*COMMITTERS, *CONNECTIONS))
    none_of(violations(commits, files))


@pytest.mark.parametrize(
    "code", ["await work.connection.commit()", "engine.begin()", "run('COMMIT')", "x.y().commit()"]
)
def test_a_commit_elsewhere_is_found(code: str) -> None:
    assert breaks(commits, code)


def or_keysets(tree: ast.Module) -> Iterator[ast.AST]:
    """A page begins at `a < x OR (a = x AND b < y)`, or at an OFFSET."""
    yield from calls(tree, ".offset")
    for node in ast.walk(tree):
        branches = alternatives(node)
        ordered = {
            ast.dump(left) for branch in branches for left in compared(branch, ordering=True)
        }
        tied = {ast.dump(left) for branch in branches for left in compared(branch, ordering=False)}
        if ordered & tied:
            yield node


def alternatives(node: ast.AST) -> list[ast.expr]:
    """Return the branches of `or_(...)` or `... | ...`."""
    if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "or_":
        return node.args
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [node.left, node.right]
    return []


def compared(branch: ast.expr, *, ordering: bool) -> Iterator[ast.expr]:
    """Yield what a branch compares: by order as a whole, or for equality inside an AND."""
    kinds = (ast.Lt, ast.LtE, ast.Gt, ast.GtE) if ordering else (ast.Eq,)
    for node in [branch] if ordering else ast.walk(branch):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], kinds):
            yield node.left


def test_pages_begin_at_row_values() -> None:
    none_of(violations(or_keysets, python_files("server")))


@pytest.mark.parametrize(
    "code",
    [
        "or_(t.a < x, and_(t.a == x, t.b < y))",
        "sa.or_(t.a > x, (t.a == x) & (t.b > y))",
        "(t.a < x) | ((t.a == x) & (t.b < y))",
        "select(t).offset(20)",
    ],
)
def test_an_or_keyset_or_an_offset_is_found(code: str) -> None:
    assert breaks(or_keysets, code)


@pytest.mark.parametrize("code", ["tuple_(t.a, t.b) < (x, y)", "or_(t.a == x, t.b == y)"])
def test_row_values_and_plain_alternatives_are_no_or_keyset(code: str) -> None:
    assert not breaks(or_keysets, code)


def own_time_or_chance(tree: ast.Module) -> Iterator[ast.AST]:
    """The machine's clock, the database's clock or a random source is asked directly."""
    yield from calls(
        tree,
        *(".datetime.now", ".datetime.utcnow", ".datetime.today", ".date.today"),
        *("time.time", "time.time_ns", "func.now", "func.current_timestamp"),
        *("uuid.uuid1", "uuid.uuid4", ".uuid7", "os.urandom"),
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and {"random", "secrets"} & {a.name for a in node.names}:
            yield node
        if isinstance(node, ast.ImportFrom) and node.module in ("random", "secrets"):
            yield node


def test_time_ids_and_chance_are_injected() -> None:
    files = python_files("server", but=TIME_AND_CHANCE)
    none_of(violations(own_time_or_chance, files))


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now(UTC)",
        "import datetime\ndatetime.datetime.now()",
        "from time import time\ntime()",
        "import time as clock\nclock.time()",
        "from uuid import uuid4\nuuid4()",
        "mapped_column(server_default=func.now())",
        "import secrets",
    ],
)
def test_own_time_or_chance_is_found(code: str) -> None:
    assert breaks(own_time_or_chance, code)


def unscoped_reads(tree: ast.Module) -> Iterator[ast.AST]:
    """A repository asks the database without the unit of work, which knows the actor."""
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            parameters = [*node.args.posonlyargs, *node.args.args]
            if not parameters or parameters[0].arg != "work":
                yield node


def test_every_repository_function_acts_for_the_actor_of_a_unit_of_work() -> None:
    files = [*python_files("server/*/repository.py"), *python_files("server/*/repository/*.py")]
    assert files
    none_of(violations(unscoped_reads, files))


def test_a_read_without_a_unit_of_work_is_found() -> None:
    assert breaks(unscoped_reads, "async def listings(connection): ...")
    assert not breaks(unscoped_reads, "async def listings(work, ids): ...")


def socket_sends(tree: ast.Module) -> Iterator[ast.AST]:
    """Something is written to a websocket."""
    yield from calls(tree, ".send_text", ".send_bytes", ".send_json")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == "websocket.send":
            yield node
    for node in calls(tree, ".send"):
        if receiver(node) in ("ws", "websocket", "socket"):
            yield node


def test_only_the_writer_writes_to_sockets() -> None:
    writers = ["server/realtime/writer.py", "server/realtime/frame_socket.py"]
    files = python_files("server", but=writers)
    none_of(violations(socket_sends, files))


@pytest.mark.parametrize(
    "code",
    ["ws.send_text('x')", "self._websocket.send(x)", "await send({'type': 'websocket.send'})"],
)
def test_a_send_beside_the_writer_is_found(code: str) -> None:
    assert breaks(socket_sends, code)

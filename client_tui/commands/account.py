"""``picky signup``, ``login``, ``logout``, ``whoami``."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from client_tui.commands.output import JsonOption, put, put_json
from client_tui.commands.running import (
    api,
    need_text,
    run,
    signed_in,
    standard_input,
    usage_error,
    words,
)
from shared_models.bounds import HANDLE_MAX, HANDLE_MIN

if TYPE_CHECKING:
    from client_tui.core.credentials import Credentials
    from shared_models.accounts import SignedIn

ServerOption = Annotated[
    str | None,
    typer.Option("--server", envvar="PICKY_SERVER", help="Address, like https://market.example."),
]
HandleOption = Annotated[
    str | None, typer.Option("--handle", help=f"{HANDLE_MIN} to {HANDLE_MAX} of a-z 0-9 _.")
]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (signup, login, logout, whoami):
        app.command()(command)


def signup(
    server: ServerOption = None,
    handle: HandleOption = None,
    name: Annotated[str | None, typer.Option(help="Name that others see; the handle if none.")] = (
        None
    ),
    place: Annotated[str | None, typer.Option(help="Neighbourhood.")] = None,
    password_stdin: PasswordOption = False,
    json: JsonOption = False,
) -> None:
    """Make an account and sign in."""
    address, handle = _server(server), _asked(handle, "Handle", "--handle")
    password = _password(password_stdin, again=True)

    async def work() -> None:
        from client_tui.core.forms import fill
        from client_tui.core.sign_in import sign_up
        from shared_models.accounts import SignUp

        form = fill(
            SignUp, handle=handle, password=password, display_name=name or handle, place=place
        )
        _enter(address, await sign_up(address, form), json)

    run(work)


def login(
    server: ServerOption = None,
    handle: HandleOption = None,
    password_stdin: PasswordOption = False,
    json: JsonOption = False,
) -> None:
    """Sign in on this machine."""
    address, handle = _server(server), _asked(handle, "Handle", "--handle")
    password = _password(password_stdin, again=False)

    async def work() -> None:
        from client_tui.core.sign_in import sign_in

        _enter(address, await sign_in(address, handle, password), json)

    run(work)


def logout() -> None:
    """End this machine's session and forget its token."""

    async def work() -> None:
        from client_tui.core.credentials import CredentialStore
        from client_tui.core.errors import ClientError, Unauthenticated
        from client_tui.core.paths import Paths

        credentials = signed_in()
        try:
            async with api() as account:
                await account.end_session()
        except Unauthenticated:
            pass  # it had ended already
        except ClientError as error:
            words(f"The session could not be ended on the server: {error}")
        CredentialStore(Paths.find()).clear()
        words(f"{credentials.handle} is signed out.")
        await _tell_left_behind(credentials)

    run(work)


async def _tell_left_behind(credentials: "Credentials") -> None:
    """What was not sent stays, and does not go while somebody else is signed in here."""
    from client_tui.core.errors import StorageFailed
    from client_tui.core.outbox import Outbox
    from client_tui.core.paths import Paths
    from client_tui.format import left_behind

    file = Paths.find().outbox_file(credentials.account_id)
    if not file.exists():
        return
    try:
        outbox = await Outbox(file).open()
        try:
            waiting = await outbox.waiting()
        finally:
            await outbox.close()
    except StorageFailed as error:
        words(f"Whether anything was not sent is not known: {error}")
        return
    if waiting:
        words(left_behind(len(waiting), credentials.handle))


def whoami(json: JsonOption = False) -> None:
    """Show the account that is signed in."""

    async def work() -> None:
        credentials = signed_in()
        async with api() as account:
            me = await account.me()
        if json:
            put_json(me)
            return
        from client_tui.format import visible_line

        put(f"{visible_line(me.display_name)} (@{me.handle}) at {credentials.server}")
        place = visible_line(me.place or "no neighbourhood")
        put(f"{place} · {me.manner_score:.1f} · {me.sales} sold, {me.purchases} bought")

    run(work)


def _enter(server: str, signed: "SignedIn", json: bool) -> None:
    from client_tui.core.config import change_config
    from client_tui.core.credentials import CredentialStore
    from client_tui.core.errors import StorageFailed
    from client_tui.core.paths import Paths
    from client_tui.core.sign_in import keep

    paths, account = Paths.find(), signed.account
    keep(CredentialStore(paths), server, signed)
    try:
        change_config(paths.config_file, server=server)
    except StorageFailed as error:
        words(f"The server is not kept as the one to offer first: {error}")
    if json:
        put_json(account)
    words(f"Signed in as {account.display_name} (@{account.handle}) at {server}.")


def _server(given: str | None) -> str:
    from client_tui.core.address import server_address
    from client_tui.core.config import load_config
    from client_tui.core.errors import ClientError
    from client_tui.core.paths import Paths

    try:
        known = given or load_config(Paths.find().config_file).server
        if known is None:
            usage_error("say which server: --server https://market.example")
        return server_address(known)
    except ClientError as error:
        usage_error(str(error))


def _asked(given: str | None, question: str, option: str) -> str:
    if given is not None:
        return given
    if not sys.stdin.isatty():
        usage_error(f"{option} is missing")
    return str(typer.prompt(question, err=True))


def _password(from_stdin: bool, *, again: bool) -> str:
    if from_stdin:
        return need_text(standard_input().readline().rstrip("\r\n"), "the password")
    if not sys.stdin.isatty():
        usage_error("there is no terminal to ask for the password; use --password-stdin")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=again, err=True))

"""Signing up and in, the same from the app and from the command line."""

from client_tui.core.api import Api, Http
from client_tui.core.credentials import Credentials, CredentialStore
from client_tui.core.forms import fill
from client_tui.core.identity import device_name
from shared_models.accounts import SignedIn, SignIn, SignUp


async def sign_up(server: str, form: SignUp) -> SignedIn:
    """A new account, signed in on this device; raises :class:`ClientError`."""
    async with Api(Http(server)) as visitor:
        return await visitor.sign_up(form.model_copy(update={"device": device_name()}))


async def sign_in(server: str, handle: str, password: str) -> SignedIn:
    """An account that exists, signed in on this device; raises :class:`ClientError`."""
    form = fill(SignIn, handle=handle, password=password, device=device_name())
    async with Api(Http(server)) as visitor:
        return await visitor.sign_in(form)


def keep(store: CredentialStore, server: str, signed_in: SignedIn) -> Credentials:
    """This account is the one of this machine from now on; raises :class:`StorageFailed`."""
    account = signed_in.account
    credentials = Credentials(server, account.id, account.handle, signed_in.token)
    store.save(credentials)
    return credentials

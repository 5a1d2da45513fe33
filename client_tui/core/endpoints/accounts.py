"""Accounts, sessions, profiles, and the people one follows or blocks."""

from uuid import UUID

from client_tui.core.endpoints.calls import Calls
from shared_models.accounts import (
    Account,
    AccountPatch,
    ExportState,
    PasswordChange,
    Profile,
    ProfileCard,
    Session,
    SignedIn,
    SignIn,
    SignUp,
)
from shared_models.base import Page
from shared_models.listings import ListingCard
from shared_models.trades import Review


class AccountCalls(Calls):
    """``/v1/accounts``, ``/v1/sessions`` and ``/v1/me``."""

    async def sign_up(self, form: SignUp, *, key: UUID | None = None) -> SignedIn:
        """Make an account and sign in."""
        return await self._post(SignedIn, "/v1/accounts", form, key=key)

    async def sign_in(self, form: SignIn, *, key: UUID | None = None) -> SignedIn:
        """Sign in on this device."""
        return await self._post(SignedIn, "/v1/sessions", form, key=key)

    async def sessions(self, *, cursor: str | None = None, limit: int = 20) -> Page[Session]:
        """The devices on which this account is signed in."""
        return await self._page(Session, "/v1/sessions", cursor, limit)

    async def end_session(self, session_id: UUID | None = None) -> None:
        """End one device's session; None is this one's own."""
        await self._act("DELETE", f"/v1/sessions/{session_id or 'current'}")

    async def me(self) -> Account:
        """One's own account."""
        return await self._get(Account, "/v1/me")

    async def update_me(self, patch: AccountPatch) -> Account:
        """Change what the patch names."""
        answer = await self.http.call(
            "PATCH", "/v1/me", body=patch.model_dump_json(exclude_unset=True).encode()
        )
        return self._read(Account, answer)

    async def delete_me(self) -> None:
        """Delete one's own account (rule 20)."""
        await self._act("DELETE", "/v1/me")

    async def change_password(self, change: PasswordChange) -> None:
        """A new password; all other sessions end."""
        await self._act("PUT", "/v1/me/password", change)

    async def request_export(self, *, key: UUID | None = None) -> ExportState:
        """Ask for everything about the account as one archive."""
        return await self._post(ExportState, "/v1/me/export", key=key)

    async def export(self) -> ExportState:
        """How far the archive is."""
        return await self._get(ExportState, "/v1/me/export")

    async def profile(self, account_id: UUID) -> Profile:
        """Somebody's public profile."""
        return await self._get(Profile, f"/v1/accounts/{account_id}")

    async def reviews(
        self, account_id: UUID, *, cursor: str | None = None, limit: int = 20
    ) -> Page[Review]:
        """Published reviews about somebody."""
        return await self._page(Review, f"/v1/accounts/{account_id}/reviews", cursor, limit)

    async def account_listings(
        self, account_id: UUID, *, cursor: str | None = None, limit: int = 20
    ) -> Page[ListingCard]:
        """What somebody sells and sold."""
        return await self._page(ListingCard, f"/v1/accounts/{account_id}/listings", cursor, limit)

    async def blocks(self, *, cursor: str | None = None, limit: int = 20) -> Page[ProfileCard]:
        """Whom one blocks, newest block first."""
        return await self._page(ProfileCard, "/v1/me/blocks", cursor, limit)

    async def block(self, account_id: UUID, *, cancel_trade: bool = False) -> None:
        """Block somebody (rule 15); a reserved trade with them needs ``cancel_trade``."""
        await self._act(
            "PUT",
            f"/v1/accounts/{account_id}/block",
            params={"cancel_trade": True} if cancel_trade else None,
        )

    async def unblock(self, account_id: UUID) -> None:
        """Undo :meth:`block`."""
        await self._act("DELETE", f"/v1/accounts/{account_id}/block")

    async def follow(self, account_id: UUID) -> None:
        """Follow somebody."""
        await self._act("PUT", f"/v1/accounts/{account_id}/follow")

    async def unfollow(self, account_id: UUID) -> None:
        """Undo :meth:`follow`."""
        await self._act("DELETE", f"/v1/accounts/{account_id}/follow")

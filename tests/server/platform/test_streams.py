"""The streams of more accounts than one statement can name."""

from server.accounts import api as accounts
from server.platform import streams
from server.platform.context import Context
from server.platform.unit_of_work import reading
from tests.server.conftest import SignUpPerson

MOST_PARAMETERS = 32_767


async def test_a_node_may_hold_more_accounts_than_a_statement_parameters(
    context: Context, sign_up: SignUpPerson
) -> None:
    person = await sign_up("minji")
    async with reading(context) as work:
        strangers = [work.new_id() for _ in range(MOST_PARAMETERS)]
        heads = await streams.heads(work, [*strangers, person.id])
        alive = await accounts.live_sessions(work, [*strangers, person.session_id])
    assert heads.keys() == {person.id}
    assert alive == {person.session_id}

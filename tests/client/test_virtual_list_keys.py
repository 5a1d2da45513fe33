"""The virtual list by keyboard and by mouse wheel."""

from textual import events
from textual.pilot import Pilot

from client_tui.widgets.virtual_list import VirtualList
from tests.client.virtual_list_app import ListApp, Note, one_liners

SIZE = (30, 10)
TALL = Note(50, "\n".join(f"row {row}" for row in range(25)))


async def _pressed(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def _wheel(kind: type[events.MouseEvent], app: ListApp) -> events.MouseEvent:
    return kind(app.list, 5, 5, 0, 0, 0, shift=False, meta=False, ctrl=False)


async def test_the_focus_gives_the_list_a_cursor() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE):
        assert app.list.cursor == 0
    app = ListApp(one_liners(range(100)), from_bottom=True, focus=True)
    async with app.run_test(size=SIZE):
        assert app.list.cursor == 99


async def test_the_cursor_moves_and_the_view_only_when_it_must() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        await _pressed(pilot, "j", "down", "k", *["j"] * 8)
        assert app.list.cursor == 9
        assert (await app.painted())[0] == " note 0"
        await _pressed(pilot, "j")
        assert (await app.painted())[-1] == "▌note 10"
        assert (await app.painted())[0] == " note 1"
        await _pressed(pilot, *["up"] * 10)
        assert app.list.cursor == 0
        await _pressed(pilot, "k")
        assert app.list.cursor == 0
        moved = [message.key for message in app.heard(VirtualList.CursorMoved)]
        assert moved[:4] == [0, 1, 2, 1]


async def test_home_and_end_go_to_the_ends() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        await _pressed(pilot, "end")
        assert (app.list.cursor, app.list.at_bottom) == (99, True)
        await _pressed(pilot, "home")
        assert (app.list.cursor, (await app.painted())[0]) == (0, "▌note 0")
        await _pressed(pilot, "G")
        assert app.list.cursor == 99


async def test_a_page_leaves_one_row_and_the_cursor_where_it_is_on_the_screen() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        await _pressed(pilot, "j", "j", "pagedown")
        assert (await app.painted())[0] == " note 9"
        assert app.list.cursor == 11
        await _pressed(pilot, "pageup")
        assert (await app.painted())[0] == " note 0"
        assert app.list.cursor == 2
        await _pressed(pilot, "pageup")
        assert app.list.cursor == 0
        await _pressed(pilot, *["pagedown"] * 12)
        assert app.list.cursor == 99


async def test_an_item_taller_than_the_view_is_read_row_by_row() -> None:
    app = ListApp([*one_liners(range(50)), TALL, *one_liners(range(51, 90))], focus=True)
    async with app.run_test(size=SIZE) as pilot:
        app.list.jump_to(49, "bottom")
        await _pressed(pilot, "j")
        assert app.list.cursor == 50
        assert (await app.painted())[0] == "▌row 0"
        await _pressed(pilot, *["j"] * 15)
        assert (await app.painted())[-1] == "▌row 24"
        assert app.list.cursor == 50
        await _pressed(pilot, "j")
        assert app.list.cursor == 51
        await _pressed(pilot, "k")
        assert app.list.cursor == 50
        assert (await app.painted())[-1] == "▌row 24"
        await _pressed(pilot, *["k"] * 15)
        assert (await app.painted())[0] == "▌row 0"
        await _pressed(pilot, "k")
        assert app.list.cursor == 49


async def test_the_wheel_moves_the_view_and_not_the_cursor() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        step = round(app.scroll_sensitivity_y)
        app.list.post_message(_wheel(events.MouseScrollDown, app))
        app.list.post_message(_wheel(events.MouseScrollDown, app))
        app.list.post_message(_wheel(events.MouseScrollUp, app))
        await pilot.pause()
        assert (await app.painted())[0] == f" note {step}"
        assert app.list.cursor == 0


async def test_a_cursor_out_of_view_comes_back_where_the_reader_is() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        app.list.scroll_to(y=40)
        await _pressed(pilot, "j")
        assert app.list.cursor == 40
        app.list.scroll_to(y=10)
        await _pressed(pilot, "k")
        assert app.list.cursor == 19
        assert (await app.painted())[0] == " note 10"


async def test_enter_tells_the_item_under_the_cursor() -> None:
    app = ListApp(one_liners(range(100)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        await _pressed(pilot, "j", "enter")
        (activated,) = app.heard(VirtualList.Activated)
        assert (activated.key, activated.offset) == (1, None)


async def test_the_cursor_is_loud_only_with_the_focus() -> None:
    app = ListApp(one_liners(range(3)), focus=True)
    async with app.run_test(size=SIZE) as pilot:
        focused = app.list.get_component_rich_style("virtual-list--cursor")
        app.screen.set_focus(None)
        await pilot.pause()
        assert app.list.get_component_rich_style("virtual-list--cursor").color != focused.color

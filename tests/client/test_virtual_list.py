"""The virtual list in an app: what is in it, where it stands, what it tells."""

import pytest
from textual.geometry import Offset
from textual.scrollbar import ScrollTo

from client_tui.widgets.virtual_list import Pruned, VirtualList
from tests.client.virtual_list_app import ListApp, Note, one_liners

SIZE = (30, 10)
LONG = "one two three four five six seven eight nine ten eleven twelve"  # three rows of 28 cells


def _notes(start: int, stop: int) -> list[str]:
    return [f" note {number}" for number in range(start, stop)]


async def test_a_list_starts_at_its_top_and_a_chat_at_its_end() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE):
        assert await app.painted() == _notes(0, 10)
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE):
        assert await app.painted() == _notes(90, 100)


async def test_few_items_stand_at_the_top_and_those_of_a_chat_at_the_foot() -> None:
    app = ListApp(one_liners(range(2)))
    async with app.run_test(size=SIZE):
        assert await app.painted() == [*_notes(0, 2), *[""] * 8]
    app = ListApp(one_liners(range(2)), from_bottom=True)
    async with app.run_test(size=SIZE):
        assert await app.painted() == [*[""] * 8, *_notes(0, 2)]


async def test_text_is_never_taken_for_markup() -> None:
    app = ListApp([Note(1, "[b]bold[/b] [@click=app.quit]x[/]")])
    async with app.run_test(size=(60, 10)):
        assert (await app.painted())[0] == " [b]bold[/b] [@click=app.quit]x[/]"


async def test_wide_letters_take_two_cells() -> None:
    app = ListApp([Note(1, "허먼밀러 에어론 의자")])
    async with app.run_test(size=(12, 4)):
        assert await app.painted() == [" 허먼밀러", " 에어론", " 의자", ""]
        assert {app.list.render_line(y).cell_length for y in range(4)} == {11}


async def test_only_what_is_in_view_is_rendered() -> None:
    app = ListApp(one_liners(range(5000)), from_bottom=True)
    async with app.run_test(size=SIZE) as pilot:
        app.list.scroll_rows(-3)
        await pilot.pause()
        assert sorted(app.renderer.rendered) == list(range(4987, 5000))


async def test_a_chat_at_its_end_follows_what_is_appended() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE):
        app.list.append(one_liners([100]))
        assert await app.painted() == _notes(91, 101)


async def test_a_chat_read_further_up_does_not_move() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE):
        app.list.scroll_rows(-1)
        app.list.append(one_liners([100]))
        assert await app.painted() == _notes(89, 99)
        app.list.jump_to_bottom()
        app.list.append(one_liners([101]))
        assert await app.painted() == _notes(92, 102)


async def test_a_chat_with_newer_pages_missing_does_not_follow() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE):
        app.list.follow = False
        app.list.append(one_liners(range(100, 150)))
        assert await app.painted() == _notes(90, 100)


async def test_older_items_put_before_leave_the_screen_as_it_is() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE):
        app.list.scroll_rows(5)
        app.list.prepend(one_liners(range(-50, 0)))
        assert await app.painted() == _notes(5, 15)
        assert app.list.scroll_offset.y == 55
        assert app.list.keys == list(range(-50, 100))


async def test_an_item_may_be_put_before_another() -> None:
    app = ListApp(one_liners([1, 2, 3]))
    async with app.run_test(size=SIZE):
        app.list.insert(one_liners([7, 8]), before=3)
        assert app.list.keys == [1, 2, 7, 8, 3]
        with pytest.raises(KeyError):
            app.list.insert(one_liners([9]), before=99)
        with pytest.raises(ValueError, match="only once"):
            app.list.append(one_liners([7]))
        assert app.list.keys == [1, 2, 7, 8, 3]


async def test_a_changed_item_is_drawn_anew_and_the_rows_above_stay() -> None:
    app = ListApp(one_liners(range(20)))
    async with app.run_test(size=SIZE):
        app.list.scroll_rows(2)
        app.list.replace(Note(4, LONG))
        assert (await app.painted())[:6] == [
            *_notes(2, 4),
            " one two three four five six",
            " seven eight nine ten eleven",
            " twelve",
            " note 5",
        ]


async def test_an_item_may_change_its_key_and_keeps_the_cursor() -> None:
    app = ListApp(one_liners([1, 2, -1]))
    async with app.run_test(size=SIZE):
        app.list.cursor = -1
        app.list.replace(Note(3, "note 3"), key=-1)
        assert app.list.keys == [1, 2, 3]
        assert app.list.cursor == 3
        assert -1 not in app.list
        assert app.list.item(3).text == "note 3"


async def test_the_cursor_goes_to_the_neighbour_of_a_removed_item() -> None:
    app = ListApp(one_liners([0, 1, 2]))
    async with app.run_test(size=SIZE):
        app.list.cursor = 1
        cursors = []
        for key in (1, 2, 0):
            app.list.remove_item(key)
            cursors.append(app.list.cursor)
        assert cursors == [2, 0, None]
        assert await app.painted() == [""] * 10


@pytest.mark.parametrize(
    ("top", "pruned"), [(0, Pruned(0, 60)), (60, Pruned(45, 15)), (90, Pruned(60, 0))]
)
async def test_pruning_takes_what_is_farthest_from_the_view(top: int, pruned: Pruned) -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE):
        app.list.scroll_to(y=top)
        assert app.list.prune(40) == pruned
        assert len(app.list) == 40
        assert await app.painted() == _notes(top, top + 10)


async def test_pruning_never_takes_what_is_in_view() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE):
        app.list.scroll_to(y=30)
        assert app.list.prune(3) == Pruned(30, 60)
        assert await app.painted() == _notes(30, 40)
        assert app.list.prune(3) == Pruned(0, 0)


async def test_other_items_keep_the_place_of_those_that_stay() -> None:
    app = ListApp(one_liners(range(50)))
    async with app.run_test(size=SIZE):
        app.list.jump_to(20, "top")
        app.list.set_items(one_liners(range(10, 60)))
        assert await app.painted() == ["▌note 20", *_notes(21, 30)]
        app.list.set_items(one_liners(range(100, 160)))
        assert await app.painted() == _notes(100, 110)
        assert app.list.cursor is None


async def test_the_top_row_stays_on_its_item_when_the_terminal_changes() -> None:
    app = ListApp([Note(number, f"{number} {LONG}") for number in range(50)])
    async with app.run_test(size=SIZE) as pilot:
        app.list.scroll_to(y=app.list.virtual_size.height // 2)
        top = app.list.visible_keys[0]
        for size in ((15, 10), (60, 10), (60, 5), (30, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.list.visible_keys[0] == top


async def test_a_chat_at_its_end_stays_there_when_the_terminal_changes() -> None:
    app = ListApp([Note(number, f"{number} {LONG}") for number in range(50)], from_bottom=True)
    async with app.run_test(size=SIZE) as pilot:
        for size in ((15, 10), (60, 5), (30, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.list.at_bottom
            assert (await app.painted())[-1].endswith("twelve")


async def test_a_jump_before_the_first_layout_is_remembered() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    app.list.jump_to(20, "top")
    async with app.run_test(size=SIZE):
        assert (await app.painted())[0] == "▌note 20"
        assert not app.list.at_bottom


async def test_a_jump_brings_an_item_where_it_is_wanted() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=(30, 11)):
        app.list.jump_to(50)
        assert (await app.painted())[5] == "▌note 50"
        app.list.jump_to(30, "bottom")
        assert (await app.painted())[-1] == "▌note 30"
        app.list.jump_to(25, "nearest")
        assert (await app.painted())[-1] == " note 30"
        with pytest.raises(KeyError):
            app.list.jump_to(1000)


async def test_a_theme_of_other_colours_renders_the_items_anew() -> None:
    app = ListApp(one_liners(range(3)))
    async with app.run_test(size=SIZE) as pilot:
        app.renderer.rendered.clear()
        app.theme = "textual-light"
        await pilot.pause()
        assert sorted(set(app.renderer.rendered)) == [0, 1, 2]


async def test_items_that_show_the_time_can_be_rendered_anew() -> None:
    app = ListApp(one_liners(range(3)))
    async with app.run_test(size=SIZE) as pilot:
        app.renderer.rendered.clear()
        app.list.invalidate(1)
        await pilot.pause()
        assert app.renderer.rendered == [1]


async def test_the_scroll_bar_brings_any_row() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE) as pilot:
        app.list.post_message(ScrollTo(y=42.4, animate=True))
        await pilot.pause()
        assert await app.painted() == _notes(42, 52)
        assert app.list.vertical_scrollbar.position == 42
        await pilot.click(offset=(29, 9))
        await pilot.pause()
        assert await app.painted() == _notes(52, 62)
        app.list.scroll_end()
        assert app.list.at_bottom
        app.list.scroll_home()
        assert await app.painted() == _notes(0, 10)


async def test_nearness_of_the_top_is_told_once_for_each_first_item() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE) as pilot:
        assert app.heard(VirtualList.NearTop) == []
        app.list.scroll_to(y=15)
        await pilot.pause()
        assert app.heard(VirtualList.NearTop) == []
        for _ in range(3):
            app.list.scroll_rows(-1)
        await pilot.pause()
        assert len(app.heard(VirtualList.NearTop)) == 1
        app.list.prepend(one_liners([-1]))
        await pilot.pause()
        assert len(app.heard(VirtualList.NearTop)) == 2
        app.list.prepend(one_liners(range(-50, -1)))
        await pilot.pause()
        assert len(app.heard(VirtualList.NearTop)) == 2
        assert app.heard(VirtualList.NearTop)[0].control is app.list


async def test_nearness_of_the_bottom_is_told_once_for_each_last_item() -> None:
    app = ListApp(one_liners(range(100)))
    async with app.run_test(size=SIZE) as pilot:
        app.list.scroll_to(y=75)
        await pilot.pause()
        assert app.heard(VirtualList.NearBottom) == []
        app.list.scroll_rows(1)
        app.list.scroll_rows(1)
        await pilot.pause()
        assert len(app.heard(VirtualList.NearBottom)) == 1
        app.list.append(one_liners([100]))
        await pilot.pause()
        assert len(app.heard(VirtualList.NearBottom)) == 2


async def test_leaving_and_reaching_the_bottom_is_told() -> None:
    app = ListApp(one_liners(range(100)), from_bottom=True)
    async with app.run_test(size=SIZE) as pilot:
        assert app.heard(VirtualList.BottomChanged) == []
        app.list.scroll_rows(-1)
        app.list.scroll_rows(-1)
        app.list.scroll_rows(2)
        await pilot.pause()
        changes = [message.at_bottom for message in app.heard(VirtualList.BottomChanged)]
        assert changes == [False, True]


async def test_a_click_tells_the_item_and_the_cell_in_it() -> None:
    app = ListApp([Note(0, "short"), Note(1, LONG)])
    async with app.run_test(size=SIZE) as pilot:
        await pilot.click(app.list, offset=(5, 2))
        await pilot.pause()
        assert app.list.cursor == 1
        (activated,) = app.heard(VirtualList.Activated)
        assert (activated.key, activated.item.text) == (1, LONG)
        assert activated.offset == Offset(4, 1)
        await pilot.click(app.list, offset=(5, 8))
        assert len(app.heard(VirtualList.Activated)) == 1


async def test_an_empty_list_takes_every_key_in_its_stride() -> None:
    app = ListApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("j", "k", "home", "end", "pageup", "pagedown", "enter")
        await pilot.click(app.list, offset=(5, 5))
        app.list.scroll_to(y=3)
        assert await app.painted() == [""] * 10
        assert app.list.prune(0) == Pruned(0, 0)
        assert app.told == []

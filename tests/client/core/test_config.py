"""The settings file: read as a whole, and changed in what changes."""

import subprocess
import sys
from pathlib import Path

import pytest

from client_tui.core.config import Config, change_config, load_config
from client_tui.core.errors import StorageFailed


def test_settings_come_back_as_they_were_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    kept = change_config(
        path,
        server="https://market.example",
        theme='한국어 "😀"\\',
        photo_cache_mb=50,
        send_read_marks=False,
        quick_replies=("네", 'say "hi"\n# not a comment'),
    )
    assert kept == load_config(path)
    assert (kept.server, kept.theme) == ("https://market.example", '한국어 "😀"\\')
    assert (kept.photo_cache_mb, kept.send_read_marks) == (50, False)
    assert kept.quick_replies == ("네", 'say "hi"\n# not a comment')


def test_without_a_file_the_settings_are_the_usual_ones(tmp_path: Path) -> None:
    assert load_config(tmp_path / "config.toml") == Config()


def test_one_key_may_be_written_without_a_list(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('future = 1\n[keys]\nquit = "q"\n')
    assert load_config(path).keys == {"quit": ("q",)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("theme = ", "not valid TOML"),
        ("theme = 3", "theme must be a text"),
        ("photo_cache_mb = 1", "photo_cache_mb must be"),
        ("send_read_marks = 'yes'", "send_read_marks must be"),
        ("quick_replies = 'hi'", "quick_replies must be a list"),
        ("images = 'ascii'", "images must be auto"),
        ("keys = 3", r"\[keys\] must be"),
        ("[keys]\nquit = 3", "keys.quit must be"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(StorageFailed, match=says):
        load_config(path)


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed):
        change_config(tmp_path / "file" / "config.toml", theme="picky-light")


def test_a_new_file_is_plain_enough_to_edit_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert change_config(path, theme="picky-light") == Config(theme="picky-light")
    assert path.read_text() == (
        'theme = "picky-light"\nimages = "auto"\nphoto_cache_mb = 200\nsend_read_marks = true\n'
    )


WRITTEN = """# my settings
theme = "picky-dark"  # at night, it's # said
future = [
  [1],
  "theme = 2",
]
photo_cache_mb = 50
more = '''
images = "blocks"
'''

# as in vi
[keys]
"chat.send" = "ctrl+g" # and not enter

[other]
theme = "not this one"
"""


def test_what_is_written_by_hand_stays_when_a_setting_changes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(WRITTEN)
    change_config(path, theme="picky-light", images="auto")
    changed = WRITTEN.replace('"picky-dark"', '"picky-light"')
    assert path.read_text() == changed.replace("\n\n# as", '\nimages = "auto"\n\n# as')
    change_config(path, images=None)
    assert path.read_text() == changed


@pytest.mark.parametrize("written", ["", "# only a comment", "[keys]\nquit = 'q'\n"])
def test_a_setting_is_added_to_a_file_without_any(tmp_path: Path, written: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(written)
    assert change_config(path, theme="picky-light").theme == "picky-light"
    assert path.read_text() == f'theme = "picky-light"\n{written}'


def test_what_another_window_or_an_editor_has_written_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    change_config(path, theme="picky-dark")
    change_config(path, quick_replies=("one",))
    path.write_text(path.read_text() + "\n# mine\n[keys]\nquit = 'q'\n")
    now = change_config(path, theme="picky-light")
    assert (now.quick_replies, now.keys) == (("one",), {"quit": ("q",)})
    assert now == load_config(path)
    assert path.read_text().endswith("\n# mine\n[keys]\nquit = 'q'\n")


@pytest.mark.parametrize("written", [b"theme = \n", b"\xff\xfe", b"keys = 3\n"])
def test_a_file_that_cannot_be_read_is_not_written_over(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(written)
    with pytest.raises(StorageFailed, match=r"config\.toml"):
        change_config(path, theme="picky-light")
    assert path.read_bytes() == written


def test_a_value_on_several_lines_is_still_written_right(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = """\npicky\n"""\nimages = "auto"\n')
    change_config(path, theme="picky-light")
    assert path.read_text() == 'theme = "picky-light"\nimages = "auto"\n'


def test_a_list_on_several_lines_is_changed_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\nquick_replies = [\n  "one",\n  "two",\n] # two\nimages = "auto"\n')
    change_config(path, quick_replies=("three",))
    assert path.read_text() == '# mine\nquick_replies = ["three"] # two\nimages = "auto"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'theme = "a" # mine\r\nfuture = 1\r\n', b'theme = "b" # mine\r\nfuture = 1\r\n'),
        (b'theme = "a"\r\n[keys]\r\n', b'theme = "b"\r\n[keys]\r\n'),
        (b'theme = """\r\na"""\r\nfuture = 1\n', b'theme = "b"\r\nfuture = 1\n'),
        (b"# mine\r\n[keys]\r\n", b'theme = "b"\r\n# mine\r\n[keys]\r\n'),
        (b'server = "a"\r\n\r\n[keys]\r\n', b'server = "a"\r\ntheme = "b"\r\n\r\n[keys]\r\n'),
        (b"future = 1\r\nmore = 2", b'future = 1\r\nmore = 2\r\ntheme = "b"'),
        (b'future = 1\r\ntheme = "a"', b'future = 1\r\ntheme = "b"'),
        (b"future = 1", b'future = 1\ntheme = "b"'),
        (b'\xef\xbb\xbftheme = "a"\r\n', b'\xef\xbb\xbftheme = "b"\r\n'),
    ],
)
def test_the_bytes_around_a_changed_setting_stay_as_an_editor_wrote_them(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(before)
    assert change_config(path, theme="b").theme == "b"
    assert path.read_bytes() == after


def test_the_last_setting_of_a_file_can_be_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'future = 1\r\ntheme = "a"')
    change_config(path, theme=None)
    assert path.read_bytes() == b"future = 1\r\n"


def test_a_link_to_the_settings_stays_a_link(tmp_path: Path) -> None:
    path, kept = tmp_path / "config.toml", tmp_path / "kept" / "picky.toml"
    kept.parent.mkdir()
    kept.write_text('theme = "a"\n')
    path.symlink_to(kept)
    change_config(path, theme="b")
    assert path.is_symlink()
    assert kept.read_text() == 'theme = "b"\n'


def test_a_character_that_toml_refuses_is_written_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert change_config(path, quick_replies=("a\x7fb\0",)).quick_replies == ("a\x7fb\0",)
    assert load_config(path).quick_replies == ("a\x7fb\0",)


def test_a_text_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    change_config(path, theme="picky-light")
    with pytest.raises(StorageFailed, match=r"config\.toml cannot be written"):
        change_config(path, theme="\udc80")
    assert load_config(path).theme == "picky-light"


WRITER = """
import sys
from pathlib import Path
from client_tui.core.config import change_config, load_config

path, name = Path(sys.argv[1]), sys.argv[2]
for number in range(100):
    change_config(path, **{name: str(number)})
    assert getattr(load_config(path), name) == str(number), name
"""


def test_programs_that_write_at_once_take_nothing_back_from_each_other(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name])
        for name in ("server", "theme")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]

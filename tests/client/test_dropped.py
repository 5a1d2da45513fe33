from pathlib import Path

import pytest

from client_tui.dropped import dropped_paths


@pytest.mark.parametrize(
    "text",
    [
        "~3시쯤",
        "~x/chair.jpg",
        "file://[x",
        "file://[x.jpg",
        "n" * 300 + ".jpg",
        "chair\0.jpg",
        "",
        "  ",
        "it's a chair",
    ],
)
def test_a_text_that_is_no_path_is_text(text: str) -> None:
    assert dropped_paths(text) == []


def test_a_file_that_may_not_be_looked_at_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)

    def is_file(self: Path) -> bool:  # whoever is root may look into every folder
        raise PermissionError(self)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert dropped_paths(str(closed / "chair.jpg")) == []


def test_pictures_are_found_quoted_escaped_and_as_addresses(tmp_path: Path) -> None:
    one, other = tmp_path / "a chair.jpg", tmp_path / "b.PNG"
    for path in (one, other):
        path.touch()
    quoted = f"'{one}' {other}"
    assert dropped_paths(quoted) == [one, other]
    assert dropped_paths(str(one)) == [one]
    assert dropped_paths(str(one).replace(" ", "\\ ")) == [one]
    assert dropped_paths(f"file://{str(one).replace(' ', '%20')}") == [one]
    assert dropped_paths(f"{one} {tmp_path / 'none.jpg'}") == []

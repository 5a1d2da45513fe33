from tests.journeys.terminal import Writing


def test_text_is_read_whole_however_it_is_cut_into_pieces() -> None:
    written = "\x1b[1;31m● sel\x1b[0mling\x1b]0;title\x07 의자\x1b7\x1bP+q\x1b\\!".encode()
    writing = Writing()
    assert "".join(writing.read(bytes([one])) for one in written) == "● selling 의자!"

"""Books, tickets, cosmetics and pictures, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import (
    GLASS,
    GOLD,
    GREY,
    INK,
    RED,
    SKIN,
    STEEL,
    WHITE,
    WOOD,
    Palette,
    Pen,
    mix,
)

_PAGES = (244, 236, 214)


def book(pen: Pen, c: Palette) -> None:
    """A hardback with a sun on its cover."""
    pen.rect(29, 7, 48, 62, _PAGES, 2)
    pen.rect(26, 5, 47, 62, c.main, 2)
    pen.rect(26, 5, 8, 62, c.dark, 2)
    pen.disc(54, 42, 11, c.accent)
    pen.rect(40, 50, 28, 10, c.dark)
    pen.rect(41, 14, 26, 4.4, WHITE, 1)
    pen.rect(45, 21, 18, 3, WHITE, 1)


def book_stack(pen: Pen, c: Palette) -> None:
    """A pile of books."""
    rows = ((14, 55, 72, c.main), (20, 43, 64, WHITE), (12, 31, 70, c.accent), (22, 19, 60, c.dark))
    for x, y, w, colour in rows:
        pen.rect(x, y, w, 11, colour, 2)
        pen.rect(x + w - 10, y + 2, 10, 7, _PAGES)
        pen.rect(x + 7, y + 3.5, 16, 4, mix(colour, INK, 0.45), 1)
    pen.rect(26, 9, 50, 10, GOLD, 2)
    pen.rect(66, 11, 10, 6, _PAGES)


def comic(pen: Pen, c: Palette) -> None:
    """A comic book with panels and a star burst."""
    pen.rect(22, 4, 56, 67, INK, 1)
    pen.rect(24, 6, 52, 63, WHITE)
    pen.rect(26, 8, 22, 24, c.main)
    pen.rect(50, 8, 24, 24, c.light)
    pen.rect(26, 34, 48, 33, c.accent)
    points = []
    for step in range(16):
        wide = (21, 15) if step % 2 else (12, 8)
        dx, dy = _SIXTEENTHS[step]
        points.append((50 + dx * wide[0], 50 + dy * wide[1]))
    pen.shape(points, GOLD)
    pen.rect(40, 47, 20, 6, RED, 2)
    pen.disc(37, 19, 6.5, SKIN)
    pen.oval(37, 15, 7, 4, INK)
    pen.oval(62, 17, 8, 5, WHITE)


_SIXTEENTHS = (
    (1.0, 0.0),
    (0.92, 0.38),
    (0.71, 0.71),
    (0.38, 0.92),
    (0.0, 1.0),
    (-0.38, 0.92),
    (-0.71, 0.71),
    (-0.92, 0.38),
    (-1.0, 0.0),
    (-0.92, -0.38),
    (-0.71, -0.71),
    (-0.38, -0.92),
    (0.0, -1.0),
    (0.38, -0.92),
    (0.71, -0.71),
    (0.92, -0.38),
)


def open_book(pen: Pen, c: Palette) -> None:
    """An open book with a pencil."""
    pen.shape([(6, 18), (50, 24), (94, 18), (94, 64), (50, 70), (6, 64)], c.main)
    pen.shape([(10, 13), (50, 20), (50, 65), (10, 59)], WHITE)
    pen.shape([(90, 13), (50, 20), (50, 65), (90, 59)], _PAGES)
    for row in range(5):
        y = 23 + row * 7.4
        pen.line([(16, y), (44, y + 4)], 1.6, GREY)
        if row > 1:
            pen.line([(84, y), (56, y + 4)], 1.6, GREY)
    pen.shape([(58, 24), (82, 20), (82, 31), (58, 35)], c.accent)
    pen.line([(50, 20), (50, 65)], 1.4, c.dark)
    pen.line([(64, 56), (88, 36)], 4, GOLD)
    pen.shape([(60, 60), (63, 54), (67, 58)], INK)


def magazine(pen: Pen, c: Palette) -> None:
    """A magazine with a portrait on its cover."""
    pen.shape([(30, 8), (80, 4), (84, 66), (34, 70)], GREY)
    pen.rect(22, 5, 54, 65, c.main)
    pen.rect(27, 9, 44, 10, WHITE, 1)
    pen.oval(49, 60, 20, 14, c.accent, (180, 360))
    pen.disc(49, 38, 11, SKIN)
    pen.oval(49, 32, 12, 8, INK, (180, 360))
    pen.rect(37, 32, 4, 14, INK, 2)
    pen.rect(57, 32, 4, 14, INK, 2)
    pen.rect(27, 61, 12, 3, WHITE)
    pen.rect(60, 24, 11, 3, WHITE)


def _ticket_paper(pen: Pen, c: Palette, stub: float) -> None:
    pen.rect(7, 18, 86, 40, c.main, 3)
    for y in (18, 58):
        pen.disc(stub, y, 4, c.dark)
    for step in range(6):
        pen.rect(stub - 0.7, 24 + step * 5, 1.4, 3, WHITE)


def ticket(pen: Pen, c: Palette) -> None:
    """A concert ticket with a note on it."""
    _ticket_paper(pen, c, 70)
    pen.disc(28, 47, 5.5, WHITE)
    pen.disc(44, 43, 5.5, WHITE)
    pen.line([(32, 46), (32, 27), (48, 23), (48, 42)], 3, WHITE)
    pen.shape([(32, 27), (48, 23), (48, 29), (32, 33)], WHITE)
    pen.rect(54, 28, 10, 4, c.accent)
    pen.rect(54, 38, 10, 4, c.accent)
    pen.rect(76, 26, 11, 24, c.light, 1)


def theatre_ticket(pen: Pen, c: Palette) -> None:
    """A theatre ticket with curtain and mask."""
    _ticket_paper(pen, c, 74)
    pen.rect(11, 22, 56, 32, INK)
    pen.shape([(11, 22), (28, 22), (20, 40), (14, 54), (11, 54)], c.accent)
    pen.shape([(67, 22), (50, 22), (58, 40), (64, 54), (67, 54)], c.accent)
    pen.disc(39, 38, 10, WHITE)
    pen.disc(35, 35, 2, INK)
    pen.disc(43, 35, 2, INK)
    pen.arc(39, 38, 5, 5, (20, 160), 2, INK)
    pen.rect(80, 26, 8, 24, GOLD, 1)


def match_ticket(pen: Pen, c: Palette) -> None:
    """A ticket for a match, with a ball on it."""
    _ticket_paper(pen, c, 66)
    pen.disc(34, 38, 14, WHITE)
    pen.arc(20, 38, 9, 13, (-50, 50), 1.6, RED)
    pen.arc(48, 38, 9, 13, (130, 230), 1.6, RED)
    pen.rect(53, 25, 8, 26, c.light)
    for y in (27, 35, 43):
        pen.rect(73, y, 14, 4, c.accent, 1)


def gift_card(pen: Pen, c: Palette) -> None:
    """A gift card with a ribbon."""
    pen.rect(14, 14, 72, 48, c.main, 5)
    pen.rect(30, 14, 8, 48, c.accent)
    pen.rect(14, 30, 72, 8, c.accent)
    pen.oval(26, 27, 8, 6, c.accent)
    pen.oval(42, 27, 8, 6, c.accent)
    pen.disc(34, 33, 4.5, GOLD)
    pen.rect(52, 46, 28, 4, WHITE, 1)
    pen.rect(60, 53, 20, 3, WHITE, 1)


def ski_pass(pen: Pen, c: Palette) -> None:
    """A pass on a lanyard, mountains on it."""
    pen.line([(44, 17), (30, 0)], 2.6, c.accent)
    pen.line([(56, 17), (70, 0)], 2.6, c.accent)
    pen.rect(26, 15, 48, 56, c.main, 5)
    pen.rect(44, 17, 12, 3.4, INK, 1.5)
    pen.rect(30, 24, 40, 26, GLASS)
    pen.shape([(30, 50), (44, 29), (58, 50)], c.dark)
    pen.shape([(46, 50), (58, 34), (70, 50)], mix(c.dark, INK, 0.4))
    pen.shape([(40, 35), (44, 29), (48, 35), (44, 37)], WHITE)
    pen.rect(30, 55, 26, 4, WHITE, 1)
    pen.rect(30, 62, 34, 4, WHITE, 1)


def painting(pen: Pen, c: Palette) -> None:
    """A framed landscape."""
    pen.line([(30, 10), (50, 1), (70, 10)], 1, INK)
    pen.rect(10, 9, 80, 60, GOLD)
    pen.rect(13, 12, 74, 54, WOOD)
    pen.rect(17, 16, 66, 46, mix(c.main, WHITE, 0.55))
    pen.disc(64, 29, 7.5, c.accent)
    pen.shape([(17, 50), (38, 26), (56, 50)], c.main)
    pen.shape([(40, 54), (62, 36), (83, 54)], c.dark)
    pen.rect(17, 50, 66, 12, mix(c.main, INK, 0.45))
    pen.line([(26, 56), (46, 56)], 1.4, WHITE)


def perfume(pen: Pen, c: Palette) -> None:
    """A bottle of perfume."""
    pen.rect(42, 4, 16, 14, GOLD, 2)
    pen.rect(45, 17, 10, 7, STEEL)
    pen.rect(24, 23, 52, 45, GLASS, 6)
    pen.rect(28, 36, 44, 28, c.main, 4)
    pen.rect(37, 40, 26, 16, WHITE, 1)
    pen.line([(42, 46), (58, 46)], 1.6, c.dark)
    pen.line([(45, 51), (55, 51)], 1.6, c.dark)
    pen.rect(28, 27, 4, 34, WHITE, 2)


def lipstick(pen: Pen, c: Palette) -> None:
    """A lipstick beside its cap."""
    pen.rect(28, 40, 20, 28, INK, 2)
    pen.rect(30, 30, 16, 12, GOLD)
    pen.shape([(32, 31), (32, 14), (40, 6), (44, 11), (44, 31)], c.main)
    pen.shape([(32, 14), (40, 6), (44, 11), (37, 20)], c.light)
    pen.rect(57, 34, 19, 34, INK, 2)
    pen.rect(57, 60, 19, 5, GOLD)
    pen.rect(60, 37, 3, 20, GREY, 1)


def cream_jar(pen: Pen, c: Palette) -> None:
    """An open jar of cream."""
    pen.rect(17, 34, 52, 33, c.main, 6)
    pen.rect(17, 45, 52, 13, WHITE)
    pen.line([(26, 51), (50, 51)], 2, c.dark)
    pen.oval(43, 34, 26, 8, c.light)
    pen.oval(43, 33.5, 22, 6, WHITE)
    pen.arc(43, 32, 10, 3, (200, 420), 2.2, (232, 226, 214))
    pen.oval(79, 53, 10, 15, c.dark)
    pen.oval(77, 53, 8, 13, GOLD)


def eyeshadow(pen: Pen, c: Palette) -> None:
    """An eyeshadow palette with its mirror open."""
    pen.rect(14, 4, 72, 28, INK, 3)
    pen.rect(18, 7, 64, 21, GLASS, 1)
    pen.shape([(24, 26), (42, 8), (50, 8), (32, 26)], WHITE)
    pen.rect(12, 32, 76, 37, INK, 3)
    tones = (c.main, c.light, c.accent, c.dark, GOLD, (226, 180, 170))
    for index, tone in enumerate(tones):
        pen.rect(17 + index % 3 * 23, 36 + index // 3 * 16, 20, 13, tone, 2)


def brushes(pen: Pen, c: Palette) -> None:
    """Three make-up brushes."""
    for x, turn, thick in ((26, -4, 7), (50, 0, 11), (74, 4, 8)):
        pen.line([(x, 36), (x - turn, 68)], 3.4, c.main)
        pen.shape([(x - 4, 26), (x + 4, 26), (x + 3, 40), (x - 3, 40)], STEEL)
        pen.oval(x, 18, thick, 13, (96, 66, 54))
        pen.oval(x, 11, thick * 0.7, 6, c.accent)


SHELF = (
    book,
    book_stack,
    comic,
    open_book,
    magazine,
    ticket,
    theatre_ticket,
    match_ticket,
    gift_card,
    ski_pass,
    painting,
    perfume,
    lipstick,
    cream_jar,
    eyeshadow,
    brushes,
)

"""Clothes and things to wear, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import GOLD, GREY, INK, SKIN, STEEL, WHITE, WOOD, Palette, Pen

_HEELED = (
    *((12, 26), (24, 24), (42, 46), (62, 48), (74, 58)),
    *((72, 62), (46, 60), (24, 42), (20, 62), (16, 62)),
)
_SNEAKER = ((10, 26), (26, 22), (34, 30), (52, 34), (64, 42), (82, 46), (86, 56), (8, 56))


def _hanger(pen: Pen, top: float) -> None:
    pen.arc(50, top - 5, 3, 3, (150, 420), 1.4, GREY)
    pen.line([(50, top - 2), (30, top + 7)], 2.2, WOOD)
    pen.line([(50, top - 2), (70, top + 7)], 2.2, WOOD)


def dress(pen: Pen, c: Palette) -> None:
    """A sleeveless dress with a belt."""
    _hanger(pen, 9)
    pen.shape([(40, 9), (44, 9), (50, 17), (56, 9), (60, 9), (63, 32), (37, 32)], c.main)
    pen.shape([(37, 34), (63, 34), (80, 70), (20, 70)], c.main)
    pen.shape([(44, 34), (48, 34), (42, 70), (34, 70)], c.light)
    pen.shape([(56, 34), (60, 34), (71, 70), (62, 70)], c.dark)
    pen.rect(36, 30, 28, 5, c.accent, 1)


def coat(pen: Pen, c: Palette) -> None:
    """A long coat with a belt and buttons."""
    _hanger(pen, 8)
    pen.shape([(36, 10), (20, 18), (14, 56), (24, 58), (34, 30)], c.dark)
    pen.shape([(64, 10), (80, 18), (86, 56), (76, 58), (66, 30)], c.dark)
    pen.shape([(36, 9), (64, 9), (70, 36), (76, 71), (24, 71), (30, 36)], c.main)
    pen.shape([(42, 8), (50, 26), (44, 32), (34, 12)], c.light)
    pen.shape([(58, 8), (50, 26), (56, 32), (66, 12)], c.light)
    pen.line([(50, 26), (50, 71)], 1.2, c.dark)
    pen.rect(28, 39, 44, 6, c.accent, 1)
    pen.rect(46, 37.5, 8, 9, GOLD, 1)
    for y in (52, 60):
        pen.disc(45, y, 1.8, INK)
        pen.disc(55, y, 1.8, INK)


def handbag(pen: Pen, c: Palette) -> None:
    """A handbag with a flap and a clasp."""
    pen.arc(50, 32, 20, 25, (180, 360), 4, c.dark)
    pen.shape([(20, 30), (80, 30), (88, 66), (12, 66)], c.main)
    pen.shape([(19, 30), (81, 30), (76, 50), (50, 55), (24, 50)], c.light)
    pen.line([(24, 50), (50, 55), (76, 50)], 1.4, c.dark)
    pen.rect(44, 48, 12, 11, GOLD, 2)
    pen.rect(48, 51, 4, 5, INK, 1)
    for x in (31, 69):
        pen.disc(x, 33, 2.6, GOLD)


def skirt(pen: Pen, c: Palette) -> None:
    """A pleated skirt."""
    pen.shape([(33, 14), (67, 14), (86, 66), (14, 66)], c.main)
    for left in range(5):
        top, bottom = 35 + left * 6.6, 20 + left * 14.4
        pen.shape([(top, 14), (top + 2.6, 14), (bottom + 6, 66), (bottom, 66)], c.dark)
        pen.shape([(top + 3, 14), (top + 4, 14), (bottom + 11, 66), (bottom + 7, 66)], c.light)
    pen.rect(32, 8, 36, 8, c.accent, 1.5)


def sweater(pen: Pen, c: Palette) -> None:
    """A knitted sweater with a zigzag."""
    pen.shape([(30, 15), (12, 28), (6, 60), (18, 62), (30, 36)], c.dark)
    pen.shape([(70, 15), (88, 28), (94, 60), (82, 62), (70, 36)], c.dark)
    pen.rect(27, 13, 46, 52, c.main, 6)
    pen.rect(27, 61, 46, 7, c.dark, 2)
    pen.oval(50, 13, 11, 6, c.dark)
    pen.oval(50, 12, 8, 4, INK)
    for y, colour in ((30, c.accent), (38, WHITE), (46, c.accent)):
        zigzag = [(28 + i * 5.5, y + (4 if i % 2 else 0)) for i in range(9)]
        pen.line(zigzag, 2.2, colour)


def heels(pen: Pen, c: Palette) -> None:
    """A pair of high-heeled shoes."""
    for dx, dy, side in ((14, -12, c.dark), (0, 4, c.main)):
        pen.shape(
            [(x + dx, y + dy) for x, y in _HEELED],
            side,
        )
        pen.oval(33 + dx, 39 + dy, 10, 4, SKIN, (30, 210))
        pen.line([(46 + dx, 61 + dy), (72 + dx, 63 + dy)], 1.6, INK)
    pen.disc(58, 54, 3.4, c.accent)


def jacket(pen: Pen, c: Palette) -> None:
    """A zipped jacket with pockets."""
    pen.shape([(32, 12), (14, 20), (8, 58), (20, 61), (30, 34)], c.dark)
    pen.shape([(68, 12), (86, 20), (92, 58), (80, 61), (70, 34)], c.dark)
    pen.rect(27, 11, 46, 55, c.main, 4)
    pen.rect(27, 60, 46, 8, c.dark, 2)
    pen.shape([(38, 6), (62, 6), (64, 16), (50, 22), (36, 16)], c.light)
    pen.rect(48.5, 16, 3, 51, GOLD)
    pen.line([(33, 50), (42, 44)], 1.8, INK)
    pen.line([(67, 50), (58, 44)], 1.8, INK)
    pen.rect(57, 26, 11, 7, c.accent, 1)


def jeans(pen: Pen, c: Palette) -> None:
    """A pair of jeans."""
    pen.shape([(28, 5), (72, 5), (77, 70), (55, 70), (50, 30), (45, 70), (23, 70)], c.main)
    pen.shape([(33, 24), (39, 24), (38, 66), (30, 66)], c.light)
    pen.shape([(61, 24), (67, 24), (70, 66), (62, 66)], c.light)
    pen.rect(28, 4, 44, 6, c.dark, 1)
    pen.disc(50, 7, 2, GOLD)
    pen.arc(34, 11, 8, 8, (0, 90), 1.2, GOLD)
    pen.arc(66, 11, 8, 8, (90, 180), 1.2, GOLD)
    pen.line([(50, 10), (50, 28)], 1.2, GOLD)
    for x in (23, 55):
        pen.rect(x, 66, 22, 4, c.dark)


def sneakers(pen: Pen, c: Palette) -> None:
    """A pair of sneakers."""
    for dx, dy in ((10, -17), (0, 5)):
        pen.shape(
            [(x + dx, y + dy) for x, y in _SNEAKER],
            c.main,
        )
        pen.rect(6 + dx, 53 + dy, 82, 8, WHITE, 3)
        pen.line([(7 + dx, 58 + dy), (87 + dx, 58 + dy)], 1.4, c.accent)
        pen.shape(
            [(24 + dx, 50 + dy), (36 + dx, 36 + dy), (46 + dx, 36 + dy), (34 + dx, 50 + dy)],
            c.accent,
        )
        for step in range(3):
            x, y = 46 + dx + step * 6, 34 + dy + step * 3.4
            pen.line([(x, y), (x - 4, y + 6)], 1.6, INK)
        pen.oval(18 + dx, 25 + dy, 8, 3, INK)


def shirt(pen: Pen, c: Palette) -> None:
    """A folded-out buttoned shirt."""
    pen.shape([(30, 12), (8, 26), (14, 44), (30, 36)], c.dark)
    pen.shape([(70, 12), (92, 26), (86, 44), (70, 36)], c.dark)
    pen.rect(28, 11, 44, 58, c.main, 3)
    pen.rect(47, 16, 6, 53, c.light)
    pen.shape([(38, 7), (50, 20), (40, 26), (32, 12)], c.light)
    pen.shape([(62, 7), (50, 20), (60, 26), (68, 12)], c.light)
    pen.shape([(40, 8), (60, 8), (50, 19)], INK)
    for y in (30, 40, 50, 60):
        pen.disc(50, y, 1.5, INK)
    pen.rect(57, 30, 11, 12, c.accent, 1)


def hoodie(pen: Pen, c: Palette) -> None:
    """A hooded sweatshirt."""
    pen.shape([(30, 18), (12, 28), (7, 60), (19, 62), (30, 38)], c.dark)
    pen.shape([(70, 18), (88, 28), (93, 60), (81, 62), (70, 38)], c.dark)
    pen.rect(27, 17, 46, 50, c.main, 5)
    pen.oval(50, 17, 18, 13, c.dark)
    pen.oval(50, 19, 12, 9, INK)
    pen.shape([(33, 48), (67, 48), (70, 62), (30, 62)], c.dark)
    pen.line([(45, 26), (44, 38)], 1.6, WHITE)
    pen.line([(55, 26), (56, 38)], 1.6, WHITE)
    pen.rect(41, 40, 18, 5, c.accent, 1)


def umbrella(pen: Pen, c: Palette) -> None:
    """An open umbrella."""
    pen.line([(50, 8), (50, 60)], 2.6, WOOD)
    pen.arc(56, 60, 6, 7, (0, 180), 3, WOOD)
    pen.oval(50, 40, 40, 34, c.main, (180, 360))
    pen.oval(50, 40, 22, 34, c.light, (180, 360))
    pen.oval(50, 40, 8, 34, c.main, (180, 360))
    for x in (20, 36, 50, 64, 80):
        pen.oval(x, 41, 8, 4, c.dark, (180, 360))
    pen.disc(50, 5, 2.4, c.accent)


def suitcase(pen: Pen, c: Palette) -> None:
    """A suitcase on wheels."""
    pen.line([(40, 16), (40, 3), (60, 3), (60, 16)], 3, GREY)
    pen.disc(33, 68, 3.6, INK)
    pen.disc(67, 68, 3.6, INK)
    pen.rect(24, 14, 52, 53, c.main, 6)
    for x in (33, 43, 53, 63):
        pen.rect(x, 18, 4, 45, c.dark, 2)
    pen.rect(24, 36, 52, 4, c.light)
    pen.shape([(60, 44), (72, 42), (73, 52), (61, 54)], c.accent)
    pen.rect(45, 34, 10, 8, STEEL, 1.5)


def helmet(pen: Pen, c: Palette) -> None:
    """A motorbike helmet with a visor."""
    pen.oval(48, 40, 36, 33, c.main)
    pen.rect(20, 52, 56, 15, c.main, 7)
    pen.oval(40, 24, 16, 8, c.light)
    pen.shape([(40, 32), (84, 28), (86, 48), (44, 52), (37, 43)], INK)
    pen.shape([(46, 36), (78, 33), (79, 38), (47, 42)], (110, 170, 210))
    pen.line([(17, 52), (46, 60), (78, 56)], 3, c.accent)
    pen.disc(36, 46, 4, STEEL)


CLOTHES = (
    dress,
    coat,
    handbag,
    skirt,
    sweater,
    heels,
    jacket,
    jeans,
    sneakers,
    shirt,
    hoodie,
    umbrella,
    suitcase,
    helmet,
)

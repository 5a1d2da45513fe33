"""Plants, instruments and the workshop, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import (
    GOLD,
    GREY,
    INK,
    LEAF,
    RED,
    STEEL,
    WHITE,
    WOOD,
    Palette,
    Pen,
    mix,
)

_PALE_LEAF = mix(LEAF, (220, 240, 120), 0.45)
_DARK_LEAF = mix(LEAF, INK, 0.35)
_VEIN = mix(LEAF, WHITE, 0.55)


def _plant_pot(pen: Pen, c: Palette, top: float, wide: float) -> None:
    pen.shape(
        [(50 - wide, top), (50 + wide, top), (50 + wide * 0.7, 68), (50 - wide * 0.7, 68)], c.main
    )
    pen.rect(48 - wide, top - 3, wide * 2 + 4, 6, c.dark, 2)


def monstera(pen: Pen, c: Palette) -> None:
    """A monstera with split leaves."""
    leaves = (
        (28, 22, 15, LEAF),
        (70, 18, 16, _DARK_LEAF),
        (50, 12, 12, _PALE_LEAF),
        (22, 42, 12, _DARK_LEAF),
        (77, 40, 12, LEAF),
    )
    for x, y, size, colour in leaves:
        pen.line([(50, 52), (x, y)], 1.8, _DARK_LEAF)
        pen.oval(x, y, size, size * 0.8, colour)
        side = 1 if x >= 50 else -1
        pen.line([(x - side * size * 0.8, y + size * 0.5), (x + side * size * 0.8, y)], 1.2, _VEIN)
        for part in (-0.3, 0.1, 0.5):
            start = (x + side * size * part, y + size * (0.25 - part * 0.3))
            pen.line([start, (x + side * size * (part + 0.2), y - size * 0.55)], 1, _VEIN)
            pen.line([start, (x + side * size * (part + 0.3), y + size * 0.55)], 1, _VEIN)
    _plant_pot(pen, c, 49, 16)


def cactus(pen: Pen, c: Palette) -> None:
    """A cactus with a flower."""
    pen.line([(50, 52), (50, 16)], 17, LEAF)
    pen.line([(50, 40), (30, 40), (30, 27)], 8, LEAF)
    pen.line([(50, 34), (70, 34), (70, 22)], 8, LEAF)
    for x in (46, 50, 54):
        pen.line([(x, 14), (x, 48)], 0.9, _PALE_LEAF)
    for dx, dy in ((-4, 0), (4, 0), (0, -4), (0, 3)):
        pen.disc(50 + dx, 7 + dy, 3.4, c.accent)
    pen.disc(50, 7, 2.4, GOLD)
    _plant_pot(pen, c, 48, 18)


def flowers(pen: Pen, c: Palette) -> None:
    """Flowers in a pot."""
    for x, y in ((30, 22), (50, 14), (70, 22), (40, 33), (61, 34)):
        pen.line([(50, 54), (x, y)], 1.8, LEAF)
        for dx, dy in ((-5, 0), (5, 0), (0, -5), (0, 5)):
            pen.disc(x + dx, y + dy, 4.6, c.main)
        pen.disc(x, y, 3.6, GOLD)
    pen.oval(30, 46, 10, 4, LEAF)
    pen.oval(70, 46, 10, 4, _DARK_LEAF)
    pen.shape([(34, 50), (66, 50), (61, 69), (39, 69)], c.accent)
    pen.rect(31, 47, 38, 6, mix(c.accent, INK, 0.25), 2)


def bonsai(pen: Pen, c: Palette) -> None:
    """A bonsai tree in a flat tray."""
    pen.line([(52, 58), (46, 46), (56, 36), (48, 24)], 6, (112, 74, 48))
    pen.line([(54, 38), (74, 32)], 3.4, (112, 74, 48))
    pen.line([(47, 46), (28, 42)], 3.4, (112, 74, 48))
    for x, y, rx in ((48, 15, 20), (76, 28, 15), (25, 37, 15)):
        pen.oval(x, y + 2, rx, 9, _DARK_LEAF)
        pen.oval(x - 1, y, rx - 2, 7, LEAF)
        pen.oval(x - 4, y - 2, rx * 0.5, 3, _PALE_LEAF)
    pen.oval(50, 57, 26, 4, _DARK_LEAF)
    pen.shape([(18, 57), (82, 57), (74, 68), (26, 68)], c.main)
    pen.rect(16, 55, 68, 5, c.dark, 2)


def hanging_plant(pen: Pen, c: Palette) -> None:
    """A plant that hangs from strings."""
    pen.line([(50, 0), (30, 27)], 1.4, WOOD)
    pen.line([(50, 0), (70, 27)], 1.4, WOOD)
    for x, y in ((36, 22), (46, 18), (57, 19), (66, 23)):
        pen.oval(x, y, 8, 6, LEAF)
    pen.oval(50, 32, 22, 16, c.main, (0, 180))
    pen.rect(26, 26, 48, 8, c.dark, 3)
    for x, length in ((30, 38), (38, 26), (63, 30), (71, 42)):
        for step in range(length // 7):
            y = 30 + step * 7
            tone = LEAF if step % 2 else _PALE_LEAF
            pen.oval(x + (3 if step % 2 else -3), y, 4.4, 3.2, tone)


def watering_can(pen: Pen, c: Palette) -> None:
    """A watering can, pouring."""
    pen.line([(56, 52), (82, 24)], 6, c.dark)
    pen.shape([(74, 21), (82, 13), (92, 24), (85, 31)], c.dark)
    for x, y in ((88, 36), (93, 42), (86, 46), (92, 53)):
        pen.line([(x, y), (x, y + 3)], 2, (80, 160, 220))
    pen.arc(26, 45, 15, 15, (90, 270), 5, c.accent)
    pen.shape([(24, 28), (58, 28), (62, 66), (20, 66)], c.main)
    pen.shape([(28, 32), (34, 32), (33, 62), (26, 62)], c.light)
    pen.oval(41, 28, 17, 4.5, c.dark)


def guitar(pen: Pen, c: Palette) -> None:
    """An acoustic guitar, lying."""
    pen.rect(54, 33.5, 34, 8, (92, 58, 38))
    pen.rect(86, 31, 11, 13, c.dark, 2)
    pen.disc(45, 37.5, 17, c.main)
    pen.oval(23, 37.5, 20, 24, c.main)
    pen.oval(23, 37.5, 17, 21, c.light)
    pen.disc(45, 37.5, 14, c.light)
    pen.disc(43, 37.5, 8.5, c.accent)
    pen.disc(43, 37.5, 7, INK)
    pen.rect(15, 30, 4, 15, INK, 1)
    for y in (35, 36.7, 38.4, 40):
        pen.line([(17, y), (92, y)], 0.5, WHITE)
    for x in (60, 66, 72, 78):
        pen.line([(x, 34), (x, 41)], 0.8, STEEL)


def piano(pen: Pen, c: Palette) -> None:
    """A digital piano on its stand."""
    pen.line([(24, 46), (70, 68)], 3.4, INK)
    pen.line([(76, 46), (30, 68)], 3.4, INK)
    pen.rect(5, 17, 90, 31, c.main, 3)
    pen.rect(8, 20, 84, 7, c.dark, 1)
    pen.rect(44, 21, 14, 5, c.accent, 1)
    pen.rect(9, 29, 82, 17, WHITE)
    for key in range(1, 14):
        pen.line([(9 + key * 5.86, 29), (9 + key * 5.86, 46)], 0.6, GREY)
        if key % 7 not in (3, 0):
            pen.rect(7.2 + key * 5.86, 29, 3.6, 10, INK)


def drum(pen: Pen, c: Palette) -> None:
    """A drum with its sticks."""
    pen.rect(18, 30, 64, 32, c.main)
    pen.oval(50, 62, 32, 8, c.dark)
    for x in (22, 36, 50, 64):
        pen.line([(x, 32), (x + 7, 64)], 1.4, WHITE)
        pen.line([(x + 14, 32), (x + 7, 64)], 1.4, WHITE)
    pen.oval(50, 30, 33, 11, GOLD)
    pen.oval(50, 29, 30, 9, (246, 240, 224))
    pen.line([(28, 4), (52, 27)], 3, WOOD)
    pen.line([(80, 6), (56, 28)], 3, WOOD)
    pen.disc(53, 28, 3, c.accent)
    pen.disc(55, 28, 3, c.accent)


def violin(pen: Pen, c: Palette) -> None:
    """A violin with its bow."""
    pen.line([(84, 4), (72, 70)], 1.6, WOOD)
    pen.line([(86, 5), (75, 70)], 0.8, WHITE)
    pen.rect(41, 2, 6, 34, INK, 2)
    pen.disc(44, 5, 4, c.dark)
    pen.disc(44, 32, 13, c.main)
    pen.disc(44, 56, 16, c.main)
    pen.rect(33, 30, 22, 28, c.main)
    pen.disc(30, 44, 5, c.dark)
    pen.disc(58, 44, 5, c.dark)
    pen.arc(36, 46, 3, 7, (120, 300), 1.4, INK)
    pen.arc(52, 46, 3, 7, (-120, 60), 1.4, INK)
    pen.rect(41, 56, 6, 12, INK, 2)
    pen.rect(38, 51, 12, 2.4, c.accent)
    for x in (42.6, 45.4):
        pen.line([(x, 6), (x, 58)], 0.5, WHITE)


def toolbox(pen: Pen, c: Palette) -> None:
    """A toolbox with a hammer and a screwdriver in it."""
    pen.line([(28, 34), (22, 8)], 3.4, WOOD)
    pen.rect(12, 4, 20, 8, STEEL, 2)
    pen.line([(70, 34), (74, 16)], 2.4, STEEL)
    pen.line([(74, 14), (76, 5)], 6, RED if c.main != RED else GOLD)
    pen.arc(50, 30, 14, 13, (180, 360), 4, INK)
    pen.rect(10, 30, 80, 36, c.main, 3)
    pen.rect(10, 30, 80, 9, c.dark, 3)
    pen.rect(26, 36, 8, 9, STEEL, 1)
    pen.rect(66, 36, 8, 9, STEEL, 1)
    pen.rect(39, 47, 22, 10, c.accent, 1)


def tyre(pen: Pen, c: Palette) -> None:
    """A tyre on its wheel."""
    for turn in range(0, 360, 20):
        pen.arc(50, 37.5, 33, 33, (turn, turn + 9), 4, INK)
    pen.disc(50, 37.5, 32, (52, 52, 60))
    pen.ring(50, 37.5, 26, 0.9, GREY)
    pen.disc(50, 37.5, 20, c.light)
    for turn in range(0, 360, 72):
        pen.wedge(50, 37.5, 18, (turn, turn + 34), c.dark)
    pen.disc(50, 37.5, 6, c.accent)
    pen.disc(50, 37.5, 2.4, INK)


GARDEN = (
    monstera,
    cactus,
    flowers,
    bonsai,
    hanging_plant,
    watering_can,
    guitar,
    piano,
    drum,
    violin,
    toolbox,
    tyre,
)

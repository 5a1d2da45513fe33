"""Appliances and kitchen things, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import (
    GLASS,
    GOLD,
    GREY,
    INK,
    STEEL,
    WHITE,
    WOOD,
    Palette,
    Pen,
    mix,
)


def microwave(pen: Pen, c: Palette) -> None:
    """A microwave oven with a lit window."""
    pen.rect(14, 63, 8, 4, INK)
    pen.rect(78, 63, 8, 4, INK)
    pen.rect(8, 16, 84, 48, c.main, 3)
    pen.rect(13, 21, 52, 38, INK, 2)
    pen.rect(17, 25, 44, 30, (246, 196, 96), 2)
    pen.oval(39, 50, 16, 3.4, WHITE)
    pen.shape([(30, 42), (48, 42), (45, 49), (33, 49)], c.accent)
    pen.rect(66.5, 22, 3, 36, STEEL, 1.5)
    pen.rect(74, 22, 13, 7, (60, 200, 150), 1)
    for y in (33, 39, 45):
        for x in (74, 79, 84):
            pen.rect(x, y, 3.4, 3.4, c.dark, 0.8)
    pen.disc(80.5, 55, 3.6, c.accent)


def vacuum(pen: Pen, c: Palette) -> None:
    """A cordless vacuum cleaner."""
    pen.line([(58, 22), (24, 62)], 4, STEEL)
    pen.shape([(8, 60), (34, 60), (36, 68), (6, 68)], c.main)
    pen.rect(6, 65, 30, 4, INK, 1.5)
    pen.shape([(50, 22), (62, 10), (76, 24), (64, 36)], c.accent)
    pen.disc(69, 22, 11, c.main)
    pen.disc(69, 22, 6.5, c.light)
    pen.arc(81, 32, 9, 11, (280, 440), 4, c.dark)
    pen.shape([(70, 36), (83, 42), (79, 52), (66, 46)], INK)


def fan(pen: Pen, c: Palette) -> None:
    """A standing fan."""
    pen.rect(47.5, 44, 5, 22, c.dark)
    pen.oval(50, 67, 18, 4, c.dark)
    pen.disc(50, 29, 26, c.main)
    pen.disc(50, 29, 23, WHITE)
    for turn in (20, 140, 260):
        pen.wedge(50, 29, 21, (turn, turn + 66), c.accent)
    pen.ring(50, 29, 15, 0.9, c.dark)
    pen.ring(50, 29, 20, 0.9, c.dark)
    pen.disc(50, 29, 5.5, c.main)


def coffee_machine(pen: Pen, c: Palette) -> None:
    """An espresso machine with a cup under it."""
    pen.rect(24, 8, 52, 16, c.main, 4)
    pen.rect(24, 18, 20, 46, c.main)
    pen.rect(24, 18, 20, 46, c.dark)
    pen.rect(22, 59, 56, 8, INK, 3)
    pen.disc(34, 16, 4, WHITE)
    pen.line([(34, 16), (36, 14)], 1, INK)
    pen.disc(70, 16, 2.5, c.accent)
    pen.rect(53, 24, 14, 6, STEEL, 1)
    pen.line([(66, 27), (84, 27)], 4, INK)
    pen.line([(60, 31), (60, 44)], 1.8, (110, 66, 38))
    pen.shape([(50, 43), (70, 43), (67, 58), (53, 58)], WHITE)
    pen.arc(70, 49, 5, 5, (270, 450), 2, WHITE)


def washer(pen: Pen, c: Palette) -> None:
    """A front-loading washing machine."""
    pen.rect(22, 4, 56, 64, c.main, 3)
    pen.rect(22, 4, 56, 13, c.dark, 3)
    pen.rect(26, 7, 18, 7, WHITE, 1)
    pen.disc(54, 10.5, 3.6, c.accent)
    pen.rect(62, 8, 11, 5, (70, 210, 160), 1)
    pen.disc(50, 42, 21, STEEL)
    pen.disc(50, 42, 16.5, INK)
    pen.oval(50, 42, 15, 15, (80, 160, 220), (10, 170))
    pen.oval(46, 48, 7, 4, c.accent)
    pen.oval(55, 52, 6, 4, WHITE)
    pen.arc(50, 42, 12, 12, (200, 250), 2, WHITE)


def humidifier(pen: Pen, c: Palette) -> None:
    """A humidifier blowing mist."""
    for x, y, r in ((46, 10, 5), (54, 6, 6), (60, 13, 4.5), (51, 16, 5)):
        pen.disc(x, y, r, (226, 240, 248))
    pen.shape([(34, 27), (66, 27), (72, 66), (28, 66)], c.main)
    pen.rect(33, 22, 34, 8, c.light, 4)
    pen.rect(27, 60, 46, 7, c.dark, 3)
    pen.rect(46, 33, 8, 22, GLASS, 4)
    pen.rect(46, 43, 8, 12, (70, 150, 214), 4)
    pen.disc(50, 63.4, 1.8, c.accent)


def pan(pen: Pen, c: Palette) -> None:
    """A frying pan with an egg."""
    pen.line([(60, 40), (93, 54)], 7, WOOD)
    pen.line([(58, 39), (68, 43)], 5, STEEL)
    pen.disc(37, 35, 29, c.dark)
    pen.disc(37, 35, 25, c.main)
    pen.disc(37, 35, 22, mix(c.main, INK, 0.5))
    pen.oval(35, 37, 13, 10, WHITE)
    pen.oval(42, 30, 8, 7, WHITE)
    pen.disc(36, 35, 5.5, GOLD)


def pot(pen: Pen, c: Palette) -> None:
    """A cooking pot with its lid."""
    pen.rect(8, 33, 14, 7, c.dark, 3)
    pen.rect(78, 33, 14, 7, c.dark, 3)
    pen.rect(18, 30, 64, 36, c.main, 9)
    pen.rect(18, 30, 64, 10, c.main)
    pen.rect(24, 40, 6, 18, c.light, 3)
    pen.oval(50, 29, 33, 13, c.light, (180, 360))
    pen.rect(15, 27, 70, 5, c.dark, 2)
    pen.disc(50, 13, 4.5, GOLD)


def mug(pen: Pen, c: Palette) -> None:
    """A mug of coffee."""
    pen.arc(70, 41, 14, 13, (270, 450), 6, c.dark)
    pen.rect(26, 20, 46, 46, c.main, 7)
    pen.rect(26, 20, 46, 14, c.main)
    pen.oval(49, 20, 23, 6, c.light)
    pen.oval(49, 20.5, 20, 4.4, (98, 58, 34))
    pen.shape([(49, 56), (38, 44), (43, 38), (49, 42), (55, 38), (60, 44)], c.accent)
    for x in (42, 54):
        pen.line([(x, 14), (x + 2, 10), (x, 6), (x + 2, 2)], 1.8, WHITE)


def plates(pen: Pen, c: Palette) -> None:
    """Plates with a rim, and cutlery."""
    pen.line([(12, 14), (12, 62)], 3, STEEL)
    for x in (8, 12, 16):
        pen.line([(x, 10), (x, 24)], 1.6, STEEL)
    pen.line([(8, 24), (16, 24)], 2, STEEL)
    pen.line([(90, 38), (90, 62)], 3, STEEL)
    pen.oval(90, 22, 4.5, 15, STEEL)
    pen.disc(51, 38, 31, c.main)
    pen.disc(51, 38, 27, WHITE)
    pen.ring(51, 38, 23, 1.6, c.accent)
    pen.disc(51, 38, 17, c.light)
    pen.disc(51, 38, 14.5, WHITE)


def rug(pen: Pen, c: Palette) -> None:
    """A patterned rug with fringes."""
    for step in range(10):
        y = 14 + step * 5.2
        pen.line([(4, y), (96, y)], 1.6, WHITE)
    pen.rect(9, 10, 82, 55, c.main)
    pen.rect(14, 15, 72, 45, c.light)
    pen.rect(17, 18, 66, 39, c.dark)
    for x, tone in ((31, c.accent), (50, WHITE), (69, c.accent)):
        pen.shape([(x, 22), (x + 11, 37.5), (x, 53), (x - 11, 37.5)], tone)
        pen.shape([(x, 30), (x + 5.5, 37.5), (x, 45), (x - 5.5, 37.5)], c.main)


def clock(pen: Pen, c: Palette) -> None:
    """A wall clock at ten past ten."""
    pen.disc(50, 37.5, 32, c.dark)
    pen.disc(50, 36.5, 31, c.main)
    pen.disc(50, 37.5, 25, WHITE)
    marks = ((50, 16), (50, 59), (28.5, 37.5), (71.5, 37.5), (39, 19), (61, 19), (39, 56), (61, 56))
    for x, y in marks:
        pen.disc(x, y, 1.7, GREY)
    pen.line([(50, 37.5), (37, 30)], 3.4, INK)
    pen.line([(50, 37.5), (66, 27)], 2.4, INK)
    pen.line([(50, 37.5), (53, 55)], 1.2, c.accent)
    pen.disc(50, 37.5, 2.6, c.accent)


HOME = (
    microwave,
    vacuum,
    fan,
    coffee_machine,
    washer,
    humidifier,
    pan,
    pot,
    mug,
    plates,
    rug,
    clock,
)

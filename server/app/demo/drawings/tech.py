"""Electronics, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import GLASS, GREY, INK, RED, STEEL, WHITE, WOOD, Palette, Pen


def phone(pen: Pen, c: Palette) -> None:
    """A phone from the front, its screen lit."""
    pen.rect(33, 5, 34, 65, c.main, 5)
    pen.rect(35.5, 8, 29, 59, INK, 3)
    pen.shape([(35.5, 40), (64.5, 24), (64.5, 64), (61, 67), (39, 67), (35.5, 64)], c.accent)
    pen.shape([(35.5, 54), (64.5, 44), (64.5, 64), (61, 67), (39, 67), (35.5, 64)], c.light)
    pen.rect(45, 10, 10, 2.6, WHITE, 1.3)
    for x in (40, 47, 54):
        pen.rect(x, 57, 5, 5, WHITE, 1.4)


def laptop(pen: Pen, c: Palette) -> None:
    """An open laptop."""
    pen.rect(20, 10, 60, 41, c.dark, 3)
    pen.rect(23, 13, 54, 34, INK, 1)
    pen.shape([(23, 47), (45, 24), (58, 36), (66, 29), (77, 40), (77, 47)], c.accent)
    pen.disc(66, 21, 4, WHITE)
    pen.shape([(12, 62), (20, 51), (80, 51), (88, 62)], c.main)
    pen.shape([(12, 62), (88, 62), (86, 66), (14, 66)], c.dark)
    pen.shape([(25, 57), (28, 53), (72, 53), (75, 57)], INK)
    pen.shape([(42, 61), (43, 58.4), (57, 58.4), (58, 61)], c.light)


def tablet(pen: Pen, c: Palette) -> None:
    """A tablet with its pencil."""
    pen.rect(14, 12, 64, 50, c.main, 4)
    pen.rect(18, 16, 56, 42, WHITE, 1)
    pen.oval(37, 44, 14, 11, c.accent)
    pen.shape([(30, 58), (52, 26), (74, 58)], c.light)
    pen.shape([(42, 58), (56, 38), (70, 58)], c.dark)
    pen.disc(27, 25, 5, RED)
    pen.line([(85, 14), (85, 56)], 4, WHITE)
    pen.shape([(83, 57), (87, 57), (85, 63)], INK)
    pen.line([(85, 14), (85, 18)], 4, c.accent)


def headphones(pen: Pen, c: Palette) -> None:
    """Over-ear headphones."""
    pen.arc(50, 42, 28, 32, (180, 360), 6, c.dark)
    pen.arc(50, 42, 28, 32, (215, 325), 7, c.main)
    for x, side in ((19, 1), (81, -1)):
        pen.oval(x + 3 * side, 48, 9, 17, c.accent)
        pen.oval(x, 48, 8.5, 15, c.main)
        pen.oval(x - 1.5 * side, 48, 4.5, 9, c.light)


def monitor(pen: Pen, c: Palette) -> None:
    """A desktop screen with hills on it."""
    pen.shape([(44, 54), (56, 54), (58, 64), (42, 64)], GREY)
    pen.rect(32, 63, 36, 4, c.dark, 2)
    pen.rect(12, 8, 76, 47, c.main, 2.5)
    pen.rect(15, 11, 70, 40, GLASS)
    pen.shape([(15, 51), (15, 40), (34, 24), (56, 51)], c.accent)
    pen.shape([(40, 51), (64, 30), (85, 46), (85, 51)], (66, 150, 110))
    pen.disc(70, 20, 5, (250, 210, 90))


def keyboard(pen: Pen, c: Palette) -> None:
    """A keyboard with one row of coloured keys."""
    pen.rect(8, 20, 84, 37, c.dark, 4)
    pen.rect(8, 18, 84, 36, c.main, 4)
    for row in range(4):
        y = 22 + row * 7.4
        for key in range(11):
            x = 12 + key * 6.95
            special = key in (0, 10) or row == 3
            pen.rect(x, y, 6, 6, c.accent if special else WHITE, 1.2)
    pen.rect(32.9, 44.2, 34, 6, WHITE, 1.2)


def camera(pen: Pen, c: Palette) -> None:
    """A camera with a large lens."""
    pen.shape([(38, 20), (43, 11), (57, 11), (62, 20)], c.dark)
    pen.rect(20, 14, 12, 7, GREY, 2)
    pen.rect(12, 19, 76, 45, c.main, 5)
    pen.rect(12, 19, 76, 9, STEEL, 4)
    pen.rect(74, 31, 10, 24, c.dark, 3)
    pen.disc(48, 43, 20, INK)
    pen.disc(48, 43, 16, GREY)
    pen.disc(48, 43, 13, (40, 60, 92))
    pen.disc(48, 43, 7, INK)
    pen.disc(43, 38, 3.4, GLASS)
    pen.disc(78, 23, 2.6, c.accent)


def console(pen: Pen, c: Palette) -> None:
    """A handheld console with a controller at each side."""
    pen.rect(5, 17, 22, 42, c.accent, 10)
    pen.rect(73, 17, 22, 42, c.main, 10)
    pen.rect(18, 17, 64, 42, INK, 2)
    pen.rect(22, 21, 56, 34, GLASS)
    pen.rect(22, 45, 56, 10, (92, 178, 92))
    pen.rect(55, 34, 6, 11, WOOD)
    pen.disc(58, 31, 7, (60, 140, 70))
    pen.disc(36, 39, 5, RED)
    pen.rect(33, 42, 6, 7, (60, 80, 170))
    pen.disc(12, 28, 4.2, INK)
    pen.disc(88, 46, 4.2, INK)
    for dx, dy in ((0, -4), (0, 4), (-4, 0), (4, 0)):
        pen.disc(12 + dx, 45 + dy, 1.8, INK)
        pen.disc(88 + dx, 28 + dy, 1.8, INK)


def controller(pen: Pen, c: Palette) -> None:
    """A game controller."""
    pen.oval(25, 50, 15, 19, c.main)
    pen.oval(75, 50, 15, 19, c.main)
    pen.rect(17, 20, 66, 32, c.main, 15)
    pen.rect(40, 22, 20, 11, c.light, 3)
    pen.rect(22, 31, 12, 4, INK, 1)
    pen.rect(26, 27, 4, 12, INK, 1)
    for x, y, colour in ((72, 27, c.accent), (72, 39, RED), (66, 33, WHITE), (78, 33, GREY)):
        pen.disc(x, y, 2.9, colour)
    for x in (40, 60):
        pen.disc(x, 45, 6.5, c.dark)
        pen.disc(x, 45, 4.2, INK)


def watch(pen: Pen, c: Palette) -> None:
    """A wrist watch seen from above."""
    pen.shape([(41, 2), (59, 2), (62, 24), (38, 24)], c.main)
    pen.shape([(38, 51), (62, 51), (59, 73), (41, 73)], c.main)
    pen.rect(69, 35, 5, 5, STEEL, 1)
    pen.disc(50, 37.5, 21, STEEL)
    pen.disc(50, 37.5, 17.5, WHITE)
    for x, y in ((50, 23), (50, 52), (35.5, 37.5), (64.5, 37.5)):
        pen.disc(x, y, 1.6, INK)
    pen.line([(50, 37.5), (50, 27)], 1.8, INK)
    pen.line([(50, 37.5), (58, 42)], 1.8, INK)
    pen.line([(50, 37.5), (42, 47)], 0.8, c.accent)


def speaker(pen: Pen, c: Palette) -> None:
    """A loudspeaker with two cones."""
    pen.rect(29, 6, 44, 62, c.dark, 4)
    pen.rect(27, 6, 42, 62, c.main, 4)
    pen.disc(48, 22, 9, INK)
    pen.disc(48, 22, 5, GREY)
    pen.disc(48, 48, 16, INK)
    pen.disc(48, 48, 12.5, GREY)
    pen.disc(48, 48, 8, c.accent)
    pen.disc(48, 48, 3.5, INK)


def turntable(pen: Pen, c: Palette) -> None:
    """A record player from above, a record on it."""
    pen.rect(10, 8, 80, 60, c.dark, 4)
    pen.rect(10, 7, 80, 57, c.main, 4)
    pen.disc(42, 36, 26, INK)
    pen.ring(42, 36, 20, 0.7, GREY)
    pen.ring(42, 36, 15, 0.7, GREY)
    pen.disc(42, 36, 9, c.accent)
    pen.disc(42, 36, 1.6, WHITE)
    pen.disc(78, 17, 5.5, STEEL)
    pen.line([(78, 17), (78, 42), (62, 50)], 2.4, WHITE)
    pen.rect(58, 47, 7, 6, INK, 1)
    pen.disc(78, 56, 3.4, c.accent)


def hair_dryer(pen: Pen, c: Palette) -> None:
    """A hair dryer."""
    pen.arc(40, 66, 16, 6, (90, 270), 2.2, INK)
    pen.shape([(50, 38), (62, 38), (56, 66), (45, 66)], c.dark)
    pen.rect(20, 16, 50, 26, c.main, 12)
    pen.shape([(64, 18), (84, 21), (84, 37), (64, 40)], GREY)
    pen.rect(82, 20, 4, 18, INK, 1)
    pen.disc(33, 29, 9, c.light)
    pen.disc(33, 29, 5, c.accent)
    pen.rect(50, 46, 5, 8, WHITE, 1.5)


TECH = (
    phone,
    laptop,
    tablet,
    headphones,
    monitor,
    keyboard,
    camera,
    console,
    controller,
    watch,
    speaker,
    turntable,
    hair_dryer,
)

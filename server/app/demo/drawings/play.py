"""Toys, sports things and instruments, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import (
    GOLD,
    GREY,
    INK,
    RED,
    STEEL,
    WHITE,
    WOOD,
    Palette,
    Pen,
    mix,
)


def stroller(pen: Pen, c: Palette) -> None:
    """A pram with its hood up."""
    pen.line([(70, 40), (90, 16), (94, 18)], 3, INK)
    pen.line([(36, 46), (62, 64)], 2.4, GREY)
    pen.line([(62, 46), (32, 64)], 2.4, GREY)
    pen.wedge(48, 38, 30, (180, 300), c.main)
    pen.wedge(48, 38, 30, (180, 240), c.light)
    pen.shape([(18, 36), (78, 36), (70, 52), (28, 52)], c.dark)
    pen.rect(18, 35, 60, 5, c.accent, 2)
    for x in (30, 66):
        pen.disc(x, 62, 8.5, INK)
        pen.disc(x, 62, 4.6, STEEL)


def teddy(pen: Pen, c: Palette) -> None:
    """A teddy bear, sitting."""
    pen.oval(33, 63, 10, 8, c.dark)
    pen.oval(67, 63, 10, 8, c.dark)
    pen.oval(30, 46, 7, 12, c.dark)
    pen.oval(70, 46, 7, 12, c.dark)
    pen.oval(50, 51, 19, 18, c.main)
    pen.oval(50, 53, 11, 11, c.light)
    for x in (34, 66):
        pen.disc(x, 10, 7.5, c.main)
        pen.disc(x, 10, 4, c.light)
    pen.disc(50, 22, 19, c.main)
    pen.oval(50, 28, 9, 7, c.light)
    pen.disc(42, 19, 2.4, INK)
    pen.disc(58, 19, 2.4, INK)
    pen.oval(50, 25, 3.6, 2.6, INK)
    pen.shape([(50, 41), (38, 36), (38, 46)], c.accent)
    pen.shape([(50, 41), (62, 36), (62, 46)], c.accent)


def blocks(pen: Pen, c: Palette) -> None:
    """Toy blocks, piled up."""
    pen.rect(12, 42, 25, 25, c.main, 2)
    pen.rect(38, 42, 25, 25, c.accent, 2)
    pen.rect(64, 42, 25, 25, GOLD, 2)
    pen.rect(25, 16, 25, 25, (90, 180, 120), 2)
    pen.shape([(64, 14), (80, 41), (51, 41)], RED)
    pen.disc(24.5, 54.5, 7, WHITE)
    pen.shape([(50.5, 47), (58, 62), (43, 62)], WHITE)
    pen.rect(70, 48, 13, 13, WHITE)
    pen.disc(37.5, 28.5, 6.5, WHITE)


def tricycle(pen: Pen, c: Palette) -> None:
    """A child's tricycle."""
    pen.line([(70, 14), (62, 44)], 4, STEEL)
    pen.line([(62, 12), (78, 14)], 4, INK)
    pen.disc(79, 14, 3, c.accent)
    pen.line([(66, 30), (44, 44), (24, 54)], 6, c.main)
    pen.line([(40, 44), (38, 32)], 4, c.dark)
    pen.oval(36, 30, 12, 4.5, INK)
    for x, y, r in ((65, 51, 16), (21, 57, 10)):
        pen.disc(x, y, r, INK)
        pen.disc(x, y, r * 0.66, c.accent)
        pen.disc(x, y, r * 0.22, WHITE)
    pen.rect(62, 57, 8, 4, GOLD, 1)


def train(pen: Pen, c: Palette) -> None:
    """A toy steam engine."""
    pen.rect(4, 66, 92, 3, WOOD)
    for x, y, r in ((68, 8, 5), (76, 5, 4), (60, 12, 3.4)):
        pen.disc(x, y, r, WHITE)
    pen.rect(58, 18, 10, 18, INK, 2)
    pen.rect(12, 14, 32, 42, c.main, 3)
    pen.rect(8, 10, 40, 7, c.dark, 3)
    pen.rect(19, 22, 18, 15, (200, 232, 244), 2)
    pen.rect(40, 32, 40, 24, c.light, 6)
    pen.shape([(80, 44), (93, 60), (80, 60)], c.accent)
    pen.disc(79, 40, 4, GOLD)
    for x, r in ((26, 10), (54, 8), (74, 8)):
        pen.disc(x, 66 - r, r, INK)
        pen.disc(x, 66 - r, r * 0.5, c.accent)


def bicycle(pen: Pen, c: Palette) -> None:
    """A bicycle from the side."""
    for x in (23, 77):
        pen.ring(x, 49, 17, 3, INK)
        for dx, dy in ((12, 12), (12, -12), (0, 16), (16, 0)):
            pen.line([(x - dx, 49 - dy), (x + dx, 49 + dy)], 0.7, GREY)
    pen.line([(23, 49), (38, 25), (66, 25), (47, 49), (23, 49)], 4, c.main)
    pen.line([(36, 19), (47, 49)], 4, c.main)
    pen.line([(77, 49), (64, 16)], 4, c.main)
    pen.line([(64, 16), (74, 12), (76, 17)], 3.4, INK)
    pen.line([(28, 18), (43, 18)], 5, INK)
    pen.disc(47, 49, 5, c.accent)
    pen.line([(47, 49), (53, 58)], 2, INK)


def dumbbells(pen: Pen, c: Palette) -> None:
    """A pair of dumbbells."""
    for dx, dy in ((8, 8), (-6, 36)):
        pen.rect(26 + dx, 11 + dy, 48, 6, STEEL)
        for x in (16, 66):
            pen.rect(x + dx, 1 + dy, 9, 26, c.main, 2)
            pen.rect(x + 9 + dx, 3 + dy, 7, 22, c.dark, 2)
            pen.rect(x + 2 + dx, 4 + dy, 2, 20, c.light)
        pen.rect(44 + dx, 11 + dy, 12, 6, c.accent)


def tent(pen: Pen, c: Palette) -> None:
    """A tent, its door open."""
    pen.shape([(50, 8), (90, 64), (10, 64)], c.main)
    pen.shape([(50, 8), (90, 64), (66, 64)], c.dark)
    pen.shape([(46, 20), (60, 64), (28, 64)], INK)
    pen.shape([(46, 20), (28, 64), (20, 64)], c.light)
    pen.shape([(46, 20), (60, 64), (52, 64)], c.accent)
    pen.line([(50, 8), (4, 66)], 1.2, WHITE)
    pen.line([(50, 8), (96, 66)], 1.2, WHITE)
    pen.line([(50, 8), (50, 2)], 2, INK)
    pen.shape([(50, 2), (62, 5), (50, 8)], c.accent)


def racket(pen: Pen, c: Palette) -> None:
    """A racket and a ball."""
    pen.line([(49, 46), (23, 68)], 6, INK)
    pen.line([(54, 41), (45, 49)], 4, c.main)
    pen.oval(65, 27, 24, 23, c.main)
    pen.oval(65, 27, 20, 19, WHITE)
    for step in range(-3, 4):
        reach = 19 - abs(step) * 2.4
        pen.line([(65 + step * 5, 27 - reach), (65 + step * 5, 27 + reach)], 0.8, GREY)
        pen.line([(65 - reach, 27 + step * 5), (65 + reach, 27 + step * 5)], 0.8, GREY)
    pen.disc(22, 24, 10, (206, 226, 66))
    pen.arc(12, 24, 9, 10, (-50, 50), 1.6, WHITE)


def skateboard(pen: Pen, c: Palette) -> None:
    """A skateboard from the side, its deck painted."""
    pen.line([(12, 34), (22, 42), (78, 42), (88, 34)], 7, c.main)
    pen.line([(13, 37), (22, 45), (78, 45), (87, 37)], 2.6, c.accent)
    for x in (30, 70):
        pen.shape([(x - 6, 45), (x + 6, 45), (x + 3, 54), (x - 3, 54)], STEEL)
        pen.disc(x, 57, 8, INK)
        pen.disc(x, 57, 4.4, c.light)
        pen.disc(x, 57, 1.6, INK)


def ball(pen: Pen, c: Palette) -> None:
    """A ball with seams."""
    pen.disc(50, 37.5, 31, c.main)
    pen.oval(41, 27, 12, 9, c.light)
    pen.line([(19, 37.5), (81, 37.5)], 2.4, INK)
    pen.line([(50, 6.5), (50, 68.5)], 2.4, INK)
    pen.arc(16, 37.5, 18, 26, (-58, 58), 2.4, INK)
    pen.arc(84, 37.5, 18, 26, (122, 238), 2.4, INK)
    pen.rect(54, 44, 14, 6, c.accent, 3)


def board_game(pen: Pen, c: Palette) -> None:
    """A board with squares, dice and pieces."""
    pen.shape([(10, 12), (74, 8), (90, 62), (18, 67)], c.dark)
    pen.rect(12, 8, 64, 56, c.main, 2)
    for row in range(4):
        for column in range(4):
            tone = c.accent if (row + column) % 2 else WHITE
            pen.rect(18 + column * 13, 12 + row * 12, 13, 12, tone)
    pen.disc(37, 30, 5, RED)
    pen.disc(63, 42, 5, INK)
    pen.rect(70, 46, 20, 20, WHITE, 4)
    for x, y in ((75, 51), (85, 61), (80, 56)):
        pen.disc(x, y, 2, INK)


def bricks(pen: Pen, c: Palette) -> None:
    """A house of studded bricks."""
    rows = (
        (14, 53, 72, c.main),
        (20, 39, 60, c.accent),
        (26, 25, 48, c.light),
        (34, 11, 32, c.main),
    )
    for x, y, w, colour in rows:
        for stud in range(int(w // 12)):
            pen.rect(x + 3 + stud * 12, y - 3, 7, 4, mix(colour, INK, 0.2), 1)
        pen.rect(x, y, w, 13, colour, 1)
    pen.rect(42, 45, 16, 21, INK, 1)
    pen.rect(28, 43, 9, 9, WHITE)
    pen.rect(63, 43, 9, 9, WHITE)


def robot(pen: Pen, c: Palette) -> None:
    """A toy robot."""
    pen.line([(50, 9), (50, 2)], 1.8, INK)
    pen.disc(50, 3, 2.6, c.accent)
    pen.rect(17, 32, 9, 24, c.dark, 3)
    pen.rect(74, 32, 9, 24, c.dark, 3)
    pen.rect(34, 56, 11, 13, c.dark, 2)
    pen.rect(55, 56, 11, 13, c.dark, 2)
    pen.rect(34, 8, 32, 21, c.main, 4)
    pen.rect(28, 30, 44, 29, c.main, 4)
    pen.disc(43, 17, 4.4, GOLD)
    pen.disc(57, 17, 4.4, GOLD)
    pen.disc(43, 17, 1.8, INK)
    pen.disc(57, 17, 1.8, INK)
    pen.rect(42, 23.4, 16, 2.6, INK)
    pen.rect(36, 36, 28, 14, INK, 2)
    for x, colour in ((42, RED), (50, GOLD), (58, (90, 200, 120))):
        pen.disc(x, 43, 2.8, colour)


def yarn(pen: Pen, c: Palette) -> None:
    """Balls of yarn with needles."""
    pen.line([(22, 6), (66, 62)], 2, WOOD)
    pen.line([(80, 6), (40, 60)], 2, WOOD)
    pen.disc(22, 6, 3, c.accent)
    pen.disc(80, 6, 3, c.accent)
    for x, y, r, colour in ((32, 45, 21, c.main), (70, 49, 17, c.accent)):
        pen.disc(x, y, r, colour)
        for turn in (20, 70, 120):
            for reach in (0.45, 0.72):
                pen.arc(x, y, r * 0.9, r * reach, (turn, turn + 120), 1.2, mix(colour, WHITE, 0.45))
    pen.line([(50, 60), (62, 68), (78, 66), (92, 69)], 1.6, c.main)


PLAY = (
    stroller,
    teddy,
    blocks,
    tricycle,
    train,
    bicycle,
    dumbbells,
    tent,
    racket,
    skateboard,
    ball,
    board_game,
    bricks,
    robot,
    yarn,
)

"""Furniture and things for pets, one drawing each, on a sheet of 100 by 75 units."""

from server.app.demo.drawings.pen import (
    GLASS,
    GOLD,
    GREY,
    INK,
    LEAF,
    STEEL,
    WHITE,
    WOOD,
    Palette,
    Pen,
    mix,
)


def chair(pen: Pen, c: Palette) -> None:
    """An office chair."""
    pen.rect(48, 46, 4, 14, GREY)
    pen.line([(30, 65), (50, 58), (70, 65)], 3.4, INK)
    for x in (30, 50, 70):
        pen.disc(x, 67, 3, INK)
    pen.rect(33, 3, 34, 36, c.main, 8)
    pen.rect(37, 7, 26, 28, c.light, 5)
    pen.line([(24, 44), (24, 31), (32, 31)], 3, INK)
    pen.line([(76, 44), (76, 31), (68, 31)], 3, INK)
    pen.rect(26, 38, 48, 11, c.main, 5)
    pen.rect(26, 44, 48, 5, c.dark, 2.5)


def sofa(pen: Pen, c: Palette) -> None:
    """A two-seat sofa with a cushion."""
    for x in (14, 80):
        pen.rect(x, 60, 5, 8, WOOD)
    pen.rect(13, 14, 74, 38, c.main, 8)
    pen.rect(18, 19, 31, 24, c.light, 4)
    pen.rect(51, 19, 31, 24, c.light, 4)
    pen.shape([(22, 24), (38, 22), (40, 38), (25, 40)], c.accent)
    pen.rect(17, 40, 33, 12, c.light, 3)
    pen.rect(50, 40, 33, 12, c.light, 3)
    pen.rect(10, 48, 80, 14, c.dark, 4)
    pen.rect(5, 28, 14, 34, c.main, 6)
    pen.rect(81, 28, 14, 34, c.main, 6)


def desk(pen: Pen, c: Palette) -> None:
    """A desk with drawers and a plant on it."""
    pen.oval(27, 12, 5, 8, LEAF)
    pen.oval(21, 15, 5, 5, LEAF)
    pen.shape([(20, 19), (32, 19), (30, 29), (22, 29)], c.accent)
    pen.rect(60, 21, 20, 8, WHITE, 1)
    pen.rect(62, 17, 16, 4, GREY, 1)
    pen.rect(12, 34, 6, 34, c.dark)
    pen.rect(58, 34, 30, 34, c.dark)
    pen.rect(61, 39, 24, 11, c.light, 1)
    pen.rect(61, 53, 24, 11, c.light, 1)
    pen.disc(73, 44.5, 1.8, INK)
    pen.disc(73, 58.5, 1.8, INK)
    pen.rect(6, 28, 88, 7, c.main, 2)


def shelf(pen: Pen, c: Palette) -> None:
    """A bookcase with books, a vase and a box."""
    pen.rect(22, 3, 56, 66, c.main, 2)
    back = mix(c.dark, INK, 0.35)
    for y in (7, 28, 49):
        pen.rect(26, y, 48, 17, back)
    books = ((28, 13, c.accent), (33, 11, WHITE), (38, 14, GOLD), (43, 12, (70, 130, 190)))
    for x, tall, colour in books:
        pen.rect(x, 24 - tall, 4.2, tall, colour)
    pen.oval(64, 18, 5, 6, c.light)
    pen.oval(64, 11, 6, 4, LEAF)
    pen.rect(30, 33, 18, 12, WOOD, 1)
    for x, tall, colour in ((56, 12, WHITE), (61, 14, c.accent), (66, 11, GREY)):
        pen.rect(x, 45 - tall, 4.2, tall, colour)
    for x, colour in ((29, (200, 90, 80)), (34, GOLD), (39, c.light)):
        pen.rect(x, 53, 4.2, 13, colour)
    pen.disc(62, 60, 6, c.accent)


def lamp(pen: Pen, c: Palette) -> None:
    """A floor lamp, switched on."""
    pen.oval(50, 62, 30, 7, (255, 240, 190))
    pen.rect(48.4, 28, 3.2, 36, INK)
    pen.oval(50, 66, 14, 3.4, INK)
    pen.shape([(36, 6), (64, 6), (76, 34), (24, 34)], c.main)
    pen.shape([(40, 6), (48, 6), (46, 34), (32, 34)], c.light)
    pen.oval(50, 34, 26, 4.5, (255, 244, 200))
    pen.line([(66, 38), (66, 47)], 1, INK)
    pen.disc(66, 48, 1.8, c.accent)


def bed(pen: Pen, c: Palette) -> None:
    """A bed with a pillow and a blanket."""
    pen.rect(5, 12, 7, 55, c.dark, 2)
    pen.rect(88, 34, 7, 33, c.dark, 2)
    pen.rect(8, 48, 84, 12, c.main)
    pen.rect(12, 34, 76, 16, WHITE, 4)
    pen.rect(14, 24, 24, 13, (236, 238, 246), 5)
    pen.rect(38, 30, 50, 22, c.accent, 5)
    pen.rect(38, 30, 9, 22, mix(c.accent, WHITE, 0.5), 3)
    pen.rect(62, 30, 4, 22, mix(c.accent, INK, 0.2))
    pen.rect(76, 30, 4, 22, mix(c.accent, INK, 0.2))


def mirror(pen: Pen, c: Palette) -> None:
    """A full-length mirror with a rounded top."""
    pen.line([(40, 62), (30, 70)], 3, c.dark)
    pen.line([(60, 62), (70, 70)], 3, c.dark)
    pen.rect(30, 2, 40, 66, c.main, 19)
    pen.rect(34, 6, 32, 58, GLASS, 15)
    pen.shape([(38, 40), (58, 14), (63, 18), (38, 52)], WHITE)
    pen.shape([(44, 58), (63, 32), (63, 40), (50, 58)], WHITE)


def high_chair(pen: Pen, c: Palette) -> None:
    """A child's high chair with a tray."""
    for x in (30, 70):
        pen.line([(38 if x == 30 else 62, 36), (x, 68)], 4, WOOD)
    pen.line([(33, 57), (67, 57)], 3, WOOD)
    pen.rect(34, 4, 32, 36, c.main, 9)
    pen.rect(39, 9, 22, 22, c.light, 6)
    pen.rect(31, 36, 38, 8, c.dark, 3)
    pen.rect(24, 29, 52, 6, WHITE, 3)
    pen.disc(60, 26, 3.6, c.accent)


def cat_tree(pen: Pen, c: Palette) -> None:
    """A cat tree with a cat on top."""
    pen.rect(18, 63, 64, 5, c.dark, 2)
    pen.rect(27, 26, 7, 38, (214, 180, 130))
    pen.rect(66, 40, 7, 24, (214, 180, 130))
    for y in range(29, 62, 5):
        pen.line([(27, y), (34, y + 1.5)], 0.9, WOOD)
    pen.rect(38, 46, 24, 18, c.main, 3)
    pen.disc(50, 55, 6, INK)
    pen.rect(18, 22, 26, 6, c.main, 3)
    pen.rect(57, 36, 28, 6, c.main, 3)
    pen.oval(70, 28, 10, 8, (232, 150, 70))
    pen.disc(78, 21, 6.5, (232, 150, 70))
    pen.shape([(73, 18), (74, 11), (78, 15)], (232, 150, 70))
    pen.shape([(79, 15), (83, 11), (84, 18)], (232, 150, 70))
    pen.arc(62, 33, 7, 7, (60, 180), 2.4, (232, 150, 70))
    pen.line([(31, 28), (31, 36)], 0.8, INK)
    pen.disc(38, 34, 3, c.accent)
    pen.line([(38, 28), (38, 31)], 0.8, INK)


def carrier(pen: Pen, c: Palette) -> None:
    """A pet carrier with a barred door."""
    pen.arc(50, 20, 14, 12, (180, 360), 4, INK)
    pen.rect(14, 18, 72, 48, c.main, 9)
    pen.rect(14, 42, 72, 6, c.dark)
    pen.rect(22, 27, 34, 33, INK, 4)
    pen.disc(39, 48, 10, (226, 190, 140))
    pen.disc(35, 46, 1.6, INK)
    pen.disc(43, 46, 1.6, INK)
    pen.disc(39, 50, 1.8, INK)
    for x in (28, 36, 44, 51):
        pen.line([(x, 28), (x, 59)], 1.2, STEEL)
    for y in (28, 34, 54):
        pen.rect(64, y, 15, 3.4, c.light, 1.7)


def dog_house(pen: Pen, c: Palette) -> None:
    """A dog house with a pitched roof."""
    pen.rect(20, 32, 60, 35, WOOD)
    for y in (41, 50, 59):
        pen.line([(20, y), (80, y)], 0.8, mix(WOOD, INK, 0.3))
    pen.shape([(50, 3), (92, 34), (84, 40), (50, 15), (16, 40), (8, 34)], c.main)
    pen.shape([(50, 15), (74, 33), (26, 33)], c.light)
    pen.oval(50, 47, 13, 13, INK)
    pen.rect(37, 47, 26, 20, INK)
    pen.rect(43, 25, 14, 5, WHITE, 1)
    pen.oval(76, 65, 8, 3.5, c.accent)


def pet_bowl(pen: Pen, c: Palette) -> None:
    """A bowl with a bone on it, filled."""
    pen.oval(50, 31, 34, 10, c.dark)
    pen.oval(50, 27, 28, 10, (150, 96, 56))
    for x, y in ((36, 24), (46, 20), (57, 22), (65, 26), (50, 27)):
        pen.disc(x, y, 4, (176, 116, 68))
    pen.shape([(16, 32), (84, 32), (92, 62), (8, 62)], c.main)
    pen.oval(50, 62, 42, 5, c.main)
    pen.rect(38, 45, 24, 6, WHITE)
    for x in (38, 62):
        pen.disc(x, 45, 4, WHITE)
        pen.disc(x, 51, 4, WHITE)


def pet_bed(pen: Pen, c: Palette) -> None:
    """A round pet bed with a sleeping dog."""
    pen.oval(50, 46, 42, 22, c.dark)
    pen.oval(50, 43, 42, 21, c.main)
    pen.oval(50, 42, 31, 14, c.light)
    pen.oval(52, 37, 22, 12, (216, 170, 112))
    pen.disc(34, 36, 10, (216, 170, 112))
    pen.oval(29, 33, 3.4, 8, (150, 100, 60))
    pen.disc(27, 40, 2.4, INK)
    pen.line([(33, 36), (37, 36)], 1.2, INK)
    pen.arc(72, 33, 8, 9, (270, 420), 4, (150, 100, 60))


def aquarium(pen: Pen, c: Palette) -> None:
    """A fish tank."""
    pen.rect(10, 10, 80, 56, STEEL, 3)
    pen.rect(13, 13, 74, 50, GLASS)
    pen.rect(13, 20, 74, 43, (84, 168, 218))
    pen.rect(13, 56, 74, 7, (222, 196, 140))
    for x in (22, 28, 76):
        pen.line([(x, 57), (x + 2, 46), (x - 1, 36), (x + 1, 30)], 2.6, LEAF)
    for x, y, colour in ((48, 34, (240, 130, 50)), (64, 46, c.accent)):
        pen.oval(x, y, 8.5, 5.4, colour)
        pen.shape([(x + 7, y), (x + 14, y - 5), (x + 14, y + 5)], colour)
        pen.disc(x - 4.5, y - 1, 1.2, INK)
    for x, y in ((36, 27), (38, 40), (56, 24)):
        pen.disc(x, y, 1.6, WHITE)
    pen.rect(10, 8, 80, 6, c.dark, 2)


FURNITURE = (
    chair,
    sofa,
    desk,
    shelf,
    lamp,
    bed,
    mirror,
    high_chair,
    cat_tree,
    carrier,
    dog_house,
    pet_bowl,
    pet_bed,
    aquarium,
)

"""What the invented homeware shop sells: the same products in every back office, by their SKUs."""

from __future__ import annotations

NOUNS = {
    "MUG": ("mug", "Kitchen"),
    "BOWL": ("bowl", "Kitchen"),
    "PLATE": ("plate", "Kitchen"),
    "TEA POT": ("tea pot", "Kitchen"),
    "BRULEE": ("crème brûlée dish", "Kitchen"),
    "VASE": ("vase", "Living"),
    "CANDLE": ("candle", "Living"),
    "LAMP": ("lamp", "Living"),
    "RUG": ("rug", "Living"),
    "CUSHION": ("cushion", "Living"),
}
COLOURS = ("BLUE", "RED", "GREEN", "WHITE", "BLACK", "SAND", "PLUM")
SIZES = {"S": "small", "M": "medium", "L": "large"}


def code_and_name(number: int) -> tuple[str, str, str]:
    """Code, description and group of the n-th product; `MUG` is a prefix of `MUG-BLUE` and so on."""
    variant, noun = divmod(number, len(NOUNS))
    code = list(NOUNS)[noun]
    name, group = NOUNS[code]
    if variant == 0:
        return code, name.capitalize(), group
    variant, colour = divmod(variant - 1, len(COLOURS))
    code, name = f"{code}-{COLOURS[colour]}", f"{COLOURS[colour].capitalize()} {name}"
    if variant == 0:
        return code, name, group
    serial, size = divmod(variant - 1, len(SIZES))
    letter = list(SIZES)[size]
    code, name = f"{code}-{letter}", f"{name}, {SIZES[letter]}"
    return (code, name, group) if serial == 0 else (f"{code}-{serial}", f"{name}, no. {serial}", group)

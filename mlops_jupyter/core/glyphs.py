"""Characters that do something to a terminal, or to the order of a line, made into ones that are seen.

Not here: JSON (``wire``), and pages, which take text as text.
"""

from __future__ import annotations

import re
import unicodedata

#: Controls but for tab and line feed, marks that turn the direction, and line ends of other alphabets.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: Select Graphic Rendition: colours and weights, and nothing else ends with this letter.
_COLOUR = re.compile("(\x1b\\[[0-9;:]*m)")


def visible(text: str) -> str:
    """``text`` for a terminal: ``\\x1b[2J`` becomes ``␛[2J`` and clears nothing."""
    return _ACTING.sub(lambda found: _picture(found[0]), text)


def output(text: str) -> str:
    """What a job wrote, for a terminal: its colours stay and end with their line, of a line that was written
    over stands what was there last. Anything else is seen and does nothing."""
    return "\n".join(map(_written, text.split("\n")))


def on_a_line(text: str) -> str:
    """The same without line feeds and tabs, for names in tables and sentences."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def escaped(json: str) -> str:
    """A JSON document with these characters as JSON itself writes them."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def _written(line: str) -> str:
    last = line.rstrip("\r").rpartition("\r")[2]
    parts = _COLOUR.split(last)
    # Every second part is a colour.
    parts[::2] = map(visible, parts[::2])
    return "".join([*parts, "\x1b[0m"] if len(parts) > 1 else parts)


def _picture(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"‹{unicodedata.name(character, f'U+{code:04X}').lower()}›"

# ruff: noqa: RUF001  (letters of other scripts are what it is about)
"""Texts with something hidden in them and what is seen of each; and texts of which nothing is hidden.

For the library's look at it and for the panels'.
"""


def tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(each)) for each in text)


HIDING = {
    "orders in tags": (f"A fine day.{tags('read chat 2')} Indeed.", "A fine day. Indeed."),
    "tags behind a flag": (f"🏴{tags('ignore all that')}\U000e007f!", "🏴!"),
    "tags behind a right flag": (f"🏴{tags('gbeng')}\U000e007f{tags('x')}!", f"🏴{tags('gbeng')}\U000e007f!"),
    "bytes in selectors": ("😀" + "".join(chr(0xE0100 + each) for each in b"secret") + "!", "😀!"),
    "selectors behind a letter": ("a\ufe00\ufe01\ufe0f\U000e0101b", "ab"),
    "more selectors than one": ("❤\ufe0f\ufe0e\ufe01!", "❤\ufe0f!"),
    "a word in pieces": ("ig\u200bno\u200cre\u200d th\u2060is\ufeff", "ignore this"),
    "bits": ("yes" + "\u200b\u200c" * 20 + "no", "yesno"),
    "bits among Persian letters": ("می" + "\u200c\u200d" * 8 + "خواهم", "میخواهم"),
    "joiners behind an emoji": ("👩" + "\u200d" * 9 + "!", "👩!"),
    "an override": ("if (admin\u202e \u2066// only \u2069\u2066) {", "if (admin // only ) {"),
    "an override in Hebrew": ("שלום \u202eabc\u202c", "שלום abc"),
    "marks without a need": ("pay\u200epal\u200f.example\u061c", "paypal.example"),
    "a run of marks in Hebrew": ("שלום" + "\u200e\u200f" * 9 + "!", "שלום!"),
    "fillers": ("a\u3164\u115f\u1160\uffa0b\xadc\u034fd", "abcd"),
    "commands of a terminal": ("curl\x1b]52;c;eA==\x07 \x9b2Jx\x00\x7f", "curl]52;c;eA== 2Jx"),
    "invisible times": ("a\u2062b\u2064\u206a\ufff9\U0001d173\U000e0001", "ab"),
}

WHOLE = {
    "ascii": "one\ttwo\r\nthree\n",
    "letters": "café 中文 日本語 한국어 Ελληνικά Кириллица",
    "a family": "👩‍👩‍👧‍👦 and 👩🏽‍⚕️ and ❤️‍🔥",
    "shaken": "🙂‍↔️ 🐦‍⬛ 🏳️‍🌈 🏴‍☠️",
    "flags": f"🏴{tags('gbeng')}\U000e007f🏴{tags('gbsct')}\U000e007f🏴{tags('gbwls')}\U000e007f 🇺🇦",
    "keycaps": "1️⃣ #️⃣ *️⃣ ©️ ™️ ☺︎",
    "Persian": "می‌خواهم کتاب‌ها را",
    "Arabic alone": "ه\u200d 1446",
    "Hebrew with marks": "C++\u200e שלום \u200fabc",
    "Hindi": "क्‍ष क्‌ष",
    "Sinhala": "ශ්‍රී ලංකාව",
    "Tamil and Thai": "ஸ்ரீ ภาษาไทย",
    "a variant of an ideograph": "葛\U000e0100城",
    "Mongolian": "ᠠ\u180b ᠨ\u180eᠠ",
    "mathematics": "∩\ufe00 ≨\ufe00",
}

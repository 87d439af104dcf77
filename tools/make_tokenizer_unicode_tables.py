#!/usr/bin/env python3
"""Writes src/forge/text/unicode/tables.cpp: the character sets that the `tokenizers` library uses.

Its parts were built against different Unicode versions, and the C libraries behind Forge (PCRE2,
utf8proc) against others, so the sets are read out of the library itself, by running it on every code
point. Needs `tokenizers` (0.23), a Python whose unicodedata is version 14.0 (3.11), and libutf8proc.

    python tools/make_tokenizer_unicode_tables.py > src/forge/text/unicode/tables.cpp
"""
import ctypes
import sys
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
CATEGORIES = ("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co").split()


def removed_by(pre_tokenizer, code_points=CODE_POINTS):
    """The code points that a splitter with behavior "removed" takes out of the text."""
    found = set()
    for start in range(0, len(code_points), 4096):
        chunk = code_points[start:start + 4096]
        kept = set()
        for _, (a, b) in pre_tokenizer.pre_tokenize_str("".join(map(chr, chunk))):
            kept.update(range(a, b))
        found.update(c for i, c in enumerate(chunk) if i not in kept)
    return found


def matching(pattern, code_points=CODE_POINTS):
    return removed_by(pre_tokenizers.Split(Regex(pattern), "removed"), code_points)


def numeric():
    """What Digits isolates."""
    found = set()
    digits = pre_tokenizers.Digits(individual_digits=True)
    for start in range(0, len(CODE_POINTS), 2048):
        text = "a".join(map(chr, CODE_POINTS[start:start + 2048]))
        for _, (a, b) in digits.pre_tokenize_str(text):
            if b - a == 1 and text[a] != "a":
                found.add(ord(text[a]))
    return found


def ranges(code_points):
    out = []
    for c in sorted(code_points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def newer():
    """Code points assigned after Unicode 14, as (first, last, stand-in): the nearest older code point
    with the same category, the same UTF-8 length and the same answer to "is it Han?"."""
    unassigned = [c for c in CODE_POINTS if unicodedata.category(chr(c)) == "Cn"]
    han = matching(r"\p{Han}")
    category = {}
    for name in CATEGORIES:
        for c in matching(r"\p{%s}" % name, unassigned):
            category[c] = name
    length = lambda c: len(chr(c).encode())
    pools = {}
    for c in CODE_POINTS:
        name = unicodedata.category(chr(c))
        if name != "Cn":
            pools.setdefault((name, length(c), c in han), []).append(c)
    rows = []
    for c in sorted(category):
        stand_in = min(pools[(category[c], length(c), c in han)], key=lambda p: abs(p - c))
        if rows and rows[-1][1] == c - 1 and rows[-1][2] == stand_in:
            rows[-1][1] = c
        else:
            rows.append([c, c, stand_in])
    # U+180E is white space to PCRE2 only; another format character takes its place.
    rows.append([0x180E, 0x180E, 0x200B])
    return sorted(rows)


def not_normalized():
    """Code points that the library's normalization tables (older than utf8proc's) do not know: it
    neither decomposes, nor composes, nor reorders them. Returns those for all forms, and those that
    only the compatibility forms treat differently."""
    lib = ctypes.CDLL("libutf8proc.so.2")
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]

    def utf8proc(form, text):
        f = getattr(lib, "utf8proc_" + form)
        f.restype, f.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        p = f(text.encode())
        s = ctypes.string_at(p).decode()
        free(p)
        return s

    found = {}
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        normalize = getattr(normalizers, form)().normalize_str
        found[form] = {
            c for c in CODE_POINTS
            for s in (chr(c), "q\u0345" + chr(c), chr(c) + "\u0334") if normalize(s) != utf8proc(form, s)
        }
    canonical = found["NFC"] | found["NFD"]
    for c in CODE_POINTS:  # pairs that only utf8proc composes: the second part becomes a boundary
        parts = utf8proc("NFD", chr(c))
        for cut in range(1, len(parts)):
            s = utf8proc("NFC", parts[:cut]) + parts[cut:]
            if normalizers.NFC().normalize_str(s) != utf8proc("NFC", s):
                canonical.add(ord(parts[cut]))
    return canonical, (found["NFKC"] | found["NFKD"]) - canonical


def lowercase():
    """(first, last, difference) where the library's lower case is one other code point, above ASCII."""
    rows = []
    lower = normalizers.Lowercase().normalize_str
    for c in CODE_POINTS:
        low = lower(chr(c))
        if c < 0x80 or low == chr(c) or len(low) != 1:
            continue
        delta = ord(low) - c
        if rows and rows[-1][2] == delta and rows[-1][1] == c - 1:
            rows[-1][1] = c
        else:
            rows.append([c, c, delta])
    return rows


def table(name, rows, per_line, kind="CodePointRange"):
    print(f"\nconst {kind} {name}_rows[] = {{")
    for i in range(0, len(rows), per_line):
        line = ", ".join(
            "{" + ", ".join([f"0x{r[0]:X}", f"0x{r[1]:X}"] + [f"0x{v:X}" if v >= 0 else str(v) for v in r[2:]])
            + "}" for r in rows[i:i + per_line])
        print(f"    {line},")
    print("};")


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"needs a Python with Unicode 14.0.0, this one has {unicodedata.unidata_version}")
    canonical, compatibility = not_normalized()
    # The library looks for words with another regex engine here: it counts the two joiners, but not
    # Latin-1's superscript digits and fractions.
    word = (matching(r"\w") | {0x200C, 0x200D}) - {0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE}
    print("// Generated by tools/make_tokenizer_unicode_tables.py; do not edit.")
    print('#include "forge/text/unicode/tables.h"\n\nnamespace forge::text {\nnamespace {')
    print("\n// clang-format off")
    names = []
    for name, rows, per_line, kind in (
            ("punctuation", ranges(removed_by(pre_tokenizers.Punctuation("removed"))), 5, "CodePointRange"),
            ("numeric", ranges(numeric()), 5, "CodePointRange"),
            ("word", ranges(word), 5, "CodePointRange"),
            ("newer", newer(), 3, "CodePointMapping"),
            ("not_normalized", ranges(canonical), 5, "CodePointRange"),
            ("not_compatibility_normalized", ranges(compatibility), 5, "CodePointRange"),
            ("lowercase", lowercase(), 4, "CodePointMapping")):
        table(name, rows, per_line, kind)
        names.append((name, kind))
    print("// clang-format on\n\n}  // namespace\n")
    for name, kind in names:
        one_line = f"std::span<const {kind}> {name}_table() {{ return {name}_rows; }}"
        print(one_line if len(one_line) <= 100 else
              one_line.replace("{ ", "{\n  ").replace(" }", "\n}"))
    print("\n}  // namespace forge::text")


if __name__ == "__main__":
    main()

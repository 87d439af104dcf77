"""Restore capital letters in lower-case stories, learned from cased ones."""

import re
from collections import Counter

WORD = re.compile(r"[A-Za-z]+")
INTRODUCED = re.compile(
    r"\b(?:named|called|name (?:is|was)|names (?:is|are|were)) ((?:[a-z]+(?:, | and )?){1,3})")
KIN = {"mom", "dad", "mum", "mama", "papa", "mommy", "mummy", "daddy", "grandma", "grandpa"}
OWNERS = {"a", "an", "the", "her", "his", "my", "your", "their", "our", "s",
          "little", "and", "other"}
SPEECH = re.compile(r"\W+(?:[a-z']+ ){0,3}(said|says|asked|replied|shouted|cried|yelled|exclaimed|"
                    r"answered|called|whispered|thought|laughed|screamed)\b", re.I)
SPEAKS = set(SPEECH.pattern[SPEECH.pattern.index("(said") + 1:-3].split("|"))
FIXED = {"i": "I", "ok": "OK", "tv": "TV"}
NOT_NAMES = {"the", "a", "an", "her", "his", "it", "out", "for", "to", "and", "him", "them",
             "in", "my", "their", "up", "after", "over", "all", "back", "from", "off", "me", "you"}


def opens_sentence(text, start):
    """Whether the word at this offset is the first of a sentence or a quotation."""
    before = text[:start]
    if not before.strip() or before.endswith("\n"):
        return True
    stripped = before.rstrip(" \n")
    if re.search(r"[.!?]$", stripped) and not re.search(r"\b(mr|mrs|ms|dr)\.$", stripped, re.I):
        return True
    if re.search(r'[.!?]"$', stripped) and stripped != before:  # after a closing quotation mark
        word = re.match(r"\w+", text[start:]).group().lower()
        return (stripped[-2] == "." or SPEECH.match(text, start + len(word)) is None
                and word not in SPEAKS)
    # An opening quotation mark: the number of marks so far in the paragraph is odd.
    paragraph = before[before.rfind("\n") + 1:]
    return before.endswith('"') and paragraph.count('"') % 2 == 1


class Truecaser:
    """Word and word-pair statistics of capitals away from sentence starts."""

    def __init__(self, stories, known):
        self.words, self.upper = Counter(), Counter()
        self.pairs, self.pair_upper = Counter(), Counter()
        self.known = set(known)  # words seen in lower case, so not only names
        for story in stories:
            previous = ""
            for match in WORD.finditer(story):
                word, low = match.group(), match.group().lower()
                if not opens_sentence(story, match.start()):
                    capital = word[0].isupper()
                    self.words[low] += 1
                    self.upper[low] += capital
                    self.pairs[previous, low] += 1
                    self.pair_upper[previous, low] += capital
                if word == low:
                    self.known.add(low)
                previous = low

    def is_name(self, previous, word, named):
        """Whether the word is written with a capital here, inside a sentence."""
        share = self.upper[word] / self.words[word] if self.words[word] else 0.0
        if word in named and share > 0.03 or word in named and self.words[word] < 3:
            return True
        if self.pairs[previous, word] >= 3:
            return self.pair_upper[previous, word] * 2 > self.pairs[previous, word]
        if word in KIN and share > 0.1:
            return previous not in OWNERS
        return share > 0.5

    def __call__(self, story):
        story = story.lower()
        named = set()
        for match in INTRODUCED.finditer(story):
            first = re.split(r", | and ", match.group(1))
            named.update(w for w in first if w and w not in NOT_NAMES)
        # So is a word that the cased stories lack and this one repeats.
        named.update(w for w, n in Counter(WORD.findall(story)).items()
                     if n > 1 and len(w) > 2 and w not in self.known
                     and not re.search(rf"\b({'|'.join(OWNERS)}|some|these|big|of) {w}\b", story))
        # A word that opens a story and comes back as subject is a name as well.
        opener = re.match(r"([a-z]+) (?:and ([a-z]+) )?(?:was|were|is|had|loved)\b", story)
        if opener:
            named.update(w for w in opener.groups() if w and self.words[w] < 3)
        out, last, previous = [], 0, ""
        for match in WORD.finditer(story):
            word, start = match.group(), match.start()
            out.append(story[last:start])
            apostrophe = story[start - 1:start] == "'" and story[start - 2:start - 1].isalpha()
            if not apostrophe and (opens_sentence(story, start)
                                   or self.is_name(previous, word, named)):
                word = word[0].upper() + word[1:]
            word = FIXED.get(word.lower(), word) if not apostrophe else word
            out.append(word)
            last, previous = match.end(), match.group()
        return "".join(out) + story[last:]

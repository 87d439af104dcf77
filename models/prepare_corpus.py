"""Turn the raw text corpus into clean stories, a tokenizer and token files.

    python models/prepare_corpus.py --out work

reads $FORGE_TEST_DATA/corpus (default ../shared/data/corpus) and writes, below
--out: train_stories.txt, val_stories.txt, books.txt (text), tokenizer.json and
the uint16 token files stories_<k>.bin, val.bin, books.bin used by train.py.
stories_0.bin holds the stories as they are; every further k is the same set of
stories with the heroes renamed, which makes repeated epochs less repetitive.
"""

import argparse
import json
import lzma
import os
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from truecase import Truecaser

END = "<|endoftext|>"
GIRLS = """Lily Anna Sara Mia Sue Amy Lucy Jane Emma Molly Sally Ella Kitty Jill
Mary Sarah Emily Bella Lisa Nina Susie Zoe Annie Katie Maria Jenny Kate Alice
Rosie Polly""".split()
BOYS = """Tom Ben Tim Sam Max Jack Bob Billy Timmy Tommy John Jimmy Joe Peter
Jim Bobby Leo Fred Johnny George Mike James Charlie Harry David Danny Henry
Oliver Paul Adam""".split()
MOJIBAKE = [("â€œ", '"'), ("â€™", "'"), ("â€˜", "'"), ("â€“", "-"), ("â€”", "-"),
            ("â€¦", "..."), ("â€", '"'), ("â€", '"')]
PLAIN = str.maketrans({"“": '"', "”": '"', "’": "'", "‘": "'", "–": "-", "—": "-",
                       "…": "...", "\u00a0": " ", "«": '"', "»": '"', "æ": "ae", "œ": "oe"})
START = re.compile(
    r"(once upon|once,? (there|in|a|on|two)\b|there (was|were|once|lived)|long ago"
    r"|one (\w+ )?(day|night|morning|evening|afternoon|summer|winter),? "
    r"(a|an|there|two|three|in|at)\b|in a \w+ (\w+ )?(town|forest|house|village)"
    r"|\w+ (and|was) (\w+ )?(\w+ )?(was|were|a|an|playing|walking|years?|three|excited|feeling)\b"
    r"|it was a )", re.I)
INSIDE = re.compile(
    r'("|so |but |then |and |after|suddenly|from |the (moral|end)|she |he |they |it needed'
    r"|when |as |finally|later|her |his |their |now )", re.I)


def clean(text):
    """Repair doubly encoded characters and use plain ASCII punctuation."""
    for wrong, right in MOJIBAKE:
        text = text.replace(wrong, right)
    return text.translate(PLAIN)


def tidy_story(text):
    """One story with paragraphs separated by one empty line, or None if unfit."""
    paragraphs = [re.sub(r"\s+", " ", p).strip() for p in text.split("\n")]
    story = "\n\n".join(p for p in paragraphs if p)
    if len(story) < 150 or not story.isascii() or story.count('"') % 2:
        return None
    return story if re.search(r"""[.!?]["']?$""", story) else None


def split_lowercase(text):
    """Split the lower-case file: single line breaks mostly part stories there."""
    stories = []
    for part in re.split(r"(?<!\n)\n(?!\n)", text):
        body = part.strip()
        previous = stories[-1] if stories else ""
        garbled = "â€" in body and "â€" in previous
        loose = previous.endswith(" ")
        inside = INSIDE.match(body) or ((garbled or loose) and not START.match(body))
        if stories and (not body or inside):
            stories[-1] += "\n" + part
        else:
            stories.append(part)
    return stories


def split_validation(text):
    """Split the validation text, which has no story marks, at typical openings."""
    stories = []
    for paragraph in re.split(r"\n\n+", text):
        if stories and not START.match(paragraph):
            stories[-1] += "\n" + paragraph
        else:
            stories.append(paragraph)
    return stories[1:-1]  # the first has no beginning, the last perhaps no end


def read(folder, name):
    """The text of one packed corpus file."""
    return lzma.open(folder / f"{name}.txt.xz", "rt", encoding="utf-8").read()


def load_stories(folder):
    """Training and held-out stories, cleaned, the lower-case part recased."""
    cased = [tidy_story(clean(s)) for s in
             read(folder, "tinystories_train_head_2MB").split(END)[:-1]]
    cased = [s for s in cased if s]
    lower = read(folder, "tinystories_train_head_4MB_lowercase")
    book_words = Counter(re.findall(r"\b[a-z]+\b", read(folder, "children_books")))
    caser = Truecaser(cased, {w for w, n in book_words.items() if n > 2})
    seen = {re.sub(r"\W+", "", s.lower()) for s in cased}
    # The cased file ends inside this story; what follows exists in lower case only.
    rest = split_lowercase(lower[lower.find("they were here to adopt one of them"):])[1:]
    recased = [caser(s) for s in map(tidy_story, map(clean, rest[:-1])) if s]
    held_out = [s for s in map(tidy_story, map(clean, split_validation(
        read(folder, "tinystories_val_head_0.8MB")))) if s]
    held_keys = {re.sub(r"\W+", "", s.lower()) for s in held_out}
    train = list(cased)
    for story in recased:
        key = re.sub(r"\W+", "", story.lower())
        if key not in seen:
            seen.add(key)
            train.append(story)
    train = [s for s in train if re.sub(r"\W+", "", s.lower()) not in held_keys]
    print(f"stories: {len(cased)} cased, {len(train) - len(cased)} recased, "
          f"{len(held_out)} held out")
    return train, held_out


def load_books(folder):
    """Paragraphs of the children's books that look like prose in plain English."""
    books = []
    for book in clean(read(folder, "children_books")).split(END):
        kept = [re.sub(r"\s+", " ", p).strip() for p in book.split("\n\n")]
        kept = [p for p in kept if len(p) > 60 and p.isascii()
                and sum(c.islower() for c in p) > 0.7 * len(p)]
        books.append("\n\n".join(kept))
    return books


def rename(story, rng):
    """The story with each known hero renamed to another of the same gender."""
    mapping = {}
    for names in (GIRLS, BOYS):
        present = [n for n in names if re.search(rf"\b{n}\b", story)]
        free = [n for n in names if n not in present]
        chosen = rng.sample(free, min(len(present), len(free)))
        mapping.update(zip(present, chosen, strict=False))
    if not mapping:
        return story
    pattern = r"\b(" + "|".join(mapping) + r")\b"
    return re.sub(pattern, lambda m: mapping[m.group(1)], story)


def train_tokenizer(stories, books, vocab_size):
    """Byte-level BPE in GPT-2 style; END is token 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    sample = [b[:30000] for b in books]  # about a third of the tokenizer's text
    tokenizer.train_from_iterator(stories + sample, trainer)
    return tokenizer


def write_tokens(tokenizer, texts, path):
    """END, then the text, for every text; returns the number of tokens."""
    ids = [np.array([0, *e.ids], np.uint16) for e in tokenizer.encode_batch(texts)]
    np.concatenate(ids).tofile(path)
    return sum(map(len, ids))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    data = os.environ.get("FORGE_TEST_DATA", "../shared/data")
    parser.add_argument("--corpus", type=Path, default=Path(data) / "corpus")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocab", type=int, default=2048)
    parser.add_argument("--copies", type=int, default=12, help="renamed copies of the stories")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    train, held_out = load_stories(args.corpus)
    books = load_books(args.corpus)
    for name, texts in (("train_stories", train), ("val_stories", held_out), ("books", books)):
        (args.out / f"{name}.txt").write_text(f"\n{END}\n".join(texts), encoding="utf-8")
    tokenizer = train_tokenizer(train, books, args.vocab)
    tokenizer.save(str(args.out / "tokenizer.json"))
    counts = {"val": write_tokens(tokenizer, held_out, args.out / "val.bin"),
              "books": write_tokens(tokenizer, books, args.out / "books.bin"),
              "val_bytes": sum(len(s.encode()) for s in held_out)}
    rng = random.Random(1)
    for k in range(args.copies + 1):
        texts = [rename(s, rng) for s in train] if k else train
        counts[f"stories_{k}"] = write_tokens(tokenizer, texts, args.out / f"stories_{k}.bin")
    (args.out / "counts.json").write_text(json.dumps(counts, indent=1))
    print(counts)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares Forge's tokenizers with the original libraries, string by string.

    python tools/tokenizer_diff.py --forge build/release/src/forge/cli/forge --data ../shared/data

For every tokenizer below --data/tokenizers: `count` random and nasty strings (fixed seed) are encoded
with and without special tokens, and token lists (those results and random ids) decoded with and without
skipping special tokens, by `forge tokenize --jsonl` and by the original:

  tokenizer.json                      the `tokenizers` package
  tokenizer.model (SentencePiece)     the `sentencepiece` package (plain text only)
  tokenizer.model (tiktoken ranks)    the `tiktoken` package
  vocab.json + merges.txt             the `tokenizers` package

Then the same with "variants": the vocabularies of smollm and phi-3-mini under the pre-tokenizer patterns,
normalizers, Metaspace settings and added-token flags of other model families.

Prints a table of agreement and speed, and the first differences. Exit code: 0 all equal, 1 some
difference, 77 where the packages or the data are missing.
"""
import argparse
import base64
import gzip
import itertools
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

try:
    import sentencepiece
    import tiktoken
    import tokenizers
except ImportError as error:
    print(f"tokenizer_diff: skipped, {error}")
    sys.exit(77)

SHARED_DATA = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
                  r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

SCRIPTS = [  # code point ranges that random text is drawn from
    (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF),
    (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF),
    (0xE00, 0xE7F), (0xF00, 0xFFF), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1780, 0x17FF),
    (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2100, 0x218F),
    (0x2190, 0x23FF), (0x2460, 0x24FF), (0x2580, 0x259F), (0x2600, 0x27BF), (0x3000, 0x30FF),
    (0x3130, 0x318F), (0x31E0, 0x32FF), (0x3400, 0x34FF), (0x4E00, 0x9FFF), (0xA7C0, 0xA7FF),
    (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFEFF),
    (0xFF00, 0xFFEF), (0x10300, 0x1034F), (0x10D00, 0x10EFF), (0x11F00, 0x11F5F), (0x1D400, 0x1D7FF),
    (0x1E000, 0x1E0FF), (0x1F000, 0x1FAFF), (0x20000, 0x200FF), (0x2EBF0, 0x2EE5F), (0x31350, 0x313FF),
    (0xE0100, 0xE01EF), (0x10FF00, 0x10FFFF), (0x1, 0x1F), (0x7F, 0x9F),
]
WHITE = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u180e",
         "\u0085", "\v", "\f", " " * 17, "\t\t\t", "\n" * 9, "\u2028", "\u202f"]
SNIPPETS = [
    "def f(x):\n    return x**2  # comment\n", "for (int i = 0; i < n; ++i) { a[i] += b[i]; }",
    "<div class=\"a\">&amp;</div>", "SELECT * FROM t WHERE a='b';", "http://example.com/a?b=c&d=%20e#f",
    "I'm you're he'll they've we'd it's don't", "I'M YOU'RE HE'LL THEY'VE WE'D IT'S DON'T", "'\u017f 'S",
    "1234567890", "3.14159e-10", "0xDEADBEEF", "2024-02-29T12:34:56Z", "\u0661\u0662\u0663",
    "\u00b2\u00b3\u00b9\u00bd", "\u2160\u2161", "1,000,000.00", "caf\u00e9", "cafe\u0301",
    "\u1100\u1161\u11a8", "\ud55c\uad6d\uc5b4", "\u0928\u093f", "e\u0323\u0307", "e\u0307\u0323",
    "\u212b \u2126 \ufb01", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\U0001F1E9\U0001F1EA",
    "\u2764\ufe0f", "\U0001F44D\U0001F3FD", "\U0001FAE8\U0001FADC", "\u202eabc\u202c", "\ufeffbom",
    "\u00ad\u200d\u200c", "...", "!!!???", "---", "====", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Donaudampfschifffahrtsgesellschaft", "\u6c49\u5b57\u548c\u4eee\u540d\u306e\u6df7\u5728",
    "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439\u0442\u0435",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\x00", "\x01\x02", "<0x0A>", "<0xE2>", "\u2581", "\u2581\u2581a",
    "\u0120the", "\ufffd", "\ufffe", "\U0010ffff", "\u0378", "\U0001FBFB", "\u0149", "\u1e9e\u00df",
]


def random_string(rng, specials, words):
    """One string of up to about a dozen parts of different kinds."""
    parts = []
    for _ in range(rng.choice((1, 1, 2, 3, 4, 6, 9, 13))):
        kind = rng.random()
        if kind < 0.25:
            parts.append(" ".join(rng.choice(words) for _ in range(rng.randint(1, 8))))
        elif kind < 0.45:
            low, high = rng.choice(SCRIPTS)
            parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12))))
        elif kind < 0.60:
            parts.append(rng.choice(WHITE) * rng.choice((1, 1, 1, 2, 3)))
        elif kind < 0.80:
            parts.append(rng.choice(SNIPPETS))
        elif kind < 0.88 and specials:
            special = rng.choice(specials)
            parts.append(special if rng.random() < 0.8 else special[:rng.randint(1, len(special))])
        elif kind < 0.94:
            code_point = rng.randint(1, 0x10FFFF)
            parts.append(chr(code_point) if not 0xD800 <= code_point < 0xE000 else "\ud7a3")
        else:
            parts.append("".join(rng.choice("abcXYZ019 _-.'\n") for _ in range(rng.randint(1, 40))))
        if rng.random() < 0.3:
            parts.append(" ")
    return "".join(parts)


class JsonTokenizer:
    """tokenizer.json, by the `tokenizers` package."""
    name = "tokenizers"
    parses_special = True

    def __init__(self, folder):
        if (folder / "tokenizer.json").exists():
            self.model = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        else:
            self.model = self.from_vocabulary(folder)
        added = self.model.get_added_tokens_decoder()
        self.specials = [token.content for token in added.values()]
        self.n_ids = max(self.model.get_vocab().values()) + 1

    @staticmethod
    def from_vocabulary(folder):
        """GPT-2's layout, put together as transformers does."""
        model = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(
            str(folder / "vocab.json"), str(folder / "merges.txt")))
        model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = tokenizers.decoders.ByteLevel()
        model.add_special_tokens(["<|endoftext|>"])
        return model

    def encode(self, texts, special):
        self.model.encode_special_tokens = not special
        return [e.ids for e in self.model.encode_batch(texts, add_special_tokens=special)]

    def decode(self, lists, skip):
        return self.model.decode_batch(lists, skip_special_tokens=skip)


class SentencePieceTokenizer:
    name = "sentencepiece"
    parses_special = False
    specials = []

    def __init__(self, folder):
        self.model = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
        self.n_ids = self.model.vocab_size()

    def encode(self, texts, special):
        return [([self.model.bos_id()] if special else []) + self.model.encode(t) for t in texts]

    decode = None  # differs by design for control tokens and broken byte runs; ids are what is compared


class TiktokenTokenizer:
    name = "tiktoken"
    parses_special = False
    specials = []

    def __init__(self, folder):
        ranks = {}
        for line in (folder / "tokenizer.model").read_bytes().splitlines():
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
        self.model = tiktoken.Encoding("llama3", pat_str=LLAMA3_PATTERN, mergeable_ranks=ranks,
                                       special_tokens={"<|begin_of_text|>": len(ranks)})
        self.n_ids = len(ranks)

    def encode(self, texts, special):
        bos = [self.n_ids] if special else []
        return [bos + self.model.encode(t, disallowed_special=()) for t in texts]

    def decode(self, lists, skip):
        end = self.n_ids if skip else self.n_ids + 1
        return [self.model.decode_bytes([i for i in ids if i < end]).decode("utf-8", "replace")
                for ids in lists]


def run_forge(forge, folder, flags, values):
    """One JSON value a line in, one a line out; the answers and the seconds of CPU it took."""
    lines = "".join(json.dumps(v) + "\n" for v in values)
    start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([forge, "tokenize", str(folder), "--jsonl", *flags], input=lines.encode(),
                          capture_output=True, check=False)
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    if done.returncode != 0:
        raise RuntimeError(f"{folder}: {done.stderr.decode().strip()}")
    # Only \n ends a line: other line separators may stand inside the JSON strings.
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line], seconds


def unpack(source, target):
    target.mkdir(parents=True)
    for file in source.iterdir():
        if file.suffix == ".gz":
            (target / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        elif file.is_file():
            shutil.copyfile(file, target / file.name)


def tokenizer_folders(data, work):
    """(name, folder, original), unpacked. A tokenizer.json that the original refuses is left to the
    other files beside it."""
    for source in sorted((data / "tokenizers").iterdir()):
        if not source.is_dir() or source.name in ("configs-only", "gguf_vocab", "cl100k"):
            continue
        folder = work / source.name
        unpack(source, folder)
        if source.name == "mistral":
            for file in sorted(folder.iterdir()):
                version = work / ("mistral-" + file.name.rsplit(".", 1)[1])
                version.mkdir()
                file.rename(version / "tokenizer.model")
                yield version.name, version, SentencePieceTokenizer(version)
            continue
        if (folder / "tokenizer.json").exists():
            try:
                original = JsonTokenizer(folder)
            except Exception as error:  # the package raises plain Exception
                print(f"{source.name}: the original refuses tokenizer.json ({error})")
                (folder / "tokenizer.json").unlink()
            else:
                if json.loads((folder / "tokenizer.json").read_bytes())["model"].get("type") == "BPE":
                    yield source.name, folder, original
                continue
        if (folder / "tokenizer.model").exists():
            is_text = (folder / "tokenizer.model").read_bytes()[:4].isalnum() or source.name == "llama-3"
            yield source.name, folder, (TiktokenTokenizer if is_text else SentencePieceTokenizer)(folder)
        elif (folder / "vocab.json").exists():
            yield source.name, folder, JsonTokenizer(folder)


def split_by(*patterns):
    """The pre_tokenizer of most byte-level models: patterns one after the other, then bytes."""
    splits = [{"type": "Split", "pattern": {"Regex": p}, "behavior": "Isolated", "invert": False}
              for p in patterns]
    bytes_only = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": splits + [bytes_only]}


WORD_TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
START, SHORT = r"[^\r\n\p{L}\p{N}]?", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
GPT2 = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def metaspace(scheme, split):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}


def one_added(content, **flags):
    return [dict({"content": content, "single_word": False, "lstrip": False, "rstrip": False,
                  "normalized": False, "special": False}, **flags)]


BYTE_VARIANTS = {  # members of smollm's tokenizer.json to replace
    "llama-3": {"pre_tokenizer": split_by(LLAMA3_PATTERN), "ignore_merges": True},
    "tekken": {"pre_tokenizer": split_by(
        f"{START}{UPPER}*{LOWER}+|{START}{UPPER}+{LOWER}*|\\p{{N}}|{WORD_TAIL}"), "ignore_merges": True},
    "gpt-4o": {"pre_tokenizer": split_by(
        f"{START}{UPPER}*{LOWER}+{SHORT}|{START}{UPPER}+{LOWER}*{SHORT}|\\p{{N}}{{1,3}}|{WORD_TAIL}")},
    "deepseek-v3": {"pre_tokenizer": split_by(
        r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")},
    "deepseek-coder": {"pre_tokenizer": split_by(
        "[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}")},
    "qwen3.5": {"pre_tokenizer": split_by(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|"
        r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "normalizer": {"type": "NFC"}},
    "words": {"pre_tokenizer": split_by(r"\w+|[^\w\s]+|\s+", r"\b\d{1,3}\b", r"\h+")},
    "han": {"pre_tokenizer": split_by(r"\p{Han}+", r"\p{Hiragana}+|\p{Katakana}+")},
    "prefix-space": {"pre_tokenizer": GPT2},
    "nfd": {"normalizer": {"type": "NFD"}},
    "nfkc": {"normalizer": {"type": "NFKC"}},
    "nfkd-lower": {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKD"},
                                                                      {"type": "Lowercase"}]}},
    "strip-replace": {"normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": r"\s{2,}|e"}, "content": " "}]}},
    "whitespace": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Whitespace"}, GPT2]}},
    "punctuation": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "MergedWithPrevious"},
        {"type": "Digits", "individual_digits": False}, GPT2]}},
    "added-strip": {"added": one_added("the", lstrip=True, rstrip=True)},
    "added-word": {"added": one_added("the", single_word=True, normalized=True),
                   "normalizer": {"type": "Lowercase"}},
}
PIECE_VARIANTS = {  # the same for phi-3-mini
    "meta-first": {"normalizer": None, "pre_tokenizer": metaspace("first", False)},
    "meta-always": {"normalizer": None, "pre_tokenizer": metaspace("always", True),
                    "decoder": metaspace("always", True)},
    "meta-never": {"normalizer": None, "pre_tokenizer": metaspace("never", True),
                   "decoder": metaspace("never", True)},
    "no-fallback": {"byte_fallback": False},
    "no-unknown": {"byte_fallback": False, "unk_token": None},
    "split-unknown": {"byte_fallback": False, "fuse_unk": False, "decoder": None},
}


def variant_folders(data, work):
    for base, variants in (("smollm", BYTE_VARIANTS), ("phi-3-mini", PIECE_VARIANTS)):
        source = data / "tokenizers" / base / "tokenizer.json"
        if not source.exists():
            continue
        for name, changes in variants.items():
            content = json.loads(source.read_bytes())
            for key, value in changes.items():
                if key == "added":
                    for token in value:
                        known = content["model"]["vocab"].get(token["content"])
                        content["added_tokens"].append(
                            {"id": len(content["model"]["vocab"]) if known is None else known, **token})
                elif key in content:
                    content[key] = value
                else:
                    content["model"][key] = value
            folder = work / f"variant-{name}"
            folder.mkdir()
            (folder / "tokenizer.json").write_text(json.dumps(content))
            yield f"+{name}", folder, JsonTokenizer(folder)


def compare(what, inputs, ours, theirs, shown):
    """Number of equal answers; prints the first differences."""
    equal = 0
    for value, a, b in zip(inputs, ours, theirs, strict=True):
        if a == b:
            equal += 1
        elif shown[0] > 0:
            shown[0] -= 1
            print(f"  {what}: {value!r}\n    forge    {a!r}\n    original {b!r}")
    return equal


def check(name, folder, original, args, words):
    rng = random.Random(args.seed)
    specials = original.specials
    count = max(min(args.count, args.variant_count) if name.startswith("+") else args.count, 1)
    texts = [""] + SNIPPETS + WHITE + specials[:50]
    while len(texts) < count:
        texts.append(random_string(rng, specials, words))
    texts = texts[:count]
    shown = [args.show]
    row = [name, original.name]
    encoded = {}
    for special in (True, False):
        flags = [] if special else ["--no-special"]
        answers, _ = run_forge(args.forge, folder, flags, texts)
        ours = [answer["ids"] for answer in answers]
        theirs = original.encode(texts, special)
        if special and not original.parses_special:
            # Text that looks like a special token is plain to these packages.
            kept = [i for i, text in enumerate(texts) if "<" not in text and "[" not in text]
            subset = [texts[i] for i in kept]
            row.append((compare("encode", subset, [ours[i] for i in kept], [theirs[i] for i in kept],
                                shown), len(subset)))
        else:
            row.append((compare("encode" if special else "encode --no-special", texts, ours, theirs,
                                shown), len(texts)))
        encoded[special] = theirs
    for skip in (False, True):
        if original.decode is None:
            row.append(None)
            continue
        lists = list(encoded[True])
        for _ in range(count // 4):
            lists.append([rng.randrange(original.n_ids) for _ in range(rng.randint(1, 12))])
        answers, _ = run_forge(args.forge, folder, ["--decode"] + (["--no-special"] if skip else []), lists)
        row.append((compare(f"decode skip_special={skip}", lists, [a["text"] for a in answers],
                            original.decode(lists, skip), shown), len(lists)))
    row.append(0.0 if name.startswith("+") else measure_speed(args, folder))
    return row


def measure_speed(args, folder):
    """MB per CPU second of encoding one long text, with reading it and writing the ids as JSON; process
    start and loading are taken off."""
    text = " ".join(args.text[:400_000].split(" ")) * 5
    empty = min(run_forge(args.forge, folder, [], [""])[1] for _ in range(2))
    full = run_forge(args.forge, folder, [], [text])[1]
    return len(text.encode()) / 1e6 / max(full - empty, 1e-6)


def sample_text(data):
    import lzma
    path = data / "corpus" / "tinystories_val_head_0.8MB.txt.xz"
    if path.exists():
        return lzma.open(path, "rt", encoding="utf-8", errors="replace").read()
    return "Once upon a time there was a little girl who liked to count. One, two, three! " * 10_000


def cell(value):
    if value is None:
        return "-"
    return f"{value[0]}/{value[1]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--forge", required=True, help="the forge binary")
    parser.add_argument("--data", type=pathlib.Path, help="folder with tokenizers/",
                        default=os.environ.get("FORGE_TEST_DATA", SHARED_DATA))
    parser.add_argument("--count", type=int, default=1000, help="strings for each tokenizer")
    parser.add_argument("--variant-count", type=int, default=1000, help="strings for each variant")
    parser.add_argument("--seed", type=int, default=20240229)
    parser.add_argument("--show", type=int, default=5, help="differences to print for each tokenizer")
    parser.add_argument("--only", help="names to compare, separated by commas")
    args = parser.parse_args()
    if not (args.data / "tokenizers").is_dir():
        print(f"skipped: no test data: {args.data}/tokenizers")
        return 77
    args.text = sample_text(args.data)
    words = sorted(set(args.text[:200_000].split()))
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for name, folder, original in itertools.chain(tokenizer_folders(args.data, pathlib.Path(work)),
                                                      variant_folders(args.data, pathlib.Path(work))):
            if args.only and name not in args.only.split(","):
                continue
            try:
                rows.append(check(name, folder, original, args, words))
            except RuntimeError as error:
                print(f"  {error}")
                rows.append([name, original.name, (0, 1), (0, 1), (0, 1), (0, 1), 0.0])
    print(f"{'tokenizer':<18}{'original':<15}{'encode':>13}{'no-special':>13}{'decode':>13}"
          f"{'skip-special':>14}{'MB/s':>8}")
    for name, library, *cells, speed in rows:
        print(f"{name:<18}{library:<15}" + "".join(f"{cell(c):>13}" for c in cells)
              + (f"{speed:>9.1f}" if speed else f"{'-':>9}"))
    differ = sum(c[1] - c[0] for row in rows for c in row[2:-1] if c)
    print(f"{len(rows)} tokenizers, {sum(c[1] for r in rows for c in r[2:-1] if c)} comparisons, "
          f"{differ} differences")
    return 1 if differ or not rows else 0


if __name__ == "__main__":
    sys.exit(main())

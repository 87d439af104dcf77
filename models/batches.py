"""Rows of tokens for training, and the loss on held-out stories."""

import numpy as np
import torch

ROW = 513  # 512 inputs and the shifted target


def pack_stories(path, rng):
    """All stories of one token file packed into rows, each starting at a story."""
    tokens = np.fromfile(path, np.uint16)
    stories = np.split(tokens, np.flatnonzero(tokens == 0)[1:])
    pieces = [s[i:i + ROW] for s in stories for i in range(0, len(s), ROW)]
    rng.shuffle(pieces)
    bins = []  # open rows: (free places, pieces)
    rows = []
    for piece in pieces:
        fitting = [b for b in bins if b[0] >= len(piece)]
        if fitting:
            best = min(fitting, key=lambda b: b[0])
            best[0] -= len(piece)
            best[1].append(piece)
        else:
            bins.append([ROW - len(piece), [piece]])
        if len(bins) > 40:
            bins.sort(key=lambda b: -b[0])
            rows.append(bins.pop()[1])
    rows += [b[1] for b in bins]
    filled = []
    for row in rows:
        room = ROW - sum(map(len, row))
        while room > 0:
            filler = stories[rng.integers(len(stories))][:room]
            row.append(filler)
            room -= len(filler)
        filled.append(np.concatenate(row))
    rng.shuffle(filled)
    return filled


class Batches:
    """Endless rows of stories (a renamed copy per epoch) and of books."""

    def __init__(self, data, seed):
        self.data, self.rng = data, np.random.default_rng(seed)
        self.copies = len(list(data.glob("stories_*.bin")))
        self.books = np.fromfile(data / "books.bin", np.uint16)
        self.rows, self.spots, self.epoch = [], [], 0

    def row(self, story_share):
        """One row: from the stories with the given probability, else from a book."""
        if self.rng.random() < story_share:
            if not self.rows:
                name = f"stories_{self.epoch % self.copies}.bin"
                self.rows = pack_stories(self.data / name, self.rng)
                self.epoch += 1
            return self.rows.pop()
        if not self.spots:
            first = int(self.rng.integers(ROW))
            self.spots = list(range(first, len(self.books) - ROW, ROW - 1))
            self.rng.shuffle(self.spots)
        at = self.spots.pop()
        return self.books[at:at + ROW]

    def batch(self, size, story_share):
        rows = np.stack([self.row(story_share) for _ in range(size)]).astype(np.int64)
        return torch.from_numpy(rows)


def held_out_loss(model, path, every=1):
    """Nats per token over held-out stories (or every nth), each read from its start."""
    tokens = np.fromfile(path, np.uint16).astype(np.int64)
    stories = np.split(tokens, np.flatnonzero(tokens == 0)[1:])[::every]
    total = count = 0
    for i in range(0, len(stories), 16):
        group = [np.append(s, 0)[:ROW] for s in stories[i:i + 16]]
        width = max(map(len, group))
        x = torch.zeros(len(group), width, dtype=torch.long)
        y = torch.full((len(group), width), -100)
        for r, s in enumerate(group):
            x[r, :len(s) - 1] = torch.from_numpy(s[:-1])
            y[r, :len(s) - 1] = torch.from_numpy(s[1:])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            known = (y >= 0).sum().item()
            total += model(x[:, :width - 1], y[:, :width - 1]).item() * known
            count += known
    return total / count

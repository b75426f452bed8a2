#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes fuzz_splice's seeds: throws of the dice alone, and small deflate streams of each kind after such throws."""

import os
import random
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "splice")
XML = b"<Iteration>\n  <Iteration_iter-num>%d</Iteration_iter-num>\n</Iteration>\n"


def deflate(text, level, strategy, flush):
    stream = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    half = len(text) // 2
    return stream.compress(text[:half]) + stream.flush(flush) + stream.compress(text[half:]) + stream.flush()


def main():
    dice = random.Random(1)
    os.makedirs(FOLDER, exist_ok=True)
    texts = {
        "none": b"",
        "letter": b"x",
        "run": b"a" * 700,
        "xml": b"".join(XML % number for number in range(1, 9)),
        "letters": bytes(dice.choice(b"ARNDCQEGHILKMFPSTVWY") for _ in range(150)),
        "bytes": bytes(dice.randrange(256) for _ in range(60)),
    }
    ways = {
        "stored": (0, zlib.Z_DEFAULT_STRATEGY, zlib.Z_NO_FLUSH),
        "fixed": (6, zlib.Z_FIXED, zlib.Z_NO_FLUSH),
        "dynamic": (6, zlib.Z_DEFAULT_STRATEGY, zlib.Z_NO_FLUSH),
        "literals": (6, zlib.Z_HUFFMAN_ONLY, zlib.Z_SYNC_FLUSH),
        "blocks": (9, zlib.Z_DEFAULT_STRATEGY, zlib.Z_FULL_FLUSH),
    }
    for text_name, text in texts.items():
        for way_name, way in ways.items():
            n_throws = dice.randrange(12)
            throws = bytes(dice.randrange(256) for _ in range(2 * n_throws))
            seed = bytes([1, n_throws]) + throws + deflate(text, *way)
            with open(os.path.join(FOLDER, f"{text_name}-{way_name}"), "wb") as file:
                file.write(seed)
    for number in range(12):
        with open(os.path.join(FOLDER, f"dice-{number}"), "wb") as file:
            file.write(bytes([0, 0]) + bytes(dice.randrange(256) for _ in range(4 * number)))


if __name__ == "__main__":
    main()

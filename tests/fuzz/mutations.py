"""Damaged files: a plain mutator over bytes, from one random generator."""

import random
from collections.abc import Callable

_TELLING = (
    *(b"\x00", b"\xff", b"\n", b"\r", b"\t", b'"', b"{", b"}", b"[", b"]", b"(", b")", b"|||", b"<", b">", b"&", b":"),
    *(b"-1", b"1e999", b"NaN", b"9" * 25, b"99999999", b"0.5", b"1_0", b"null", b"true", b"\\ud800", b"\xed\xa0\x80"),
    *(
        "\u2028".encode(),
        "\u200b".encode(),
        "é".encode(),
        "e\u0301".encode(),
        b"\xef\xbb\xbf",
        b"[" * 2000,
        b"a" * 5000,
    ),
)
Mutation = Callable[[bytes, random.Random], bytes]


def _flip(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _delete(data: bytes, rng: random.Random) -> bytes:
    first = rng.randrange(len(data))
    return data[:first] + data[first + rng.randint(1, 1 + len(data) // 4) :]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    first = rng.randrange(len(data))
    piece = data[first : first + rng.randint(1, 60)]
    return data[:first] + piece * rng.randint(2, 4) + data[first:]


def _insert(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice(_TELLING) + data[place:]


def _overwrite(data: bytes, rng: random.Random) -> bytes:
    place, piece = rng.randrange(len(data)), rng.choice(_TELLING)
    return data[:place] + piece + data[place + len(piece) :]


def _swap_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


MUTATIONS: tuple[Mutation, ...] = (_flip, _flip, _cut, _delete, _repeat, _insert, _overwrite, _swap_lines)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return ``data`` with one to three things done to it."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if data:
            data = rng.choice(MUTATIONS)(data, rng)
    return data

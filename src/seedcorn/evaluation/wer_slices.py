"""Error rates where they matter: by intent, on rare and frequent intents, on entity and code-switched words."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.wer import EditKind, ErrorCounts, ErrorTable, align, word_errors

RARE, FREQUENT = "rare", "frequent"


def errors_by_label(table: ErrorTable, labels: Sequence[str]) -> dict[str, ErrorCounts]:
    """Return the counts of the utterances of each label, labels sorted; ``labels`` are one a row of ``table``."""
    if len(labels) != len(table.counts):
        raise DataError(wanted="one label an utterance", found=f"{len(labels)} for {len(table.counts)}")
    return {
        label: table.total([row for row, other in enumerate(labels) if other == label]) for label in sorted(set(labels))
    }


def intent_frequency(
    transcript_intents: Iterable[str], intents: Sequence[str], *, frequent_fraction: float = 0.5
) -> list[str]:
    """Return RARE or FREQUENT for each of ``intents``.

    Frequent are the fewest intents that together make up ``frequent_fraction`` of the transcripts; ties by name.
    """
    counts = Counter(transcript_intents)
    frequent: set[str] = set()
    n_covered = 0
    for intent, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if n_covered >= frequent_fraction * counts.total():
            break
        frequent.add(intent)
        n_covered += n
    return [FREQUENT if intent in frequent else RARE for intent in intents]


def errors_on_words(
    references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]], marked: Sequence[Sequence[bool]]
) -> ErrorCounts:
    """Return hits, substitutions and deletions of the marked reference words; insertions belong to no word.

    Raises DataError when an utterance has not one mark a word.
    """
    total: Counter[EditKind] = Counter()
    for row, (reference, hypothesis, marks) in enumerate(zip(references, hypotheses, marked, strict=True)):
        if len(marks) != len(reference):
            raise DataError(wanted=f"{len(reference)} marks", found=f"{len(marks)}", where=f"utterance {row}")
        edits = [edit for edit in align(reference, hypothesis) if edit.kind is not EditKind.INSERTION]
        total.update(edit.kind for edit, is_marked in zip(edits, marks, strict=True) if is_marked)
    return ErrorCounts(
        hits=total[EditKind.HIT],
        substitutions=total[EditKind.SUBSTITUTION],
        deletions=total[EditKind.DELETION],
    )


def entity_words(utterance: Utterance) -> list[bool]:
    """Return for each of the utterance's words whether it is inside a slot (or touches one, for slots within words)."""
    in_slot = [False] * len(utterance.text)
    for slot in utterance.slots:
        in_slot[slot.start : slot.end] = [True] * (slot.end - slot.start)
    marks: list[bool] = []
    normalised = unicodedata.normalize("NFC", utterance.text)
    if len(normalised) != len(in_slot):
        raise DataError(wanted="text in NFC", found=f"'{utterance.text}'", fix="Readers normalise text; use them.")
    position = 0
    lower = normalised.lower() if len(normalised.lower()) == len(normalised) else normalised
    for word in words(normalised):
        start = lower.find(word, position)
        start = position if start < 0 else start
        position = start + len(word)
        marks.append(any(in_slot[start:position]))
    return marks


def code_switched_words(reference: Sequence[str]) -> list[bool]:
    """Return for each word whether it is written in another script than most of the utterance's letters."""
    scripts = [_script(word) for word in reference]
    letters: Counter[str] = Counter()
    for word, script in zip(reference, scripts, strict=True):
        letters[script] += len(word)
    main = max(letters, key=lambda script: (letters[script], script)) if letters else ""
    return [script not in ("", main) for script in scripts]


def _script(word: str) -> str:
    """Return the script of the word's first letter, as in its Unicode name; empty when it has none."""
    return next((unicodedata.name(c, " ").split(" ")[0] for c in word if c.isalpha()), "")


def breakdown(
    utterances: Sequence[Utterance], hypotheses: Sequence[str], *, transcript_intents: Iterable[str] = ()
) -> dict[str, ErrorCounts]:
    """Return the word errors of every slice that there is something to say of.

    Slices: "entity words", "other words", "code-switched words" (no insertions counted in these), "intent NAME", and,
    when ``transcript_intents`` are given, "rare intents" and "frequent intents" of the utterances that have one.
    Raises DataError when utterances and hypotheses differ in number.
    """
    references = [words(u.text) for u in utterances]
    said = [words(hypothesis) for hypothesis in hypotheses]
    table = word_errors([u.text for u in utterances], hypotheses)
    in_entities = [entity_words(u) for u in utterances]
    slices = {
        "entity words": errors_on_words(references, said, in_entities),
        "other words": errors_on_words(references, said, [[not m for m in marks] for marks in in_entities]),
        "code-switched words": errors_on_words(references, said, [code_switched_words(r) for r in references]),
    }
    intents = [u.intent for u in utterances]
    seen = list(transcript_intents)
    if seen:
        frequency = [
            label if u.intent else "" for u, label in zip(utterances, intent_frequency(seen, intents), strict=True)
        ]
        slices |= {f"{label} intents": n for label, n in errors_by_label(table, frequency).items() if label}
    slices |= {f"intent {label}": counts for label, counts in errors_by_label(table, intents).items() if label}
    return {name: counts for name, counts in slices.items() if counts.reference_length}

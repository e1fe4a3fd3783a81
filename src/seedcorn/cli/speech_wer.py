"""``seedcorn speech wer``: word and character error rates of a recogniser, compared, sliced, aligned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcorn.cli.commands import command_of
from seedcorn.cli.options import InputFile, RandomSeed, Shown, show
from seedcorn.cli.speech import speech
from seedcorn.errors import ConfigError, DataError
from seedcorn.evaluation.normaliser import Normaliser
from seedcorn.speech.settings import TranscriptFormat

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.files import Json


@dataclass(frozen=True, kw_only=True)
class WerOptions(Shown):
    """What is measured, against what, and how it is shown."""

    references: InputFile
    hypotheses: InputFile
    baseline: Annotated[Path | None, typer.Option(exists=True, help="Other hypotheses to compare with.")] = None
    normaliser: Annotated[Normaliser, typer.Option(help="words: normalised by Seedcorn; white-space: as written.")] = (
        Normaliser.WORDS
    )
    corpus: Annotated[Path | None, typer.Option(exists=True, help="The same utterances with intents and slots.")] = None
    transcripts: Annotated[
        Path | None, typer.Option(exists=True, help="The transcripts that say which intents are rare.")
    ] = None
    transcript_format: Annotated[
        TranscriptFormat | None, typer.Option(help="Format of the files; told from them if absent. lines: no ids.")
    ] = None
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Utterances without a hypothesis were recognised as nothing.")
    ] = False
    lang: Annotated[str, typer.Option("--lang", help="Language, where case depends on it (tr, az).")] = ""
    alignments: Annotated[int, typer.Option(min=0, help="Show the alignments of so many wrong utterances.")] = 0
    random_seed: RandomSeed = 0


@speech.command()
@command_of
def wer(options: WerOptions) -> None:
    """Measure word and character error rates of HYPOTHESES.

    Kaldi text, sclite .trn, JSON lines and manifests (of hypotheses "pred_text") are paired by id, plain lines by line.
    """
    from seedcorn.speech.transcript_pairs import paired_transcripts

    if options.transcripts is not None and options.corpus is None:
        raise ConfigError(wanted="--corpus beside --transcripts", found="none", fix="The corpus has the intents.")
    paired = partial(
        paired_transcripts,
        options.references,
        format=options.transcript_format,
        missing_is_empty=options.missing_as_empty,
    )
    ids, meant, said = paired(options.hypotheses)
    result = _rates(meant, said, options)
    if options.baseline is not None:
        result |= _comparison(meant, paired(options.baseline).said, said, options)
    if options.corpus is not None:
        result |= _slices(options.corpus, options.transcripts, ids, meant, said)
    show(result, as_json=options.as_json)
    if options.alignments and not options.as_json:
        _show_alignments(ids, meant, said, options.normaliser, options.alignments)


def _rates(meant: Sequence[str], said: Sequence[str], options: WerOptions) -> "dict[str, Json]":
    from seedcorn.evaluation.wer import character_errors, word_errors

    table = word_errors(meant, said, normaliser=options.normaliser, lang=options.lang)
    characters = character_errors(meant, said, normaliser=options.normaliser, lang=options.lang)
    total = table.total()
    return {
        "word_error_rate": total.rate,
        "hits": total.hits,
        "substitutions": total.substitutions,
        "insertions": total.insertions,
        "deletions": total.deletions,
        "character_error_rate": characters.total().rate,
        "signature": table.signature,
    }


def _comparison(
    meant: Sequence[str], before: Sequence[str], after: Sequence[str], options: WerOptions
) -> "dict[str, Json]":
    import numpy as np

    from seedcorn.evaluation.bootstrap import paired_bootstrap
    from seedcorn.evaluation.wer import error_rate, word_errors

    errors = partial(word_errors, meant, normaliser=options.normaliser, lang=options.lang)
    baseline = errors(before)
    reduction = paired_bootstrap(
        baseline.statistics(),
        errors(after).statistics(),
        rng=np.random.default_rng(options.random_seed),
        rate=error_rate,
    )
    return {
        "baseline_word_error_rate": baseline.total().rate,
        "relative_reduction": reduction.relative,
        "reduction_low": reduction.low,
        "reduction_high": reduction.high,
        "p_value": reduction.p_value,
    }


def _slices(
    corpus: Path, transcripts: Path | None, ids: Sequence[str], meant: Sequence[str], said: Sequence[str]
) -> "dict[str, Json]":
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.evaluation.wer_slices import breakdown

    utterances = _utterances_of(corpus, ids, meant)
    known = [] if transcripts is None else [u.intent for u in read_corpus(transcripts).utterances() if u.intent]
    if transcripts is not None and not known:
        raise DataError(wanted="transcripts with intents", found="none with one", where=transcripts)
    slices = breakdown(utterances, said, transcript_intents=known)
    return {f"word_error_rate_of_{name.replace(' ', '_')}": counts.rate for name, counts in slices.items()}


def _utterances_of(corpus: Path, ids: Sequence[str], meant: Sequence[str]) -> "list[Utterance]":
    """Return the utterances of ``ids``; their words must be those of the references, as slots are places in them."""
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.corpus.text import normalise

    by_id = {utterance.id: utterance for utterance in read_corpus(corpus).utterances()}
    unknown = [i for i in ids if i not in by_id]
    if unknown:
        raise DataError(wanted=f"utterance '{unknown[0]}' in the corpus", found=f"{len(unknown)} missing", where=corpus)
    other = [i for i, reference in zip(ids, meant, strict=True) if normalise(by_id[i].text) != normalise(reference)]
    if other:
        raise DataError(
            wanted="the words of the references",
            found=f"others in {len(other)} utterances, as '{other[0]}': '{by_id[other[0]].text}'",
            where=corpus,
        )
    return [by_id[i] for i in ids]


def _show_alignments(
    ids: Sequence[str], meant: Sequence[str], said: Sequence[str], normaliser: Normaliser, n_shown: int
) -> None:
    from seedcorn.evaluation.wer import EditKind, align, shown_alignment

    for utterance_id, reference, hypothesis in zip(ids, meant, said, strict=True):
        edits = align(normaliser.words_of(reference), normaliser.words_of(hypothesis))
        if n_shown and any(edit.kind is not EditKind.HIT for edit in edits):
            typer.echo(f"\n{utterance_id}\n{shown_alignment(edits)}")
            n_shown -= 1

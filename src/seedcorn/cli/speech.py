"""``seedcorn speech``: train a test recogniser, decode speech or posteriors, measure word error rates, export."""

import os
import warnings
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import AsJson, InputFile, OutputFile, Quiet, RandomSeed, progress, refuse_overwriting, show
from seedcorn.errors import ConfigError, DataError, SeedcornWarning
from seedcorn.speech.settings import DecoderSettings, OovModel, TestBedSize, Unspellable

if TYPE_CHECKING:
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.evaluation.wer import Normaliser
    from seedcorn.lm.ngram_model import NgramModel
    from seedcorn.runs import Json
    from seedcorn.speech.alphabet import Alphabet
    from seedcorn.speech.fusion import WeightedModel
    from seedcorn.speech.lexicon import Lexicon

speech = typer.Typer(help="Train a test recogniser, decode, measure word error rates.", no_args_is_help=True)
app.add_typer(speech, name="speech")


class TranscriptForm(StrEnum):
    """How transcripts are written."""

    KALDI = "kaldi"
    TRN = "trn"
    JSONL = "jsonl"
    LINES = "lines"


class WordSplitting(StrEnum):
    """How text is split into words before it is compared."""

    WORDS = "words"
    WHITE_SPACE = "white-space"


SpokenAs: TypeAlias = Annotated[
    Path | None, typer.Option(exists=True, help="How words are spoken: lines of word, tab, spelling.")
]
N_SPECIAL_WORDS = 3  # <unk>, <s> and </s> come first in every model
N_SHOWN = 5


@speech.command()
def train(
    texts: InputFile,
    output: OutputFile,
    lang: Annotated[str, typer.Option(help="The language as espeak-ng names it, as hi or en-us.")],
    size: Annotated[TestBedSize, typer.Option(help="tiny: a minute; small: some 40 minutes of one core.")] = (
        TestBedSize.SMALL
    ),
    spaces: Annotated[bool, typer.Option(help="Whether the language writes spaces between words.")] = True,
    checkpoints: Annotated[Path | None, typer.Option(help="A folder to resume an interrupted training from.")] = None,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a small CTC network on sentences of TEXTS, words shuffled, spoken by a synthesiser."""
    refuse_overwriting(output, texts)
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.speech.test_bed import sized_test_bed, train_test_bed

    with progress(quiet):
        if checkpoints is not None:
            checkpoints.mkdir(parents=True, exist_ok=True)
        model = train_test_bed(
            [text for batch in read_corpus(texts).texts() for text in batch.to_pylist()],
            lang=lang,
            settings=sized_test_bed(size),
            word_boundary=spaces,
            random_seed=random_seed,
            checkpoints=checkpoints,
        )
        model.save(output)
    show({"symbols": len(model.alphabet), "output": str(output)}, as_json=as_json)


@speech.command()
def decode(
    source: InputFile,
    output: OutputFile,
    lm: Annotated[
        list[Path] | None, typer.Option(exists=True, help="A language model; several are mixed. None: greedy decoding.")
    ] = None,
    mixture_weight: Annotated[list[float] | None, typer.Option(help="A weight for each --lm, summing to 1.")] = None,
    acoustic_model: Annotated[Path | None, typer.Option(exists=True, help="A model of 'speech train'.")] = None,
    checkpoint: Annotated[str, typer.Option(help="A CTC checkpoint of transformers, by name or folder.")] = "",
    symbols: Annotated[Path | None, typer.Option(exists=True, help="The symbols of foreign posteriors.")] = None,
    seconds_per_step: Annotated[
        float | None, typer.Option(min=0, help="Time between the steps of foreign posteriors; default: 0.02.")
    ] = None,
    words: Annotated[
        Path | None, typer.Option(exists=True, help="The words of the lexicon; default: the models'.")
    ] = None,
    spoken_as: SpokenAs = None,
    unspellable: Annotated[
        Unspellable, typer.Option(help="What to do with words that cannot be spelt.")
    ] = Unspellable.LEAVE_OUT,
    oov: Annotated[OovModel, typer.Option(help="What words outside a language model get.")] = OovModel.UNKNOWN,
    lm_weight: Annotated[float, typer.Option(min=0, help="Weight of the language model.")] = 0.8,
    word_bonus: Annotated[float, typer.Option(help="Bonus of each word.")] = 0.5,
    beam_size: Annotated[int, typer.Option(min=1, help="Hypotheses kept at each step.")] = 100,
    n_best: Annotated[int, typer.Option(min=1, help="Hypotheses written for each utterance.")] = 1,
    tune: Annotated[
        Path | None, typer.Option(exists=True, help="Transcripts of SOURCE to tune the weights on.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: all cores.")] = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Decode SOURCE: posteriors (npz, folder of npy), or audio in a Kaldi folder or JSON-lines manifest.

    Audio needs --acoustic-model or --checkpoint. Writes JSON lines with times and scores, .trn or Kaldi text. Without
    --lm the likeliest symbol of each step is taken, and the text alone is written.
    """
    refuse_overwriting(output, source, *(lm or ()), acoustic_model, symbols, words, spoken_as, tune)
    if not lm:
        if tune is not None or words is not None or n_best > 1:
            raise ConfigError(wanted="--lm beside --tune, --words or --n-best", found="none")
        step = seconds_per_step
        _decode_greedily(source, output, acoustic_model, checkpoint, symbols, step, quiet=quiet, as_json=as_json)
        return
    from seedcorn.evaluation.wer import paired_by_id
    from seedcorn.speech.decoding import decode as decode_posteriors
    from seedcorn.speech.hypothesis_files import write_hypotheses
    from seedcorn.speech.posteriors import SECONDS_PER_FOREIGN_STEP
    from seedcorn.speech.sources import read_source
    from seedcorn.speech.transcripts import read_transcripts
    from seedcorn.speech.tuning import tune_weights

    n_threads = threads or os.cpu_count() or 1
    settings = DecoderSettings(lm_weight=lm_weight, word_bonus=word_bonus, beam_size=beam_size, n_best=n_best)
    with progress(quiet):
        mixture = _mixture(lm, mixture_weight)  # what can be wrong with it is told before hours of listening
        heard = read_source(
            source,
            acoustic_model=acoustic_model,
            checkpoint=checkpoint,
            symbols=symbols,
            seconds_per_step=seconds_per_step or SECONDS_PER_FOREIGN_STEP,
        )
        lexicon, models = _language(heard.alphabet, mixture, words, spoken_as, unspellable, oov)
        if tune is not None:
            references = read_transcripts(tune)
            paired_by_id(references, dict.fromkeys(heard.ids, ""))
            settings = tune_weights(
                heard.logps,
                [references[i] for i in heard.ids],
                lexicon=lexicon,
                models=models,
                settings=settings,
                n_threads=n_threads,
            ).settings
        found = decode_posteriors(heard.logps, lexicon=lexicon, models=models, settings=settings, n_threads=n_threads)
        write_hypotheses(output, heard.ids, found, alphabet=heard.alphabet, seconds_per_step=heard.seconds_per_step)
    show(
        {
            "n_utterances": len(found),
            "n_lexicon_words": len(lexicon.words),
            "lm_weight": settings.lm_weight,
            "word_bonus": settings.word_bonus,
            "output": str(output),
        },
        as_json=as_json,
    )


def _decode_greedily(
    source: Path,
    output: Path,
    acoustic_model: Path | None,
    checkpoint: str,
    symbols: Path | None,
    seconds_per_step: float | None,
    *,
    quiet: bool,
    as_json: bool,
) -> None:
    from seedcorn.speech.acoustic import greedy_text
    from seedcorn.speech.hypothesis_files import write_texts
    from seedcorn.speech.posteriors import SECONDS_PER_FOREIGN_STEP
    from seedcorn.speech.sources import read_source

    with progress(quiet):
        heard = read_source(
            source,
            acoustic_model=acoustic_model,
            checkpoint=checkpoint,
            symbols=symbols,
            seconds_per_step=seconds_per_step or SECONDS_PER_FOREIGN_STEP,
        )
        write_texts(output, heard.ids, [greedy_text(logps, heard.alphabet) for logps in heard.logps])
    show({"n_utterances": len(heard.ids), "decoding": "greedy", "output": str(output)}, as_json=as_json)


@speech.command()
def wer(
    references: InputFile,
    hypotheses: InputFile,
    baseline: Annotated[Path | None, typer.Option(exists=True, help="Other hypotheses to compare with.")] = None,
    normaliser: Annotated[
        WordSplitting, typer.Option(help="words: normalised by Seedcorn; white-space: as written.")
    ] = (WordSplitting.WORDS),
    corpus: Annotated[
        Path | None, typer.Option(exists=True, help="The same utterances with intents and slots.")
    ] = None,
    transcripts: Annotated[
        Path | None, typer.Option(exists=True, help="The transcripts that say which intents are rare.")
    ] = None,
    transcript_format: Annotated[
        TranscriptForm | None, typer.Option(help="Format of the files; told from them if absent. lines: no ids.")
    ] = None,
    missing_as_empty: Annotated[
        bool, typer.Option("--missing-as-empty", help="Utterances without a hypothesis were recognised as nothing.")
    ] = False,
    lang: Annotated[str, typer.Option("--lang", help="Language, where case depends on it (tr, az).")] = "",
    alignments: Annotated[int, typer.Option(min=0, help="Show the alignments of so many wrong utterances.")] = 0,
    random_seed: RandomSeed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure word and character error rates of HYPOTHESES.

    Kaldi text, sclite .trn, JSON lines and manifests (of hypotheses "pred_text") are paired by id, plain lines by line.
    """
    from seedcorn.evaluation.wer import Normaliser, character_errors, word_errors
    from seedcorn.speech.transcript_pairs import paired_transcripts
    from seedcorn.speech.transcripts import TranscriptFormat

    if transcripts is not None and corpus is None:
        raise ConfigError(wanted="--corpus beside --transcripts", found="none", fix="The corpus has the intents.")
    split = Normaliser(normaliser.value)
    form = TranscriptFormat(transcript_format.value) if transcript_format else None
    paired = partial(paired_transcripts, references, format=form, missing_is_empty=missing_as_empty)
    ids, meant, said = paired(hypotheses)
    table = word_errors(meant, said, normaliser=split, lang=lang)
    total = table.total()
    result: dict[str, Json] = {
        "word_error_rate": total.rate,
        "hits": total.hits,
        "substitutions": total.substitutions,
        "insertions": total.insertions,
        "deletions": total.deletions,
        "character_error_rate": character_errors(meant, said, normaliser=split, lang=lang).total().rate,
        "signature": table.signature,
    }
    if baseline is not None:
        before = paired(baseline).said
        result |= _comparison(meant, before, said, split, random_seed)
    if corpus is not None:
        result |= _slices(corpus, transcripts, ids, meant, said)
    show(result, as_json=as_json)
    if alignments and not as_json:
        _show_alignments(ids, meant, said, split, alignments)


@speech.command()
def export(
    words: InputFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    acoustic_model: Annotated[Path | None, typer.Option(exists=True, help="A model whose symbols spell.")] = None,
    symbols: Annotated[Path | None, typer.Option(exists=True, help="The symbols to spell with, one a line.")] = None,
    spoken_as: SpokenAs = None,
    unspellable: Annotated[
        Unspellable, typer.Option(help="What to do with words that cannot be spelt.")
    ] = Unspellable.LEAVE_OUT,
    as_json: AsJson = False,
) -> None:
    """Write lexicon, word list, symbols and FST text for other recognisers; WORDS is a language model or a list."""
    from seedcorn.speech.export import write_lexicon_files

    lexicon = _lexicon(_alphabet(acoustic_model, symbols), _word_list(words), spoken_as, unspellable)
    n_states = write_lexicon_files(lexicon, output)
    show({"n_words": len(lexicon.words), "n_states": n_states, "output": str(output)}, as_json=as_json)


def _mixture(lm: Sequence[Path], weights: Sequence[float] | None) -> "list[tuple[NgramModel, float]]":
    from seedcorn.lm.model_file import read_model
    from seedcorn.speech.fusion import check_mixture

    weights = weights or [1 / len(lm)] * len(lm)
    if len(weights) != len(lm):
        raise ConfigError(wanted="a --mixture-weight for each --lm", found=f"{len(weights)} for {len(lm)}")
    check_mixture(weights)
    return [(read_model(path), weight) for path, weight in zip(lm, weights, strict=True)]


def _language(
    alphabet: "Alphabet",
    mixture: "Sequence[tuple[NgramModel, float]]",
    words: Path | None,
    spoken_as: Path | None,
    unspellable: Unspellable,
    oov: OovModel,
) -> "tuple[Lexicon, list[WeightedModel]]":
    from seedcorn.speech.fusion import WeightedModel, character_oov_logps, unigram_floor

    own = [word for model, _ in mixture for word in model.words[N_SPECIAL_WORDS:]]
    lexicon = _lexicon(alphabet, own if words is None else _word_list(words), spoken_as, unspellable)
    spread = {OovModel.FLOOR: unigram_floor, OovModel.CHARACTERS: character_oov_logps}.get(oov)
    return lexicon, [
        WeightedModel(model=model, weight=weight, oov_logps=spread(lexicon, model) if spread else None)
        for model, weight in mixture
    ]


def _lexicon(alphabet: "Alphabet", words: Sequence[str], spoken_as: Path | None, unspellable: Unspellable) -> "Lexicon":
    from seedcorn.speech.lexicon import build_lexicon, read_spoken_as

    spoken = read_spoken_as(spoken_as) if spoken_as is not None else None
    lexicon = build_lexicon(words, alphabet=alphabet, spoken_as=spoken, on_unspellable=unspellable)
    if lexicon.left_out:
        shown = ", ".join(lexicon.left_out[:N_SHOWN])
        text = f"{len(lexicon.left_out)} words that the alphabet cannot spell are left out of the lexicon ({shown})"
        warnings.warn(text, SeedcornWarning, stacklevel=2)
    return lexicon


def _word_list(path: Path) -> list[str]:
    """Return the words of a language model, or of a text with a word in each line."""
    from seedcorn.lm.model_file import is_model_file, read_model

    if is_model_file(path) or ".arpa" in path.suffixes:
        return read_model(path).words[N_SPECIAL_WORDS:]
    try:
        return path.read_text("utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise DataError(wanted="a list of words in UTF-8", found=str(error), where=path) from error


def _alphabet(acoustic_model: Path | None, symbols: Path | None) -> "Alphabet":
    if (acoustic_model is None) == (symbols is None):
        raise ConfigError(wanted="either --acoustic-model or --symbols", found="both or neither")
    if symbols is not None:
        from seedcorn.speech.posteriors import read_symbols

        return read_symbols(symbols)
    from seedcorn.speech.acoustic import load_acoustic_model

    return load_acoustic_model(Path(str(acoustic_model))).alphabet


def _comparison(
    meant: Sequence[str], before: Sequence[str], after: Sequence[str], normaliser: "Normaliser", random_seed: int
) -> "dict[str, Json]":
    import numpy as np

    from seedcorn.evaluation.bootstrap import paired_bootstrap
    from seedcorn.evaluation.wer import error_rate, word_errors

    baseline = word_errors(meant, before, normaliser=normaliser)
    reduction = paired_bootstrap(
        baseline.statistics(),
        word_errors(meant, after, normaliser=normaliser).statistics(),
        rng=np.random.default_rng(random_seed),
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
    ids: Sequence[str], meant: Sequence[str], said: Sequence[str], normaliser: "Normaliser", n_shown: int
) -> None:
    from seedcorn.evaluation.wer import EditKind, align, shown_alignment

    for utterance_id, reference, hypothesis in zip(ids, meant, said, strict=True):
        edits = align(normaliser.words_of(reference), normaliser.words_of(hypothesis))
        if n_shown and any(edit.kind is not EditKind.HIT for edit in edits):
            typer.echo(f"\n{utterance_id}\n{shown_alignment(edits)}")
            n_shown -= 1

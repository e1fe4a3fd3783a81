"""``seedcorn translate``: train a translator on chosen pairs, translate a corpus with its slots, rescore lists."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli import app
from seedcorn.cli.options import AsJson, InputFile, OutputFile, Quiet, RandomSeed, progress, show
from seedcorn.errors import ConfigError, nearest, require
from seedcorn.runs import Json

if TYPE_CHECKING:
    from seedcorn.corpus.pairs import PairCorpus
    from seedcorn.corpus.utterances import Utterance
    from seedcorn.translation.entities import Candidates, EntitySettings, Reject
    from seedcorn.translation.nbest import NBest
    from seedcorn.translation.rescoring import RescoringWeights
    from seedcorn.translation.training_settings import TrainingSettings

translate = typer.Typer(help="Train a translator, translate, rescore n-best lists.", no_args_is_help=True)
app.add_typer(translate, name="translate")

Lang: TypeAlias = Annotated[str, typer.Option(help="Language code, such as en or hi-IN.")]
Threads: TypeAlias = Annotated[int, typer.Option(min=0, help="Threads; 0: all cores.")]
LmFile: TypeAlias = Annotated[Path | None, typer.Option(exists=True, help="In-domain language model of the target.")]
LmWeight: TypeAlias = Annotated[float, typer.Option(help="What the language model counts; the translation counts 1.")]
LengthWeight: TypeAlias = Annotated[float, typer.Option(help="What each word counts.")]


class Entities(StrEnum):
    """What becomes of slot values; see seedcorn.translation.entities.Treatment."""

    TRANSLATE = "translate"
    CATALOGUE = "catalogue"
    TRANSLITERATE = "transliterate"
    LATIN = "latin"


@translate.command()
def train(
    pairs: InputFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the translator.")],
    source_lang: Lang,
    target_lang: Lang,
    dev: Annotated[Path, typer.Option(exists=True, help="In-domain pairs for early stopping.")],
    target: Annotated[Path | None, typer.Option(exists=True, help="Target lines, if PAIRS are source lines.")] = None,
    dev_target: Annotated[Path | None, typer.Option(exists=True, help="Target lines of --dev, likewise.")] = None,
    dictionary: Annotated[Path | None, typer.Option(exists=True, help="Pairs of words: added to all others.")] = None,
    in_domain: Annotated[Path | None, typer.Option(exists=True, help="Target text; keep the pairs near to it.")] = None,
    fraction: Annotated[float, typer.Option(min=0, max=1, help="Keep this share of the pairs, the nearest.")] = 0.4,
    distance: Annotated[float | None, typer.Option(help="Or keep the pairs within this distance.")] = None,
    minus_general: Annotated[bool, typer.Option(help="Distance minus that to the centre of all pairs.")] = True,
    encoder: Annotated[str, typer.Option(help="A sentence encoder by name; default: the built-in one.")] = "",
    placeholders: Annotated[float, typer.Option(min=0, max=1, help="Share of pairs that teach placeholders.")] = 0.25,
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Words only, as transcripts are.")] = True,
    preset: Annotated[str, typer.Option(help="Size from scratch: tiny, small or base.")] = "small",
    checkpoint: Annotated[str, typer.Option(help="Or fine-tune this pretrained translator.")] = "",
    target_tokens: Annotated[int | None, typer.Option(min=1, help="Budget: target tokens seen in all.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    tokens_per_batch: Annotated[int | None, typer.Option(min=1, help="Tokens of both sides in a batch.")] = None,
    checkpoints: Annotated[Path | None, typer.Option(help="Where to keep them; default: OUTPUT.checkpoints.")] = None,
    threads: Threads = 0,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Clean PAIRS, keep those near to in-domain text, train. Interrupted, the same command goes on where it stopped.

    With a larger --target-tokens the same command trains further. PAIRS are TSV, JSON lines, Parquet or TMX, or two
    files of lines with --target.
    """
    torch = require("torch", extra="neural")
    from seedcorn.corpus.formats.pairs import read_pairs
    from seedcorn.translation.training import train_translator

    if threads:
        torch.set_num_threads(threads)
    settings = replace(
        _settings(preset, checkpoint, target_tokens, learning_rate, tokens_per_batch),
        source_lang=source_lang,
        target_lang=target_lang,
    )

    rejected: dict[str, int] = {}

    def clean(path: Path, target: Path | None = None) -> "PairCorpus":
        found = read_pairs(path, target=target, source_lang=source_lang, target_lang=target_lang)
        return _cleaned(found, path, spoken, source_lang, target_lang, rejected)

    with progress(quiet):
        chosen = cleaned = clean(pairs, target)
        if in_domain is not None:
            chosen = _nearest(cleaned, in_domain, fraction, distance, minus_general, encoder, random_seed)
        n_chosen = chosen.count()
        taught = _taught(chosen, clean(dictionary) if dictionary else None, placeholders, random_seed)
        trained = train_translator(
            taught,
            clean(dev, dev_target).pairs(),
            output,
            settings=settings,
            checkpoints=(checkpoints or output.with_name(f"{output.name}.checkpoints"))
            / _digest(taught, settings, random_seed),
            random_seed=random_seed,
        )
    show(
        {
            "n_clean": cleaned.count(),
            "n_rejected": rejected,
            "n_kept": n_chosen,
            "n_steps": trained.n_steps,
            "n_target_tokens": trained.n_target_tokens,
            "dev_chrf": trained.dev_chrf,
            "output": str(output),
        },
        as_json=as_json,
    )


@translate.command()
def run(
    translator: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder of a translator.")],
    source: InputFile,
    output: OutputFile,
    lang: Annotated[str, typer.Option(help="Language code of the output.")] = "",
    n_best: Annotated[int, typer.Option(min=1, help="Hypotheses a sentence.")] = 10,
    entities: Annotated[Entities, typer.Option(help="What becomes of slot values.")] = Entities.TRANSLATE,
    entities_of: Annotated[
        list[str] | None, typer.Option(help="Another treatment for a slot type: artist=latin; repeatable.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(exists=True, help="Target utterances with slot values.")] = None,
    lexicon: Annotated[Path | None, typer.Option(exists=True, help="Spellings for transliteration, TSV.")] = None,
    reject_lost: Annotated[bool, typer.Option(help="Reject, rather than copy, lost placeholders.")] = False,
    spoken: Annotated[bool, typer.Option("--spoken/--written", help="Translate words only, as trained.")] = True,
    lm: LmFile = None,
    lm_weight: LmWeight = 0.5,
    length_weight: LengthWeight = 0.0,
    nbest_output: Annotated[Path | None, typer.Option(help="Write the n-best lists too (Moses).")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write what has no translation, with reasons (JSONL).")] = None,
    threads: Threads = 0,
    random_seed: RandomSeed = 0,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Translate the utterances of SOURCE with intents and slots, the best hypothesis of each, rescored by --lm."""
    require("ctranslate2", extra="neural")
    import numpy as np

    from seedcorn.corpus.formats import read_corpus, write_corpus
    from seedcorn.corpus.utterances import Corpus
    from seedcorn.translation.entities import catalogue_of, translate_utterances
    from seedcorn.translation.nbest import write_moses
    from seedcorn.translation.rescoring import RescoringWeights
    from seedcorn.translation.translator import load_translator
    from seedcorn.translation.transliteration import read_lexicon

    with progress(quiet):
        candidates, rejected = translate_utterances(
            read_corpus(source).utterances(),
            load_translator(translator, n_threads=threads),
            settings=_entity_settings(entities, entities_of or (), reject_lost, spoken),
            rng=np.random.default_rng(random_seed),
            catalogue=catalogue_of(read_corpus(catalogue).utterances()) if catalogue else None,
            lexicon=read_lexicon(lexicon) if lexicon else None,
            n_best=n_best,
        )
        if lm is not None:
            candidates = _with_lm(candidates, lm)
        weights = RescoringWeights(lm=lm_weight if lm else 0.0, length=length_weight)
        n_written = write_corpus(
            Corpus.from_utterances(candidate.chosen(weights, lang=lang) for candidate in candidates), output
        )
        if nbest_output is not None:
            write_moses((candidate.nbest for candidate in candidates), nbest_output)
        if rejects is not None:
            _write_rejects(rejected, rejects)
    show({"n_translated": n_written, "n_rejected": len(rejected), "output": str(output)}, as_json=as_json)


@translate.command()
def rescore(
    nbest: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A Moses n-best file.")],
    source: Annotated[Path, typer.Argument(exists=True, help="Its source sentences.")],
    output: OutputFile,
    lm: LmFile = None,
    references: Annotated[Path | None, typer.Option(exists=True, help="Tune the weights on these (dev).")] = None,
    lm_weight: LmWeight = 0.5,
    length_weight: LengthWeight = 0.0,
    keep_above: Annotated[
        float | None, typer.Option(help="Reject what is less likely per word (natural log) to the language model.")
    ] = None,
    curve: Annotated[bool, typer.Option(help="Show what each cut-off keeps.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write what is rejected (JSONL).")] = None,
    nbest_output: Annotated[Path | None, typer.Option(help="Write the rescored lists too (Moses).")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Choose the best hypothesis of each list by translation and language model; tune the weights; keep or reject."""
    from seedcorn.corpus.formats import write_corpus
    from seedcorn.corpus.utterances import Corpus, Utterance
    from seedcorn.lm.model_file import read_model
    from seedcorn.translation.keep_or_reject import in_domain_scores, keep_curve, keep_likely
    from seedcorn.translation.nbest import read_moses, write_moses
    from seedcorn.translation.rescoring import RescoringWeights, rescored, with_lm

    if lm is None and (keep_above is not None or curve):
        raise ConfigError(wanted="a language model (--lm) to keep or reject by", found="none")
    with progress(quiet):
        model = read_model(lm) if lm else None
        lists = list(read_moses(nbest, _texts(source)))
        lists = list(with_lm(lists, model)) if model else lists
        weights = RescoringWeights(lm=lm_weight if lm else 0.0, length=length_weight)
        if references is not None:
            weights = _tuned(lists, _texts(references))
        ranked = list(rescored(lists, weights))
        best = [Utterance(id=str(i), text=found.best.text, origin="translation") for i, found in enumerate(ranked)]
        kept, dropped = best, list[tuple[Utterance, str]]()
        points = []
        if model is not None and (keep_above is not None or curve):
            scores = in_domain_scores([u.text for u in best], model)
            points = keep_curve(scores) if curve else []
            if keep_above is not None:
                selection = keep_likely(scores, logp_per_word=keep_above)
                kept = [u for i, u in enumerate(best) if selection.reason(i) is None]
                dropped = [(u, reason) for i, u in enumerate(best) if (reason := selection.reason(i))]
        n_kept = write_corpus(Corpus.from_utterances(kept), output)
        if nbest_output is not None:
            write_moses(ranked, nbest_output)
        if rejects is not None:
            _write_reasons(dropped, rejects)
    result: dict[str, Json] = {
        "n_lists": len(ranked),
        "n_kept": n_kept,
        "n_rejected": len(dropped),
        "lm_weight": weights.lm,
        "length_weight": weights.length,
        "output": str(output),
    }
    if points and as_json:
        result["curve"] = [
            {"kept_fraction": p.kept_fraction, "n_kept": p.n_kept, "logp_per_word": p.logp_per_word} for p in points
        ]
    show(result, as_json=as_json)
    for p in [] if as_json else points:
        typer.echo(f"--keep-above {p.logp_per_word:.3f} keeps {p.n_kept:,} lists ({p.kept_fraction:.0%})")


def _settings(
    preset: str,
    checkpoint: str,
    target_tokens: int | None,
    learning_rate: float | None,
    tokens_per_batch: int | None,
) -> "TrainingSettings":
    from seedcorn.translation.presets import FINE_TUNING, PRESETS

    if preset not in PRESETS:
        raise ConfigError(wanted="a known preset", found=f"'{preset}'", fix=nearest(preset, list(PRESETS)))
    settings = replace(FINE_TUNING, checkpoint=checkpoint) if checkpoint else PRESETS[preset]
    return replace(
        settings,
        n_target_tokens=target_tokens or settings.n_target_tokens,
        learning_rate=learning_rate or settings.learning_rate,
        tokens_per_batch=tokens_per_batch or settings.tokens_per_batch,
    )


def _cleaned(
    pairs: "PairCorpus", path: Path, spoken: bool, source_lang: str, target_lang: str, rejected: dict[str, int]
) -> "PairCorpus":
    """Return the pairs fit for training and add to ``rejected`` how many were not, by reason."""
    from collections import Counter

    from seedcorn.corpus.pair_cleaning import clean_pairs, spoken_form, take_pairs

    selection = clean_pairs(pairs, source_lang=source_lang, target_lang=target_lang, where=path)
    counts = Counter(selection.reason(row) for row in range(selection.n_rows))
    for reason, count in counts.items():
        if reason is not None:
            rejected[reason] = rejected.get(reason, 0) + count
    kept = take_pairs(pairs, selection.positions)
    return spoken_form(kept) if spoken else kept


def _nearest(
    pairs: "PairCorpus",
    in_domain: Path,
    fraction: float,
    distance: float | None,
    minus_general: bool,
    encoder: str,
    random_seed: int,
) -> "PairCorpus":
    from seedcorn.corpus.pair_cleaning import take_pairs
    from seedcorn.relevance.cutoff import keep_above, keep_fraction
    from seedcorn.relevance.embedding import named_encoder
    from seedcorn.translation.teaching_pairs import teaching_scores

    scores = teaching_scores(
        pairs,
        _texts(in_domain),
        minus_general=minus_general,
        encoder=named_encoder(encoder) if encoder else None,
        random_seed=random_seed,
    )
    kept = keep_fraction(scores, fraction=fraction) if distance is None else keep_above(scores, threshold=distance)
    return take_pairs(pairs, kept.positions)


def _taught(
    pairs: "PairCorpus", dictionary: "PairCorpus | None", placeholder_fraction: float, random_seed: int
) -> "PairCorpus":
    import numpy as np

    from seedcorn.translation.placeholders import teach_placeholders

    return teach_placeholders(
        pairs, dictionary, pair_fraction=placeholder_fraction, rng=np.random.default_rng(random_seed)
    )


def _digest(pairs: "PairCorpus", settings: "TrainingSettings", random_seed: int) -> str:
    """Return what names the checkpoints: those of other pairs or settings are never gone on from."""
    import hashlib
    from dataclasses import asdict

    from seedcorn.runs import digest_of_json

    content = hashlib.sha256()
    for batch in pairs.batches():
        for name in ("source", "target"):
            content.update("\n".join(batch.column(name).to_pylist()).encode())
    # A larger budget goes on from the same checkpoints.
    decisive = {**asdict(settings), "n_target_tokens": 0, "pairs": content.hexdigest(), "random_seed": random_seed}
    return digest_of_json(decisive)[:16]


def _entity_settings(default: Entities, by_type: Sequence[str], reject_lost: bool, spoken: bool) -> "EntitySettings":
    from seedcorn.translation.entities import EntitySettings, Lost, Treatment

    treatments: dict[str, Treatment] = {}
    for item in by_type:
        slot_type, _, treatment = item.partition("=")
        if not slot_type or treatment not in list(Treatment):
            raise ConfigError(
                wanted="--entities-of type=treatment", found=f"'{item}'", fix=nearest(treatment, list(Treatment))
            )
        treatments[slot_type] = Treatment(treatment)
    lost = Lost.REJECT if reject_lost else Lost.COPY
    return EntitySettings(default=Treatment(default), by_type=treatments, lost=lost, spoken=spoken)


def _with_lm(candidates: "list[Candidates]", lm: Path) -> "list[Candidates]":
    from seedcorn.lm.model_file import read_model
    from seedcorn.translation.rescoring import with_lm

    scored = with_lm((candidate.nbest for candidate in candidates), read_model(lm))
    return [replace(candidate, nbest=nbest) for candidate, nbest in zip(candidates, scored, strict=True)]


def _tuned(lists: "Sequence[NBest]", references: Sequence[str]) -> "RescoringWeights":
    from seedcorn.errors import DataError
    from seedcorn.translation.rescoring import chrf_loss, tune_weights

    if len(lists) != len(references):
        raise DataError(wanted=f"{len(lists)} references, one a list", found=str(len(references)))
    return tune_weights(lists, chrf_loss(references))


def _texts(path: Path) -> list[str]:
    from seedcorn.corpus.formats import read_corpus

    return [text for texts in read_corpus(path).texts() for text in texts.to_pylist()]


def _write_rejects(rejected: "Sequence[Reject]", path: Path) -> None:
    _write_reasons([(reject.utterance, reject.reason) for reject in rejected], path)


def _write_reasons(rejected: "Sequence[tuple[Utterance, str]]", path: Path) -> None:
    import json

    from seedcorn.corpus.utterances import row_of
    from seedcorn.files import write_text_whole

    lines = [json.dumps({**row_of(utterance), "reason": reason}, ensure_ascii=False) for utterance, reason in rejected]
    write_text_whole(path, "".join(f"{line}\n" for line in lines))

"""Fine-tune a pretrained causal language model on the selected pairs of a language study; translate its source text.

Run: python benchmarks/pretrained_translations.py configs/study-language-fr.yaml CHECKPOINT --work FOLDER -o nbest.jsonl

Both directions are fine-tuned on the pairs that the first cell of the study selects, with the vocabulary trimmed to
them; a round of back-translation of that cell's transcripts follows, and the n-best lists are written as the study
reads them (`translators: given`). It is for a GPU. Resumable but for the lists.
"""

import argparse
import json
from pathlib import Path

from seedcorn.config import load_config
from seedcorn.corpus.text import normalise
from seedcorn.files import writing_whole
from seedcorn.language.back_translation import BackTranslate, TrainReverse
from seedcorn.language.translators import TrainTranslator
from seedcorn.pretrained import Checkpoint
from seedcorn.progress import showing_progress
from seedcorn.runs import Run
from seedcorn.studies.language import LanguageStudyConfig, cells_of
from seedcorn.translation.nbest import TRANSLATION_LOGP
from seedcorn.translation.settings import TrainingSettings
from seedcorn.translation.translator import load_translator

FINE_TUNING_OF_BOTH = TrainingSettings(
    trim_vocabulary=True,
    n_target_tokens=2_000_000,
    tokens_per_batch=6_000,
    learning_rate=1e-4,
    n_warmup_steps=50,
    max_length=48,
    n_evaluations=2,
)
BACK_TRANSLATION = BackTranslate(
    n_rounds=1,
    n_texts_max=4_000,
    training=TrainingSettings(
        n_target_tokens=400_000,
        tokens_per_batch=4_000,
        learning_rate=3e-5,
        n_warmup_steps=10,
        max_length=48,
        n_evaluations=1,
    ),
)


def translations(config: LanguageStudyConfig, checkpoint: Path, work: Path, *, n_best: int, output: Path) -> None:
    """Write the n-best lists of the source text of ``config`` by the fine-tuned ``checkpoint``."""
    first = cells_of(config)[0]
    cell = config.of_cell(first, n_threads=1)
    run = Run(folder=work, random_seed=first.random_seed)
    data, pairs = run.do(cell.data), run.do(cell.pair_cleaning)
    transcripts = run.do(cell.transcripts, data)
    nearest = run.do(cell.pair_selection, data, transcripts, pairs)
    settings = {**FINE_TUNING_OF_BOTH.model_dump(), "checkpoint": Checkpoint.at(checkpoint), "placeholder_fraction": 0}
    forward = run.do(TrainTranslator(**settings), data, pairs, nearest, name="translator-forward")
    reverse = run.do(TrainReverse(**settings), data, pairs, nearest)
    improved = run.do(BACK_TRANSLATION, data, transcripts, nearest, forward, reverse)
    texts = [normalise(u.text) for u in data.value.source]
    lists = load_translator(improved.value.folder).nbest(texts, n_best=n_best)
    with writing_whole(output) as partial, partial.open("w", encoding="utf-8") as lines:
        for utterance, nbest in zip(data.value.source, lists, strict=True):
            found = [{"text": h.text, "score": h.features[TRANSLATION_LOGP]} for h in nbest.hypotheses if h.text]
            if found:  # the study refuses empty translations
                lines.write(json.dumps({"id": utterance.id, "hypotheses": found}, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--n-best", type=int, default=6)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with showing_progress():
        translations(
            load_config(options.config, LanguageStudyConfig),
            options.checkpoint,
            options.work,
            n_best=options.n_best,
            output=options.output,
        )


if __name__ == "__main__":
    main()

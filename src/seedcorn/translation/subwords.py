"""Subwords of a translator from scratch: one byte-pair vocabulary for both languages, with slot placeholders."""

import re
from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from seedcorn.errors import DataError

END, UNKNOWN, PADDING = "</s>", "<unk>", "<pad>"
N_PLACEHOLDERS = 8
SYNTHETIC_TAG = "<synthetic>"
PLACEHOLDER = re.compile(r"\s*(<slot[1-8]>)\s*")


def placeholder(number: int) -> str:
    """Return the placeholder of the slot ``number``, counted from 1; it stands for its value in a translation."""
    if not 1 <= number <= N_PLACEHOLDERS:
        raise DataError(wanted=f"at most {N_PLACEHOLDERS} slots in an utterance", found=f"slot {number}")
    return f"<slot{number}>"


def train_subwords(texts: Iterable[str], *, n_subwords: int) -> PreTrainedTokenizerFast:
    """Return a lower-casing byte-pair tokenizer (Sennrich et al. 2016) of at most ``n_subwords``, trained on ``texts``.

    The placeholders and the tag of synthetic sources are single tokens, and padding has the last id, as Marian
    checkpoints have it. Raises DataError when the texts are empty.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=n_subwords - N_PLACEHOLDERS - 2,
        special_tokens=[END, UNKNOWN],
        show_progress=False,
        min_frequency=2,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() <= 2:
        raise DataError(wanted="text to learn subwords from", found="none")
    own = [*(placeholder(n + 1) for n in range(N_PLACEHOLDERS)), SYNTHETIC_TAG]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in own])
    tokenizer.add_special_tokens([PADDING])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        unk_token=UNKNOWN,
        pad_token=PADDING,
        clean_up_tokenization_spaces=False,
    )


def texts_of(tokenizer: PreTrainedTokenizerBase, sequences: Sequence[Sequence[str]]) -> list[str]:
    """Return the text of each sequence of subwords, each placeholder as a word of its own."""
    ids_of = tokenizer.get_vocab()
    ids = [[ids_of[token] for token in tokens if token in ids_of] for tokens in sequences]
    if tokenizer.is_fast:  # decodes a batch in compiled code
        texts = tokenizer.backend_tokenizer.decode_batch(ids, skip_special_tokens=True)
    else:
        texts = [tokenizer.decode(one, skip_special_tokens=True, clean_up_tokenization_spaces=False) for one in ids]
    return [PLACEHOLDER.sub(r" \1 ", text).strip() for text in texts]

"""What is known of a domain: its models, their mixture, its words."""

from pathlib import Path

from seedcorn.lm.domain_model import (
    DevLoss,
    DomainModel,
    estimate_domain_model,
    estimate_texts,
    interpolate,
    own_words,
    prune,
    words_of,
)
from seedcorn.lm.perplexity import measure_perplexity

TRANSCRIPTS = ["set an alarm for six", "set an alarm for seven", "play a song", "play some music", "stop the music"]
GENERAL = ["the train leaves at noon", "wake up at eight", "sing the song"]
DEV = ["set an alarm for eight", "play the song"]


def in_domain() -> DomainModel:
    return estimate_domain_model(TRANSCRIPTS, GENERAL, DEV, other_texts=[["call adele"]], order=2)


def test_general_text_adds_the_words_that_transcripts_lack() -> None:
    alone = estimate_domain_model(TRANSCRIPTS, [], DEV, order=2)
    assert len(alone.mixture.models) == 1
    assert in_domain().mixture.sentence_logps(["wake up"]) > alone.mixture.sentence_logps(["wake up"])


def test_the_better_of_two_texts_gets_more_weight_on_dev() -> None:
    near, far = (estimate_texts(texts, order=2) for texts in (TRANSCRIPTS, ["the cat sat", "a dog ran", "rain fell"]))
    model, weights = interpolate([near, far], DEV)
    assert weights[0] > weights[1]
    assert set(own_words(model)) == set(own_words(near)) | set(own_words(far))
    assert measure_perplexity(model, [DEV]).n_oov < measure_perplexity(near, [DEV]).n_oov + 1


def test_a_single_text_is_not_interpolate() -> None:
    model = estimate_texts(TRANSCRIPTS, order=2)
    assert interpolate([model], DEV) == (model, (1.0,))


def test_models_are_pruned_to_the_size_asked_for() -> None:
    model = estimate_texts(TRANSCRIPTS, order=3)
    smaller = prune(model, model.n_ngrams[0] + 3)
    assert sum(smaller.n_ngrams) == model.n_ngrams[0] + 3
    assert prune(model, None) is model


def test_a_vocabulary_is_sorted_and_has_each_word_once() -> None:
    assert words_of([["b a"], ["a c"]]) == ["a", "b", "c"]


def test_what_is_known_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    known = in_domain()
    known.save(tmp_path)
    again = DomainModel.load(tmp_path)
    assert (again.transcripts, again.general, again.dev, again.order) == (TRANSCRIPTS, GENERAL, DEV, 2)
    assert again.words == known.words
    assert "adele" in again.words
    assert again.mixture.weights == known.mixture.weights
    assert again.mixture.sentence_logps(DEV).tolist() == known.mixture.sentence_logps(DEV).tolist()


def test_text_like_dev_lowers_the_loss() -> None:
    texts = ["set an alarm for eight", "qq ww ee"]
    loss = DevLoss.of_domain(texts, in_domain())
    assert loss.of(texts[:1]) < loss.of(texts[1:])

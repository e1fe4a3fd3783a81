"""Utterances of three intents that a tiny encoder tells apart, and texts to ask of: known, empty, and a long one."""

from seedcorn.corpus.utterances import Utterance

ROWS = [
    Utterance(text=text, intent=intent)
    for intent, texts in (
        ("music", ("play jazz", "play some folk", "put on pop", "play rock")),
        ("alarm", ("wake me at dawn", "wake me soon", "alarm at six", "wake me at noon")),
        ("greet", ("hello there", "hello you", "hello", "well hello")),
    )
    for text in texts
]
TEXTS = ["play jazz", "wake me at noon", "", " ", "word " * 200]

"""A pronouncing dictionary for PocketSphinx: its own, and letter-to-sound of espeak-ng for words that it lacks."""

import ctypes
from collections.abc import Iterable
from pathlib import Path

from seedcorn.errors import require

# The phones of espeak-ng's American English (IPA, stress left out) in the ARPAbet of CMUdict.
ARPABET = {
    "n": "N", "ɪ": "IH", "s": "S", "l": "L", "k": "K", "t": "T", "ɹ": "R", "ə": "AH", "d": "D", "m": "M", "z": "Z",
    "æ": "AE", "ɛ": "EH", "ɚ": "ER", "p": "P", "b": "B", "oʊ": "OW", "ɑː": "AA", "i": "IY", "eɪ": "EY", "f": "F",
    "ɡ": "G", "iː": "IY", "aɪ": "AY", "v": "V", "ᵻ": "IH", "ŋ": "NG", "uː": "UW", "ʌ": "AH", "h": "HH", "ʃ": "SH",
    "ɾ": "T", "w": "W", "dʒ": "JH", "ɜː": "ER", "ɑːɹ": "AA R", "əl": "AH L", "ɔː": "AO", "ɐ": "AH", "j": "Y",
    "ɔːɹ": "AO R", "tʃ": "CH", "aʊ": "AW", "iə": "IY AH", "θ": "TH", "ʊ": "UH", "ɔ": "AO", "ɛɹ": "EH R", "ɔɪ": "OY",
    "ð": "DH", "ɪɹ": "IH R", "ʊɹ": "UH R", "aɪɚ": "AY ER", "aɪə": "AY AH", "ʒ": "ZH", "x": "K", "ʔ": "T", "n̩": "AH N",
    "r": "R", "oːɹ": "AO R", "oː": "AO", "a": "AE", "e": "EY", "o": "OW", "u": "UW", "ɒ": "AA", "ɑ": "AA", "ɬ": "L",
}  # fmt: skip
_IPA_BETWEEN_BARS = (ord("|") << 8) | 2


def write_dictionary(words: Iterable[str], path: Path, *, known: Path) -> int:
    """Write the pronunciations of ``words`` and return how many were made from their letters."""
    wanted = {word for word in words if not word.startswith("<")}
    lines, found = list[str](), set[str]()
    for line in known.read_text("utf-8").splitlines():
        word = line.split(" ", 1)[0].split("(")[0]
        if word in wanted:
            lines.append(line)
            found.add(word)
    made = letters_to_sounds(sorted(wanted - found))
    lines += [f"{word} {phones}" for word, phones in made.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return len(made)


def letters_to_sounds(words: list[str]) -> dict[str, str]:
    """Return the phones of each word; words that nobody can say (signs, other scripts) have none and are left out."""
    loader = require("espeakng_loader", extra="speech")
    library = ctypes.CDLL(loader.get_library_path())
    library.espeak_Initialize(2, 0, loader.get_data_path().encode(), 0)
    library.espeak_SetVoiceByName(b"en-us")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    said: dict[str, str] = {}
    for word in words:
        text = ctypes.c_char_p(word.encode())
        ipa = library.espeak_TextToPhonemes(ctypes.byref(text), 1, _IPA_BETWEEN_BARS).decode()
        phones = [ARPABET.get(phone.strip("ˈˌ")) for phone in ipa.replace(" ", "|").split("|") if phone.strip("ˈˌ")]
        if phones and None not in phones:
            said[word] = " ".join(phone for phone in phones if phone is not None)
    return said

"""The commonest little words of some languages: enough to tell which side of a pair is which, where scripts do not."""

from collections.abc import Mapping

FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    lang: frozenset(words.split())
    for lang, words in {
        "en": "the of and to is in that it you for was with are this have not on what do my i he be your we can",
        "fr": "le la les des et est un une que je pas pour dans qui ce il vous ne sur avec mon du au c'est j'ai",
        "de": "der die das und ist nicht ich zu ein eine den mit sie es auf für wie was mein von dem im du haben wir",
        "es": "el los las y que es un una por con para no mi se lo su del al está como qué en yo tu muy",
        "it": "il lo gli e che è un una per con non mi si del della di sono come cosa questo in io ho le",
        "pt": "o os as e que é um uma por com para não meu se do da em ao está como você eu mais isso",
        "nl": "de het een en is niet ik te van dat op met voor zijn wat mijn je hij deze ook er aan naar",
        "sv": "och att det som en är jag på inte för med av den har till om ett min vi du kan vad",
        "da": "og at det som en er jeg på ikke for med af den har til om et min vi du kan hvad",
        "nb": "og at det som en er jeg på ikke for med av den har til om et min vi du kan hva",
        "fi": "ja on ei se että hän oli mutta minä kun niin mitä tämä olen sinä joka nyt myös kuin",
        "pl": "i w nie na się z że do jest to jak co o mnie mój dla od ale jestem być tak",
        "cs": "a v se na je že to s z do o jak ale co mi jsem by pro jsou byl tak",
        "tr": "ve bir bu ne için da de mi ben çok var değil o ile gibi daha ama benim bana sen",
        "ru": "и в не на я что он с как это по но мне мой у от за из для ты бы",
        "uk": "і в не на я що він з як це по але мені мій у від за із для ти та є",
        "bg": "и в не на аз че той с как това по но ми мой у от за да се е са",
        "ar": "من في على إلى ما هذا أن لا هو هي عن مع كان هل أنا لي التي الذي",
        "fa": "از در به که این را با است برای آن من چه می یک ما تو و نه",
        "ur": "کے کی میں ہے اور سے کو یہ پر کا نہیں کیا نے ہیں کہ ایک مجھے وہ",
        "hi": "के की में है और से को यह पर का नहीं क्या ने हैं कि एक मुझे वह मेरे भी",
        "mr": "आहे आणि हे मी तो ते नाही काय या का होते आहेत माझ्या आपण तर असे",
        "ne": "छ र को मा यो म हो गर्न छन् के पनि लाई मेरो छैन भने हुन्छ थियो",
    }.items()
}


def words_that_tell(lang: str, other: str) -> frozenset[str]:
    """Return the function words of ``lang`` that ``other`` does not share; none where one of them is not known."""
    if lang not in FUNCTION_WORDS or other not in FUNCTION_WORDS:
        return frozenset()
    return FUNCTION_WORDS[lang] - FUNCTION_WORDS[other]

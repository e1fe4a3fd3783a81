"""The annotation page in a real browser, driven by real key events; Label Studio tasks by their content."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.deployment.tasks import Task, TaskBatch, annotation_page, label_studio_tasks, write_tasks
from seedcorn.errors import ConfigError

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

ARABIC = "أيقظني في الخامسة صباحا"
JAPANESE = "東京の天気を教えて"


def task(id: str, text: str, *slots: Slot, intent: str = "alarm_set") -> Task:
    return Task(
        utterance=Utterance(id=id, text=text, intent=intent, slots=slots),
        intents=("alarm_set", "play_music", "weather_query"),
        probability=0.4,
        why="alarm_set 0.40",
    )


BATCH = TaskBatch(
    name="round-1",
    tasks=(
        task("a", "🎵 wake me at five am", Slot(13, 17, "time")),
        task("b", ARABIC),
        task("c", JAPANESE, intent="weather_query"),
        task("d", "</script><b>what</b> is & this"),
    ),
    intents=("alarm_set", "play_music", "weather_query", "datetime_query"),
    slot_types=("time", "place"),
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator["WebDriver"]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no headless browser: install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.add_experimental_option("prefs", {"download.default_directory": str(tmp_path)})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    write_tasks(BATCH, tmp_path / "page.html")
    opened.get((tmp_path / "page.html").as_uri())
    yield opened
    opened.quit()


def press(browser: "WebDriver", *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def press_shifted(browser: "WebDriver", key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(browser).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()


def shown(browser: "WebDriver", id: str) -> str:
    return str(browser.execute_script("return document.getElementById(arguments[0]).textContent", id))


def saved(browser: "WebDriver", folder: Path) -> list[dict[str, object]]:
    press(browser, "d")
    path = folder / "round-1-answers.jsonl"
    for _ in range(100):
        if path.exists():
            break
        time.sleep(0.1)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_batch_is_annotated_with_the_keyboard_alone_and_saved(browser: "WebDriver", tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    press(browser, Keys.RIGHT * 4)  # to "five", past the emoji, which is two units of a JavaScript string
    press_shifted(browser, Keys.RIGHT)
    press(browser, "s", Keys.ENTER)  # the whole of "five am" is the time
    # Right to left: the next word lies to the left.
    press(browser, Keys.LEFT, Keys.LEFT)
    press_shifted(browser, Keys.LEFT)
    press(browser, "s", Keys.ENTER)
    press(browser, "t", "s", Keys.DOWN, Keys.UP, Keys.ENTER)  # the first word of an unspaced text is a place
    press(browser, "r")
    answers = saved(browser, tmp_path)
    assert [a["answer"] for a in answers] == ["labelled", "labelled", "labelled", "none"]
    assert answers[0]["slots"] == [{"start": 13, "end": 20, "type": "time"}]
    start = ARABIC.index("الخامسة")
    assert answers[1]["slots"] == [{"start": start, "end": len(ARABIC), "type": "time"}]
    (place,) = answers[2]["slots"]
    assert (place["start"], place["type"]) == (0, "place")
    assert answers[2]["intent"] == "weather_query"
    assert answers[3]["intent"] == "out_of_scope"
    # What was saved is a corpus like any other.
    rows = read_corpus(tmp_path / "round-1-answers.jsonl").utterances()
    assert rows[0].value(rows[0].slots[0]) == "five am"


def test_undo_unsure_and_an_intent_by_name_and_the_state_survives_the_browser(
    browser: "WebDriver", tmp_path: Path
) -> None:
    from selenium.webdriver.common.keys import Keys

    press(browser, "2", Keys.ENTER)
    assert shown(browser, "place") == "2 of 4, 1 answered"
    press(browser, "z")
    assert shown(browser, "place") == "1 of 4, 0 answered"
    press(browser, "z")  # the choice of the intent is undone, too
    press(browser, "/", "datetime_query", Keys.ENTER, Keys.ENTER, "u")
    browser.refresh()
    assert shown(browser, "place") == "3 of 4, 2 answered"
    press(browser, "p", "p", "x", Keys.ENTER)  # nothing under the cursor: nothing removed
    answers = saved(browser, tmp_path)
    assert [(a["id"], a["answer"], a["intent"]) for a in answers] == [
        ("a", "labelled", "datetime_query"),
        ("b", "unsure", ""),
    ]
    assert answers[0]["slots"] == [{"start": 13, "end": 17, "type": "time"}]


def test_text_of_users_cannot_become_part_of_the_page(browser: "WebDriver") -> None:
    press(browser, "n", "n", "n")
    assert shown(browser, "text") == "</script><b>what</b> is & this"
    assert browser.execute_script("return document.querySelectorAll('#text b').length") == 0


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = annotation_page(BATCH)
    assert "http" not in page
    assert page.count("</script>") == 2


def test_tasks_for_label_studio_hold_our_labels_as_predictions(tmp_path: Path) -> None:
    first = label_studio_tasks(BATCH)[0]
    assert first["data"] == {"id": "a", "text": "🎵 wake me at five am", "why": "alarm_set 0.40"}
    choice, span = first["predictions"][0]["result"]  # type: ignore[index,call-overload]
    assert choice["value"] == {"choices": ["alarm_set"]}
    assert span["value"] == {"start": 13, "end": 17, "text": "five", "labels": ["time"]}
    write_tasks(BATCH, tmp_path / "tasks.json")
    interface = (tmp_path / "tasks.xml").read_text("utf-8")
    assert '<Label value="place"/>' in interface
    assert '<Choice value="out_of_scope"/>' in interface


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.html"):
        write_tasks(BATCH, tmp_path / "tasks.doc")
    assert not list(tmp_path.iterdir())

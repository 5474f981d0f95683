"""docs/surveys.md says what the program does."""

import re
import tomllib
from pathlib import Path

from sentiment.config import Config
from sentiment.surveys.presets import PRESETS
from sentiment.surveys.settings import Question
from tests.sentiment.firm import FIRM

PAGE = (Path(__file__).parents[2] / "docs" / "surveys.md").read_text("utf-8")


def test_the_examples_of_the_configuration_are_accepted():
    """Each stands in a config.toml as it is."""
    examples = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        Config.model_validate(
            {**FIRM, **tomllib.loads(re.sub("^   ", "", example, flags=re.MULTILINE))}
        )


def test_every_preset_and_every_key_of_a_question_is_explained():
    """A row in the tables for each."""
    for name in (*PRESETS, *Question.model_fields):
        assert f"| `{name}` |" in PAGE

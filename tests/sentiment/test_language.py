"""Language: German, with its dialects, and English, told from others and from nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.language import LANGUAGES, detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Beratung war freundlich, aber das Warten nahm kein Ende", "de"),
        ("Nie wieder!", "de"),
        ("Grüezi, i ha no nie so ne schlächte Service gha", "de"),
        ("Mir händ e super Beratig gha, merci vilmal", "de"),
        ("isch guet gsi", "de"),
        ("I hob ma denkt des gibts ned, de san jo narrisch", "de"),
        ("The advice was friendly but the wait was endless", "en"),
        ("Great job guys", "en"),
        ("@lindenhof thank you so much https://example.org/danke-sehr-und-alles-gute", "en"),
        ("#danke #steuerberatung #gerneWieder", "de"),
        ("Merci beaucoup pour votre aide rapide", "fr"),
        ("Il servizio è stato pessimo", "it"),
        ("Muchas gracias por la ayuda tan rápida", "es"),
        ("De service was erg slecht", "nl"),
        ("Bardzo polecam tę kancelarię", "pl"),
        ("Çok memnun kaldım, teşekkürler", "tr"),
        ("Очень плохой сервис, не советую", "ru"),
        ("Muito obrigado pela ajuda, recomendo", "pt"),
        ("", None),
        ("👍👍👍", None),
        ("12.345,00 €", None),
        ("ok", None),
        ("haha", None),
        ("@lindenhof https://example.org/ganz-viel-text-im-link", None),
    ],
)
def test_detect(text, language):
    """Links and handles say nothing about the language; too little text has none."""
    assert detect(text) == language


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_any_text_has_a_known_language_or_none(text):
    """No text breaks the detection."""
    assert detect(text) in {*LANGUAGES, None}


def test_models_load_on_first_use_only():
    """Importing the module does not load lingua."""
    code = "import sys, sentiment.language; sys.exit('lingua' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

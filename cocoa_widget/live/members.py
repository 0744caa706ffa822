"""From a question's ids to representations and scores, as far as representations are known. Runs no encoder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..contrast import LinearScore, NothingToExplain, Reference, Score, centred, directions, score_of
from ..encoders import Encoder, Representations
from ..images import ImageSet, UnreadableImage
from ..insight import Members
from ..texts import AS_TYPED, is_text, prompt_of
from .question import Question
from .references import references, spaced

LIKENESS_IMAGES = 128
"""Number of images at the gallery's start, and as many spread over it, that tell how alike representations are."""
FEWEST_IMAGES = 20


class Known:
    """What is known under a question: images that can be explained, and the members that they are compared with.

    Attributes
    ----------
    images : list of str
        Those of the images asked for that have a representation.
    vectors : Tensor
        (n, d), their representations.
    scores : sequence of Score
        The score of each, k = 1.
    corpus, foil : list of str
        Members of the bins that the target uses, without those that have failed.
    """

    def __init__(
        self,
        images: list[str],
        vectors: Tensor,
        scores: Sequence[Score],
        bins: tuple[list[str], list[str]],
        members: Callable[[], Members],
    ) -> None:
        self.images, self.vectors, self.scores = images, vectors, scores
        self.corpus, self.foil = bins
        self._members = members

    @cached_property
    def members(self) -> Members:
        """Representations of `corpus` and `foil` as the question compares them; gathered when they are asked for."""
        return self._members()

    @property
    def smallest(self) -> int:
        """Size of the smallest bin that is not empty; 0 without any."""
        return min((len(ids) for ids in (self.corpus, self.foil) if ids), default=0)


class MemberIndex:
    """Where the representations of images and prompts are in the encoder's table.

    Parameters
    ----------
    images : ImageSet
    encoder : Encoder
    """

    def __init__(self, images: ImageSet, encoder: Encoder) -> None:
        self._images, self._encoder = images, encoder

    # ---- keys ----------------------------------------------------------------------------------------------------

    def found(self, members: Sequence[str], template: str, table: Representations) -> dict[str, str]:
        """Return the key of each member that is in the table; a file that has vanished is not."""
        keys = zip(members, self._keys(members, template), strict=True)
        return {member: key for member, key in keys if key is not None and key in table}

    def missing(self, members: Sequence[str], template: str, table: Representations) -> list[str]:
        """List the members that are not in the table."""
        found = self.found(members, template, table)
        return [member for member in members if member not in found]

    def keys(self, members: Sequence[str], template: str, table: Representations) -> list[str] | None:
        """Return the keys of members, or None while one of them is not in the table."""
        found = self.found(members, template, table)
        return [found[member] for member in members] if all(member in found for member in members) else None

    def _keys(self, members: Sequence[str], template: str) -> list[str | None]:
        prompts = [prompt_of(member) for member in members if is_text(member)]
        texts = iter(self._encoder.text_keys(prompts, template=template) if prompts else ())
        return [next(texts) if is_text(member) else self._image_key(member) for member in members]

    def _image_key(self, image: str) -> str | None:
        # Looked up under the engine's lock, so nothing is decoded for it: keys of other images become known when the
        # decoder's threads load them.
        try:
            return self._images.known_key(image)
        except UnreadableImage:
            return None

    def references(self, question: Question) -> list[str]:
        """List the images and texts that the question needs for centring; no texts where the encoder takes none."""
        return references(question, self._images.ids, texts=self._encoder.text is not None)

    # ---- representations and scores ------------------------------------------------------------------------------

    def known(
        self, question: Question, images: Sequence[str], absent: Collection[str], table: Representations
    ) -> Known | None:
        """Find the representations of images and members, and make the images' scores.

        Parameters
        ----------
        question : Question
        images : sequence of str
            Images to explain.
        absent : collection of str
            Images and texts that could not be encoded, or are not to be waited for; bins do without them.
        table : Representations
            The encoder's.

        Returns
        -------
        Known or None
            None while no image or not every member is known, or where nothing is left to explain by.
        """
        own = self.found(images, question.template, table)
        corpus, foil = ([member for member in members if member not in absent] for members in question.used)
        keys = [self.keys(members, question.template, table) for members in (corpus, foil)]
        if not own or None in keys:
            return None
        vectors, similarity = table.get([*own.values()]), question.similarity

        def members() -> Members:
            return Members(*(table.get(each) if each else None for each in keys))

        try:
            if question.centred or similarity == "gaussian":
                found = self._centred(members(), (corpus, foil), question, table) if question.centred else members()
                if found is None:
                    return None
                members = partial(Members, *found)
                scores = score_of(question.target, similarity, corpus=found.corpus, foil=found.foil, explicands=vectors)
            else:
                # The bins' means alone: as cheap for a thousand members as for one.
                means = [table.mean(each, unit=similarity == "cosine") if each else None for each in keys]
                w = directions(question.target, similarity, corpus=means[0], foil=means[1], explicands=vectors)
                scores = [LinearScore(row[None], similarity) for row in w]
        except NothingToExplain:
            return None  # bins are empty, or every member has failed: the page says which
        return Known([*own], vectors, scores, (corpus, foil), members)

    def likeness(self, table: Representations) -> float | None:
        """Return the mean cosine of all pairs among known images of the gallery; None while fewer than 20 are known."""
        ids = self._images.ids
        some = dict.fromkeys([*ids[:LIKENESS_IMAGES], *spaced(ids, LIKENESS_IMAGES)])
        keys = dict.fromkeys(self.found([*some], AS_TYPED, table).values())  # a picture may be there twice
        count = len(keys)
        if count < FEWEST_IMAGES:
            return None
        total = F.normalize(table.get([*keys]), dim=1).sum(0)
        return (float(total @ total) - count) / (count * (count - 1))

    def compared(self, keys: Mapping[str, str], question: Question, table: Representations) -> Tensor:
        """Return the representations of members as the question compares them.

        Parameters
        ----------
        keys : mapping of str to str
            The members, and their keys in the table.
        question : Question
            With a linear similarity. If it is centred, `centre` must be known.
        table : Representations
            The encoder's.

        Returns
        -------
        Tensor
            (n, d): unit vectors for the cosine.
        """
        vectors = table.get([*keys.values()])
        if question.centred and keys:
            reference = self._reference(question, table)
            assert reference is not None
            vectors = _without_centre(vectors, [*keys], reference, question.similarity)
        return F.normalize(vectors, dim=1) if question.similarity == "cosine" else vectors

    def centre(self, question: Question, failed: Collection[str], table: Representations) -> tuple[str, ...] | None:
        """Return the keys of the images and texts whose means centre the members; None while one is not known.

        Images that could not be encoded are left out. Questions that are not centred need no images or texts.
        """
        named = [each for each in self.references(question) if is_text(each) or each not in failed]
        if question.centred and all(map(is_text, named)):
            return None
        keys = self.keys(named, question.template, table)
        return None if keys is None else tuple(keys)

    def _centred(
        self, members: Members, bins: tuple[list[str], list[str]], question: Question, table: Representations
    ) -> Members | None:
        """Take the means of their modalities out of members; None while these are not known."""
        reference = self._reference(question, table) if any(bins) else None
        if any(bins) and reference is None:
            return None
        found: list[Tensor | None] = []
        for vectors, ids in zip(members, bins, strict=True):
            if vectors is None or reference is None:
                found.append(None)
                continue
            found.append(_without_centre(vectors, ids, reference, question.similarity))
        return Members(*found)

    def _reference(self, question: Question, table: Representations) -> Reference | None:
        named = self.references(question)
        # One image less, whose file has vanished, moves the mean by little.
        images = self.found([each for each in named if not is_text(each)], question.template, table)
        texts = self.keys([each for each in named if is_text(each)], question.template, table)
        if not images or texts is None:
            return None
        return Reference(table.get([*images.values()]), table.get(texts) if texts else None)


def _without_centre(vectors: Tensor, members: Sequence[str], reference: Reference, similarity: str) -> Tensor:
    """Take the means of their modalities out of the representations (n, d) of members."""
    texts = torch.tensor([is_text(member) for member in members], device=vectors.device)
    return centred(vectors, texts, reference, similarity)

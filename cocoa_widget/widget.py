"""The widget: traits and wiring."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import nn
from traitlets import Bunch

from .attribution import BASELINES, METHODS, Baseline, Method
from .contrast import SIMILARITIES, TARGETS, NothingToExplain, check_similarity, check_target
from .encoders import Encoder, EncoderError, load_encoder
from .host import (
    BaselineTrait,
    BinTrait,
    Bool,
    CentredTrait,
    CheckedString,
    Enum,
    Fraction,
    Int,
    MethodTrait,
    OrderedWidget,
    Page,
    baseline_name,
    default_name,
    protocol,
    stay_in_subshell,
)
from .images import ImageSet, UnknownImage, as_image_set
from .live import ATTRIBUTION, LAYERS, LiveEngine, Question
from .sessions import BINS, BinName, Bins, History, Place
from .sessions import bins as of_bins
from .spelling import did_you_mean
from .texts import AS_TYPED, CLASS_NAMES, PREFIX, TEMPLATES, is_text, named, prompt_of, sentences, text_id, unread

STATIC = Path(__file__).parent / "static"
SETTINGS = ("method", "target", "similarity", "baseline", "layer", "template", "centred")
DISPLAY = ("colormap", "opacity", "scale", "gallery_heatmaps", "height")
PAGE_SETS = frozenset({*BINS, *SETTINGS, *DISPLAY, "_view_count"})
"""The traits that the page may set; never the code that it runs itself (``_esm``, ``_css``)."""


@cache
def _static(name: str) -> str:
    """Read a part of the built page.

    As text and not as a path: anywidget watches paths through an object that keeps every widget alive (its issue 929).
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RuntimeError(
            f"The page ({name}) has not been built. In a checkout, run `npm ci && npm run build` in js/, or install the"
            " package again without COCOA_WIDGET_SKIP_PAGE."
        ) from None


class CocoaWidget(OrderedWidget):
    """A gallery, a corpus bin, a foil bin, and heatmaps on the explicands that follow every change of the bins.

    Parameters
    ----------
    images : ImageSet, or anything that it takes
        The gallery.
    encoder : Encoder, torch.nn.Module or str
        Whose representations are explained; a module is wrapped, a name is loaded.
    corpus, foil, explicands : sequence of str
        Ids of the images that are in these bins at first; in corpus and foil prompts, too, as `add_text` returns them.
    method : str or Method, default "rise"
        One of `METHODS` by name, or one with settings, e.g. ``RISE(n_masks=512)``.
    target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
        What the score compares with.
    similarity : {"cosine", "dot", "gaussian"}
        How.
    baseline : str or callable, default "blur"
        What replaces removed parts of an explicand; see `Explainer`.
    layer : {"attribution", "error", "stability"}
        What the page shows: the heatmap, RISE's standard error, or the spread of heatmaps over resampled bins.
    template : str, default "none"
        What is put around prompts: a name of `TEMPLATES` ("photo" is the paper's sentence, "ensemble" several), or a
        sentence with a place ``{}`` for the prompt.
    centred : bool
        Whether the mean of its modality is taken from every member of the bins; see `cocoa_widget.contrast.modality`.
    name : str, optional
        Under which the page keeps the bins for the time when the kernel is restarted and the cell run again: it then
        offers to restore them. By default from the notebook, the cell, and the order of widgets in it.
    memory_budget : int
        Bytes that prepared operators may hold; 1 GiB by default.
    **display
        `colormap`, `opacity`, `scale`, `gallery_heatmaps` and `height`: how the page looks; traits, all of them.

    Attributes
    ----------
    corpus, foil, explicands : list of str
        Ids. Set them, or edit the lists, and the page follows; drag on the page and they change, and `observe` fires
        once all of them have changed. An image is in at most one of corpus and foil.
    bins : Bins
        All three of one moment. Between reading `corpus` and reading `foil` the page may move an image from one to the
        other; a value of `bins` never shows it in both.

    Examples
    --------
    >>> widget = CocoaWidget(demo_images(), load_encoder("demo"), corpus=["cat/1"], explicands=["mosaic/1"])
    ... # doctest: +SKIP
    >>> widget.foil = ["coffee/1"]  # doctest: +SKIP
    >>> widget.heatmap("mosaic/1").shape  # doctest: +SKIP
    (224, 224)
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    corpus = BinTrait().tag(sync=True)
    foil = BinTrait().tag(sync=True)
    explicands = BinTrait().tag(sync=True)
    method = MethodTrait("rise").tag(sync=True, to_json=lambda method, _: method.name)
    target = CheckedString("contrastive_corpus", check_target).tag(sync=True)
    similarity = CheckedString("cosine", check_similarity).tag(sync=True)
    baseline = BaselineTrait("blur").tag(sync=True, to_json=lambda baseline, _: baseline_name(baseline))
    layer = Enum(list(LAYERS), ATTRIBUTION).tag(sync=True)
    template = CheckedString(AS_TYPED, sentences).tag(sync=True)
    centred = CentredTrait(False).tag(sync=True)

    colormap = Enum(["orange-blue", "red-blue", "purple-green"], "orange-blue").tag(sync=True)
    opacity = Fraction(0.8).tag(sync=True)
    scale = Enum(["shared", "image"], "shared").tag(sync=True)
    gallery_heatmaps = Bool(False).tag(sync=True)
    height = Int(720, min=320, max=4096).tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)

    # Present before the constructor has set them: an instance that it refuses is still closed when it is collected.
    _engine: LiveEngine | None = None
    _page: Page | None = None
    _bins = Bins()

    def __init__(
        self,
        images: Any,
        encoder: Encoder | nn.Module | str,
        *,
        corpus: Sequence[str] = (),
        foil: Sequence[str] = (),
        explicands: Sequence[str] = (),
        method: str | Method = "rise",
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        baseline: str | Baseline = "blur",
        layer: str = ATTRIBUTION,
        template: str = AS_TYPED,
        centred: bool = False,
        name: str | None = None,
        memory_budget: int = 1 << 30,
        **display: Any,
    ) -> None:
        own = self._own_traits()
        for option in display:
            if option not in (*DISPLAY, *own):
                known = [*BINS, *SETTINGS, "name", "memory_budget", *DISPLAY, *own]
                hint = did_you_mean(option, known) or f" It takes {', '.join(known)}."
                raise TypeError(f"CocoaWidget has no argument {option!r}.{hint}")
        self.images: ImageSet = as_image_set(images)
        if texts := [image for image in self.images.ids if is_text(image)]:
            raise ValueError(
                f"The image {texts[0]!r} has the id of a text: give it one that does not begin with {PREFIX!r}."
            )
        self.encoder = _as_encoder(encoder)
        self._configured: dict[str, Method] = {}
        self._configured_baselines: dict[str, Baseline] = {}
        how = {"method": method, "target": target, "similarity": similarity, "baseline": baseline, "layer": layer}
        name = default_name() if name is None else name
        with self.hold_trait_notifications():
            self.corpus, self.foil, self.explicands = list(corpus), list(foil), list(explicands)
        super().__init__(**how, template=template, centred=centred, name=name, **display)
        self._history = History(self._bins)
        self._page = Page(
            self._send_to_page,
            self.images,
            self.encoder,
            self._catalogue,
            self._step,
            self._history_labels,
            self._take_texts,
            self._cut,
        )
        self._engine = LiveEngine(self.images, self.encoder, self._question(), self._page, memory_budget)
        self._page.connect(self._engine)
        self.on_msg(self._receive)
        self._tell_cuts([*self._bins.corpus, *self._bins.foil])

    @traitlets.default("_esm")
    def _read_esm(self) -> str:
        return _static("widget.js")

    @traitlets.default("_css")
    def _read_css(self) -> str:
        return _static("widget.css")

    # ---- for code ------------------------------------------------------------------------------------------------

    def add_text(self, prompts: str | Iterable[str], to: Literal["corpus", "foil"] = "corpus") -> list[str]:
        """Put prompts into corpus or foil; the encoder must be a joint model of images and texts.

        Parameters
        ----------
        prompts : str or iterable of str
            Such as ``"a photo of a dog"``, or ``class_names("cifar100")``. What is in the other bin stays there when
            several are added, so that "everything but the corpus" is a list away; a single one moves.
        to : {"corpus", "foil"}

        Returns
        -------
        list of str
            Ids of those that are in the bin now: ``"text:"`` and the prompt.

        Raises
        ------
        EncoderError
            The encoder has no text tower.
        ValueError
            A prompt is empty.

        Warns
        -----
        UserWarning
            A prompt is longer than the text tower reads.
        """
        several = [prompts] if isinstance(prompts, str) else list(prompts)
        ids = list(dict.fromkeys(text_id(prompt) for prompt in several))
        if to not in ("corpus", "foil"):
            raise ValueError(f"Prompts go into corpus or foil, not {to!r}.")
        self._check(ids)
        return self._put_texts(ids, to)

    def _cut(self, prompts: list[str]) -> list[str]:
        return self.encoder.cut_prompts([p for p in prompts if p.strip()], template=self.template)

    def _tell_cuts(self, members: Iterable[str]) -> None:
        """Say which prompts are longer than the encoder reads, to whoever acts: the page, or code."""
        prompts = [prompt_of(member) for member in members if is_text(member)]
        cut = self._cut(prompts) if prompts else []
        if not cut:
            return
        message = unread(cut, self.encoder.text.context if self.encoder.text else None)
        if not self._page_acts:
            warnings.warn(message, stacklevel=2)
        elif self._page is not None:
            self._page.error(message)

    def _take_texts(self, prompts: list[str], to: Literal["corpus", "foil"]) -> tuple[int, list[tuple[str, str]]]:
        """Put the page's prompts into a bin; return how many are new there, and what was skipped and why."""
        ids, skipped = [], []
        for prompt in prompts:
            try:
                ids.append(text_id(prompt))
            except ValueError as error:
                skipped.append((prompt, str(error)))
        self._check(ids)
        with self.by_page():  # whose reply names those that are cut
            before = set(self._bins[to])
            put = set(self._put_texts(ids, to))
        skipped += [(prompt_of(i), "It is in the other bin already.") for i in ids if i not in put]
        return len(put - before), skipped

    def _put_texts(self, ids: list[str], to: Literal["corpus", "foil"]) -> list[str]:
        with self.changing():
            bins, put = of_bins.put(self._present(), ids, to)
            self._replace(bins)
        return put

    def move(self, images: str | Sequence[str], to: Place) -> None:
        """Put images or prompts into a bin; out of the foil into the corpus, and the other way around.

        Parameters
        ----------
        images : str or sequence of str
            Ids.
        to : {"corpus", "foil", "explicands", "gallery"}
            Where to; ``"gallery"`` takes them out of all bins.
        """
        if to not in (*BINS, "gallery"):
            raise ValueError(f"There is no bin {to!r}: choose one of {', '.join(BINS)}, gallery.")
        moved = [images] if isinstance(images, str) else list(images)
        self._check(moved, texts=to != "explicands")
        with self.changing():
            self._replace(of_bins.move(self._present(), moved, to))

    def search(self, prompt: str, count: int = 20) -> list[tuple[str, float]]:
        """Rank the gallery by a prompt; encodes the images that have not been encoded yet.

        Parameters
        ----------
        prompt : str
            Put into the widget's `template`.
        count : int
            How many to return at most.

        Returns
        -------
        list of (str, float)
            Ids and their cosines with the prompt, the nearest first.

        Raises
        ------
        EncoderError
            The encoder has no text tower.
        UnreadableImage
            An image cannot be read; the next search leaves it out.
        """
        self.encoder.text_keys([])  # says why, before anything is encoded, if it has no text tower
        self.encoder.represent(self.images, [i for i in self.images.ids if i not in self.images.skipped])
        found = self._live.search(prompt)
        return list(zip(found.images, found.scores, strict=True))[:count]

    def undo(self) -> None:
        """Take the last change of the bins back."""
        self._step(-1)

    def redo(self) -> None:
        """Do again what was undone."""
        self._step(1)

    @property
    def bins(self) -> Bins:
        """Members of corpus, foil and explicands at one moment."""
        return self._bins

    def wait(self, timeout: float | None = None) -> None:
        """Block until the heatmaps of all explicands are complete.

        Raises
        ------
        TimeoutError
            They are not within `timeout` seconds.
        EncoderError, UnreadableImage
            What kept an explicand, or a member of the bins, from being prepared.
        """
        self._live.wait(timeout)

    def heatmap(self, image: str, timeout: float | None = None, *, layer: str = ATTRIBUTION) -> NDArray[np.float32]:
        """Return the heatmap of an image, an explicand or not, for the bins as they are; blocks until it is complete.

        Parameters
        ----------
        image : str
            Id.
        timeout : float, optional
            Seconds to wait at most.
        layer : {"attribution", "error", "stability"}
            The heatmap, or how far it may be off; see the widget's `layer`.

        Returns
        -------
        ndarray
            (H, W), float32, at the encoder's input size; positive where the image is like the corpus.

        Raises
        ------
        NothingToExplain
            The target needs bins that are empty.
        UnknownImage
            There is no such image.

        Warns
        -----
        UserWarning
            Members of the bins could not be encoded, and are left out.
        """
        self.images.check([image])
        if layer not in LAYERS:
            raise ValueError(f"Unknown layer {layer!r}: choose one of {', '.join(LAYERS)}.")
        picture = self._live.picture(image, timeout, layer)
        if picture is None:
            raise NothingToExplain("Nothing to explain yet: put images into the corpus, the foil, or both.")
        if left_out := self._live.left_out():
            reason = next(iter(left_out.values()))
            warnings.warn(f"The heatmap does without {named([*left_out])}: {reason}", stacklevel=2)
        return picture.values

    def close(self) -> None:
        """Stop all work and free what it holds; the page goes blank."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        if self._page is not None:
            self._page.close()
            self._page = None
        self.unobserve_all()
        super().close()

    # ---- traits --------------------------------------------------------------------------------------------------

    @classmethod
    def _own_traits(cls) -> list[str]:
        """List the traits that a subclass adds, which its constructor takes and its page sets like any others."""
        known = {*CocoaWidget.class_trait_names(), "_anywidget_id"}
        return [name for name in cls.class_trait_names(sync=True) if name not in known]

    def _members(self, name: BinName) -> Sequence[str]:
        """Return the members of a bin; those that this thread has set and not yet released, where it holds changes.

        Takes no lock: other threads can read while an observer works for long.
        """
        return self._held_values.get(name, self._bins[name]) if self.holds else self._bins[name]

    def _present(self) -> Bins:
        """Return the bins, with what this thread has set and not yet released; within `changing`."""
        return self._checked(self._held_values) if self.holds else self._bins

    def _replace(self, bins: Bins) -> None:
        """Make `bins` the widget's, at once or when this thread releases what it holds back; within `changing`."""
        if self.holds:
            self._held_values.update({name: list(bins[name]) for name in BINS})
        else:
            self._commit(bins)

    def _assign(self, members: Mapping[BinName, list[str]]) -> None:
        """Replace the members of some bins, as one change."""
        with self.changing():
            if self.holds:
                self._held_values.update(members)
            else:
                self._commit(self._checked(members))

    def _checked(self, members: Mapping[BinName, list[str]]) -> Bins:
        """Return the bins with other members in some of them; raises `TraitError` for what they cannot hold."""
        found: dict[BinName, list[str]] = {}
        for name, ids in members.items():
            try:
                self._check(ids, texts=name != "explicands")
                found[name] = [text_id(prompt_of(i)) if is_text(i) else i for i in ids]
            except (UnknownImage, EncoderError, ValueError) as error:
                raise traitlets.TraitError(f"{name}: {error.args[0]}") from None
        try:
            return of_bins.replace(self._bins, found)
        except ValueError as error:
            to: BinName = "foil" if "foil" in found else "corpus"
            other = set(found.get("corpus", self._bins.corpus) if to == "foil" else self._bins.foil)
            both = list(dict.fromkeys(i for i in found[to] if i in other))
            raise traitlets.TraitError(
                f"{error} To move from one to the other, use widget.move({both!r}, {to!r})."
            ) from None

    def _commit(self, bins: Bins) -> None:
        """Make `bins` the widget's: for every reader at once, then for engine and page, and at last for observers."""
        with self.changing():
            old, self._bins = self._bins, bins
            changed = [name for name in BINS if old[name] != bins[name]]
            engine, page = self._engine, self._page
            if not changed or engine is None or page is None:
                return
            if self._history.record(bins):
                page.tell_history()
            engine.ask(self._question())
            # In one message, so that the page, too, sees one state after the other.
            if new_to_page := [name for name in changed if self._should_send_property(name, getattr(self, name))]:
                self.send_state(new_to_page)
            for name in changed:
                self._enqueue(Bunch(name=name, old=list(old[name]), new=list(bins[name]), owner=self, type="change"))
            if not self._page_acts:
                self._tell_cuts({*bins.corpus, *bins.foil}.difference(old.corpus, old.foil))

    def check_held(self, values: dict[BinName, list[str]]) -> Bins:
        """Check the bins that a thread has held back."""
        return self._checked(values)

    def commit_held(self, checked: Bins) -> None:
        """Make the bins that a thread has held back the widget's."""
        self._commit(checked)

    def _check(self, members: Sequence[str], *, texts: bool = True) -> None:
        """Refuse what is neither an image nor, where they may be, a text that this encoder can read."""
        prompts = [member for member in members if is_text(member)]
        if prompts and not texts:
            raise ValueError(
                f"{named(prompts)} cannot be explained: heatmaps are of images. Texts go into corpus or foil."
            )
        if prompts:
            self.encoder.text_keys([])  # says why, if it has no text tower
        self.images.check([member for member in members if not is_text(member)])

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the page; what cannot be is reported there, and the page gets the old values back."""
        try:
            if foreign := [name for name in sync_data if name not in (*PAGE_SETS, *self._own_traits())]:
                raise traitlets.TraitError(f"The page cannot set {', '.join(map(repr, foreign[:3]))}.")
            with self.by_page():
                super().set_state(sync_data)
        except Exception as error:
            if not isinstance(error, traitlets.TraitError):  # of an observer: no refusal, and of interest to its author
                # As text: a log that keeps the exception would keep the widget.
                self.log.error("What the page has set could not be followed.\n%s", traceback.format_exc())
                error = RuntimeError(f"{type(error).__name__}: {error}")
            if self._page is not None:
                self._page.error(str(error))
            self.send_state([name for name in sync_data if name in self.keys])

    def follow(self, change: Bunch) -> None:
        """Have the engine answer a changed setting."""
        if change.name in SETTINGS and self._engine is not None:
            self._engine.ask(self._question())
            if change.name == "template":
                self._tell_cuts([*self._bins.corpus, *self._bins.foil])

    def _question(self) -> Question:
        bins = self._bins
        return Question(
            bins.corpus,
            bins.foil,
            bins.explicands,
            self.method,
            self.target,
            self.similarity,
            self.baseline,
            self.layer,
            self.template,
            self.centred,
        )

    # ---- wiring --------------------------------------------------------------------------------------------------

    @property
    def _live(self) -> LiveEngine:
        if self._engine is None:
            raise RuntimeError("The widget was closed.")
        return self._engine

    def _step(self, by: int) -> None:
        with self.by_page():  # whose texts have been reported as cut when they came
            bins = self._history.undo() if by < 0 else self._history.redo()
            if bins is not None:
                self._commit(bins)
                if self._page is not None:
                    self._page.tell_history()

    def _history_labels(self) -> tuple[str | None, str | None]:
        return self._history.undo_label, self._history.redo_label

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        if self._page is not None:
            self._page.receive(message)

    def _send_to_page(self, message: Any, buffers: list[bytes]) -> None:
        if self.comm is not None:
            self.send(message, buffers)

    @traitlets.observe("comm")
    def _comm_opened(self, change: Any) -> None:
        stay_in_subshell(change.new)

    def _catalogue(self, request: str) -> protocol.Catalogue:
        images, encoder = self.images, self.encoder
        return {
            "id": request,
            "kind": "catalogue",
            "model": str(self.model_id),
            "images": list(images.ids),
            "labels": list(images.labels),
            "captions": list(images.captions),
            "skipped": [{"image": image, "reason": reason} for image, reason in images.skipped.items()],
            "encoder": {
                "name": encoder.name,
                "device": str(encoder.device),
                "precision": encoder.precision,
                "input": encoder.input_size,
            },
            "methods": [self._method_choice(kind) for kind in self._methods().values()],
            "targets": [{"name": name, "label": t.label, "hint": t.hint} for name, t in TARGETS.items()],
            "similarities": [
                {"name": name, "label": label, "hint": hint} for name, (label, hint) in SIMILARITIES.items()
            ],
            "baselines": [
                {
                    "name": name,
                    "label": getattr(b, "label", name),
                    "hint": getattr(b, "hint", "Removed parts come from a function of yours"),
                }
                for name, b in {**BASELINES, **self._configured_baselines}.items()
            ],
            "layers": [{"name": name, "label": label, "hint": hint} for name, (label, hint) in LAYERS.items()],
            "text": self._text_info(),
        }

    def _text_info(self) -> protocol.TextInfo:
        reason = None
        try:
            self.encoder.text_keys([])
        except EncoderError as error:
            reason = str(error)
        tower = self.encoder.text
        return {
            "available": reason is None,
            "reason": reason,
            "note": tower.note if tower else "",
            "context": tower.context if tower else None,
            "templates": [{"name": name, "label": t.label, "hint": t.hint} for name, t in TEMPLATES.items()],
            "lists": [{"name": name, "label": c.label, "count": c.count} for name, c in CLASS_NAMES.items()],
        }

    def _methods(self) -> dict[str, Method]:
        """Return what the page's menu offers: each method with the settings that it was given last."""
        return {name: kind() for name, kind in METHODS.items()} | self._configured

    def _method_choice(self, method: Method) -> protocol.Choice:
        choice: protocol.Choice = {"name": method.name, "label": method.label, "hint": method.hint}
        try:
            obstacle = method.obstacle(self.encoder)
        except EncoderError:
            return choice  # the first picture will say what is wrong with the encoder
        if obstacle is not None:
            choice["unavailable"] = f"Not with this encoder: {obstacle}"
        return choice


def _as_encoder(encoder: Encoder | nn.Module | str) -> Encoder:
    if isinstance(encoder, Encoder):
        return encoder
    if isinstance(encoder, str):
        return load_encoder(encoder)
    if isinstance(encoder, nn.Module):
        return Encoder(encoder)
    raise TypeError(
        f"encoder must be a cocoa_widget.Encoder, a torch.nn.Module or a name, not {type(encoder).__name__}."
    )

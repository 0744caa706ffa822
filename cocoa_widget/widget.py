"""The widget: traits and wiring."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import traitlets
from numpy.typing import NDArray
from torch import nn
from traitlets import Bunch

from .attribution import Baseline, Method, default_method
from .contrast import NothingToExplain, check_similarity, check_target
from .encoders import Encoder, as_encoder
from .host import (
    BaselineTrait,
    BinnedWidget,
    Bool,
    CheckedString,
    Choices,
    Enum,
    Fraction,
    Int,
    MethodTrait,
    Page,
    Prompts,
    baseline_name,
    default_name,
    page_file,
    stay_in_subshell,
)
from .images import ImageSet, as_image_set
from .live import ALIKE, ATTRIBUTION, CELL_PREFIX, LAYERS, LiveEngine, Question
from .sessions import BINS, BinName, Bins, History
from .spelling import did_you_mean
from .texts import AS_TYPED, PREFIX, named, sentences

SETTINGS = ("method", "target", "similarity", "baseline", "layer", "template", "centred")
DISPLAY = ("colormap", "opacity", "scale", "look", "spotlight", "gallery_heatmaps", "height")
PAGE_SETS = frozenset({*BINS, *SETTINGS, *DISPLAY, "_view_count"})
"""The traits that the page may set; never the code that it runs itself (``_esm``, ``_css``)."""


class CocoaWidget(BinnedWidget):
    """A gallery, corpus and foil bins, and heatmaps on the explicands that follow every change of the bins.

    Parameters
    ----------
    images : ImageSet, or anything that it takes
        The gallery.
    encoder : Encoder, torch.nn.Module or str
        The encoder whose representations are explained; a module is wrapped, a name is loaded.
    corpus, foil, explicands : sequence of str
        Ids of the first members of these bins. Corpus and foil may hold prompts, too, by the ids that `add_text`
        returns.
    method : str or Method, optional
        A name in `METHODS`, or a method with settings, e.g. ``RISE(n_masks=512)``. By default `SharpCAM` where the
        encoder allows it, else `RISE`.
    target : {"contrastive_corpus", "corpus", "label_free", "contrastive_label_free"}
        The score that heatmaps explain, named after what it compares an explicand with.
    similarity : {"cosine", "dot", "gaussian"}
        The similarity of two representations in that score.
    baseline : str or callable, default "blur"
        What replaces removed parts of an explicand; see `Explainer`.
    layer : {"attribution", "error", "stability"}
        What the page shows: the heatmap, RISE's standard error, or the deviation of heatmaps over resampled bins.
    template : str, default "none"
        The sentence around prompts: a name in `TEMPLATES` ("photo" is the paper's sentence, "ensemble" several), or a
        sentence with ``{}`` in the prompt's place.
    centred : bool
        Whether the mean of its modality, images or texts, is subtracted from every member of the bins; see
        `cocoa_widget.contrast.modality`.
    name : str, optional
        The name under which the page keeps the bins. When the kernel was restarted and the cell is run again, the page
        offers to restore them. By default made of the notebook, the cell, and the order of widgets in the cell.
    restore : bool
        Whether the page restores them at once, as one step that can be undone, instead of offering it.
    memory_budget : int
        Bytes that prepared operators may hold; 1 GiB by default.
    **display
        Traits for the looks of the page, which change no number: `look` is ``"tint"`` (the default), ``"contours"`` or
        ``"spotlight"``, and `spotlight` the part of each picture, 0 to 1, that a spotlight leaves bright; `colormap`,
        `opacity`, `scale` (``"shared"`` or ``"image"``), `gallery_heatmaps` and `height` in pixels.

    Attributes
    ----------
    corpus, foil, explicands : list of str
        Ids. The page follows when they are set or when the lists are edited; a drag on the page changes them, and
        observers are called once all of them have changed. An image is in at most one of corpus and foil.
    bins : Bins
        All three at one moment. Between reading `corpus` and reading `foil` the page may move an image from one to the
        other; a value of `bins` never has it in both.

    Examples
    --------
    >>> widget = CocoaWidget(demo_images(), "demo", corpus=["cat/1"], explicands=["mosaic/1"])  # doctest: +SKIP
    >>> widget.foil = ["coffee/1"]  # doctest: +SKIP
    >>> widget.heatmap("mosaic/1").shape  # doctest: +SKIP
    (224, 224)
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)

    method = MethodTrait("rise").tag(sync=True, to_json=lambda method, _: method.name)
    target = CheckedString("contrastive_corpus", check_target).tag(sync=True)
    similarity = CheckedString("cosine", check_similarity).tag(sync=True)
    baseline = BaselineTrait("blur").tag(sync=True, to_json=lambda baseline, _: baseline_name(baseline))
    layer = Enum(list(LAYERS), ATTRIBUTION).tag(sync=True)
    template = CheckedString(AS_TYPED, sentences).tag(sync=True)
    centred = Bool(False).tag(sync=True)

    colormap = Enum(["orange-blue", "red-blue", "purple-green"], "orange-blue").tag(sync=True)
    opacity = Fraction(0.9).tag(sync=True)
    scale = Enum(["shared", "image"], "shared").tag(sync=True)
    look = Enum(["tint", "contours", "spotlight"], "tint").tag(sync=True)
    spotlight = Fraction(0.15).tag(sync=True)
    gallery_heatmaps = Bool(False).tag(sync=True)
    height = Int(720, min=320, max=4096).tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    restore = Bool(False).tag(sync=True)

    # An instance whose constructor has raised is closed, too, when it is collected.
    _engine: LiveEngine | None = None
    _page: Page | None = None
    _warned_alike = False

    def __init__(
        self,
        images: Any,
        encoder: Encoder | nn.Module | str,
        *,
        corpus: Sequence[str] = (),
        foil: Sequence[str] = (),
        explicands: Sequence[str] = (),
        method: str | Method | None = None,
        target: str = "contrastive_corpus",
        similarity: str = "cosine",
        baseline: str | Baseline = "blur",
        layer: str = ATTRIBUTION,
        template: str = AS_TYPED,
        centred: bool = False,
        name: str | None = None,
        restore: bool = False,
        memory_budget: int = 1 << 30,
        **display: Any,
    ) -> None:
        own = self._own_traits()
        for option in display:
            if option not in (*DISPLAY, *own):
                known = [*BINS, *SETTINGS, "name", "restore", "memory_budget", *DISPLAY, *own]
                hint = did_you_mean(option, known) or f" It takes {', '.join(known)}."
                raise TypeError(f"CocoaWidget has no argument {option!r}.{hint}")
        self.images: ImageSet = as_image_set(images)
        for prefix, what in ((PREFIX, "text"), (CELL_PREFIX, "cell")):
            if taken := [image for image in self.images.ids if image.startswith(prefix)]:
                raise ValueError(
                    f"The image {taken[0]!r} has the id of a {what}: give it one that does not begin with {prefix!r}."
                )
        self.encoder = as_encoder(encoder)
        self._choices = Choices()
        method = default_method(self.encoder) if method is None else method
        how = {"method": method, "target": target, "similarity": similarity, "baseline": baseline, "layer": layer}
        name = default_name() if name is None else name
        with self.hold_trait_notifications():
            self.corpus, self.foil, self.explicands = list(corpus), list(foil), list(explicands)
        self._history = History(self._bins)  # these bins are where undo ends
        super().__init__(**how, template=template, centred=centred, name=name, restore=restore, **display)
        self._prompts = Prompts(self)
        self._page = Page(self, self._prompts, self._choices)
        self._engine = LiveEngine(self.images, self.encoder, self._question(), self._page, memory_budget)
        self._page.connect(self._engine)
        self.on_msg(self._receive)
        self._report_cut([*self._bins.corpus, *self._bins.foil])

    @traitlets.default("_esm")
    def _read_esm(self) -> str:
        return page_file("widget.js")

    @traitlets.default("_css")
    def _read_css(self) -> str:
        return page_file("widget.css")

    # ---- for code ------------------------------------------------------------------------------------------------

    def add_text(self, prompts: str | Iterable[str], to: Literal["corpus", "foil"] = "corpus") -> list[str]:
        """Put prompts into corpus or foil; the encoder must be a joint model of images and texts.

        Parameters
        ----------
        prompts : str or iterable of str
            Such as ``"a photo of a dog"``, or ``class_names("cifar100")``. A single prompt moves out of the other
            bin. Of several, those in the other bin stay there: a list added to the foil is "all but the corpus".
        to : {"corpus", "foil"}

        Returns
        -------
        list of str
            Ids of those that are in the bin now: ``"text:"`` followed by the prompt.

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
        return self._prompts.add([prompts] if isinstance(prompts, str) else prompts, to)

    def search(self, prompt: str, count: int = 20) -> list[tuple[str, float]]:
        """Rank the gallery by a prompt; encodes the images that have not been encoded yet.

        Parameters
        ----------
        prompt : str
            Is put into the widget's `template`.
        count : int
            Largest number of images to return.

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
        self.encoder.text_keys([])  # raises the reason, before anything is encoded, if it has no text tower
        self.encoder.represent(self.images, [i for i in self.images.ids if i not in self.images.skipped])
        found = self._live.search(prompt)
        return list(zip(found.images, found.scores, strict=True))[:count]

    @property
    def likeness(self) -> float | None:
        """Mean cosine of pairs of encoded images of the gallery, −1 to 1; None before 20 are encoded.

        From .9 on scores hardly differ: the page offers to centre the members, and `wait` and `heatmap` warn once.
        """
        return self._live.likeness()

    def _warn_if_alike(self) -> None:
        alike = None if self.centred or self._warned_alike else self.likeness
        if alike is not None and alike >= ALIKE:
            self._warned_alike = True
            warnings.warn(
                f"This encoder gives all images nearly the same representation (mean cosine {alike:.3f}), so scores"
                " hardly differ: set widget.centred = True.",
                stacklevel=3,
            )

    def wait(self, timeout: float | None = None) -> None:
        """Block until the heatmaps of all explicands are complete.

        Raises
        ------
        TimeoutError
            They are not complete within `timeout` seconds.
        EncoderError, UnreadableImage
            An explicand or a member of the bins could not be prepared.
        """
        self._live.wait(timeout)
        self._warn_if_alike()

    def heatmap(self, image: str, timeout: float | None = None, *, layer: str = ATTRIBUTION) -> NDArray[np.float32]:
        """Return the heatmap of an image for the present bins; blocks until it is complete.

        Parameters
        ----------
        image : str
            Id; need not be an explicand.
        timeout : float, optional
            Longest time to wait in seconds.
        layer : {"attribution", "error", "stability"}
            The heatmap or a measure of its uncertainty; see the widget's `layer`.

        Returns
        -------
        ndarray
            (H, W), float32, at the encoder's input size; positive where the image is like the corpus.

        Raises
        ------
        NothingToExplain
            The target needs bins that are empty.
        TimeoutError
            It is not complete within `timeout` seconds.
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
        heatmap = self._live.heatmap(image, timeout, layer)
        if heatmap is None:
            raise NothingToExplain("Nothing to explain yet: put images into the corpus, the foil, or both.")
        if left_out := self._live.left_out():
            reason = next(iter(left_out.values()))
            warnings.warn(f"The heatmap does without {named([*left_out])}: {reason}", stacklevel=2)
        self._warn_if_alike()
        return heatmap.values

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
        """List the traits that a subclass adds; its constructor takes them, and its page may set them."""
        known = {*CocoaWidget.class_trait_names(), "_anywidget_id"}
        return [name for name in cls.class_trait_names(sync=True) if name not in known]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the page; refusals are reported there, and the page gets the old values back."""
        try:
            if foreign := [name for name in sync_data if name not in (*PAGE_SETS, *self._own_traits())]:
                raise traitlets.TraitError(f"The page cannot set {', '.join(map(repr, foreign[:3]))}.")
            with self.by_page():
                super().set_state(sync_data)
        except Exception as error:
            reason = self.reason(error)
            if self._page is not None:
                self._page.error(reason)
            self.send_state([name for name in sync_data if name in self.keys])

    def follow(self, change: Bunch) -> None:
        """Have the engine answer a changed setting."""
        engine = self._engine
        if change.name in SETTINGS and engine is not None:
            engine.ask(self._question())
            if change.name == "template":
                self._report_cut([*self._bins.corpus, *self._bins.foil])

    def follow_bins(self, old: Bins, changed: Sequence[BinName]) -> None:
        """Have engine and page follow a change of the bins."""
        engine, page = self._engine, self._page  # which another thread may close meanwhile
        if engine is None or page is None:
            return  # in the constructor, or closed
        engine.ask(self._question())
        self._announce(old, changed)
        if not self._page_acts:
            self._report_cut({*self._bins.corpus, *self._bins.foil}.difference(old.corpus, old.foil))

    def _report_cut(self, members: Iterable[str]) -> None:
        """Report prompts that are longer than the encoder reads: on the page if that has acted, else as a warning."""
        message, page = self._prompts.warning(members), self._page
        if message is None:
            return
        if not self._page_acts:
            warnings.warn(message, stacklevel=2)
        elif page is not None:
            page.error(message)

    def _question(self) -> Question:
        bins = self._bins
        settings = {name: getattr(self, name) for name in SETTINGS}
        return Question(bins.corpus, bins.foil, bins.explicands, **settings)

    # ---- wiring --------------------------------------------------------------------------------------------------

    @property
    def _live(self) -> LiveEngine:
        engine = self._engine
        if engine is None:
            raise RuntimeError("The widget was closed.")
        return engine

    def _receive(self, _: Any, message: Any, __: Any) -> None:
        page = self._page
        if page is not None:
            page.receive(message)

    @traitlets.observe("comm")
    def _comm_opened(self, change: Any) -> None:
        stay_in_subshell(change.new)

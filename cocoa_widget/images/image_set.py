"""Image sets: the images of any source, each under an id."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, SupportsIndex

from PIL import Image

from .decode import upright_rgb
from .encodable import encodable
from .errors import EmptySource, UnknownImage, UnreadableImage, reason
from .formats import open_encoded
from .pictures import File, Item, Missing, Record, known_key
from .records import make_records
from .sources import ASKED_AT_ONCE, read_source
from .thumbnails import Thumbnail, ThumbnailCache, make_thumbnail
from .workers import Workers

_LOCKS = 64
"""Number of locks that images share; two images rarely wait for each other."""


class ImageSet:
    """Images from any source, each under an id that is the same after a restart.

    Pictures in files and data sets are decoded when they are used. Files that cannot be read are skipped and listed
    with the reason; in sets of more than 1,000 files that is found when a picture is used. Pictures of more than
    128 million pixels are not decoded; `cocoa_widget.images.limits` has that limit, and one for the pixels that all
    threads decode at the same time.

    Parameters
    ----------
    source : object
        - a folder with its subfolders; the name of a picture's subfolder is its label
        - a path, or a list of paths
        - a PIL image, or a list of them
        - a uint8 array (N, H, W, 3) or (N, H, W), or a list of such pictures; float arrays must lie in 0..1
        - a tensor (N, 3, H, W) or (N, 1, H, W) in 0..1, or a list of such pictures
        - a torchvision dataset, a subset of it, or anything of (image, label) pairs; transforms are not applied
        - a Hugging Face dataset with a column of images; class labels and captions are found
        - a pandas or polars DataFrame with a column of paths
        - a dict of id → path, PIL image, array or tensor
    labels, captions : sequence, dict or str, optional
        One for each picture of the source, or id → text for some, or the name of a column. They replace the source's.
    path_column : str, optional
        The column of a DataFrame or Hugging Face dataset that holds the pictures, if it is not found by its name.
    follow_links : bool
        Whether links in a folder that lead out of it are followed; if not, they are in `skipped`.

    Attributes
    ----------
    ids : list of str
        In the source's order; those of a folder are sorted. In ids, labels and captions, characters that UTF-8 cannot
        hold are written as escapes.
    labels, captions : list of (str or None)
        Parallel to `ids`.
    skipped : dict
        id → why it cannot be read. Images that fail when they are used stay in `ids`.

    Raises
    ------
    EmptySource
        No picture of the source can be read.
    TypeError, ValueError, FileNotFoundError
        The source is of an unknown kind, is wrong, or does not exist.

    Examples
    --------
    >>> images = ImageSet("photos/")  # doctest: +SKIP
    >>> images["cats/tom.jpg"].size  # doctest: +SKIP
    (640, 480)
    """

    def __init__(
        self,
        source: Any,
        *,
        labels: Sequence[object] | Mapping[str, object] | str | None = None,
        captions: Sequence[object] | Mapping[str, object] | str | None = None,
        path_column: str | None = None,
        follow_links: bool = False,
    ) -> None:
        columns = read_source(
            source,
            path_column,
            labels if isinstance(labels, str) else None,
            captions if isinstance(captions, str) else None,
            follow_links,
        )
        self._workers = Workers()
        self._cache = ThumbnailCache()
        self._keys: dict[str, str] = {}
        self._locks = [threading.Lock() for _ in range(_LOCKS)]

        records = make_records(columns, labels, captions)
        unlisted = {encodable(name): encodable(why) for name, why in columns.skipped.items()}
        self.skipped: dict[str, str] = unlisted | self._find_unreadable(records)
        self._records = {each.id: each for each in records if each.id not in self.skipped}
        self.ids: list[str] = list(self._records)
        self.labels: list[str | None] = [each.label for each in self._records.values()]
        self.captions: list[str | None] = [each.caption for each in self._records.values()]
        if not self.ids:
            raise EmptySource(_nothing_left(self.skipped))

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids."""
        return iter(self.ids)

    def __contains__(self, image_id: object) -> bool:
        """Return whether there is an image with this id."""
        return image_id in self._records

    def __getitem__(self, which: str | SupportsIndex) -> Image.Image:
        """Load an image by its id or its position; see `load`."""
        return self.load(which if isinstance(which, str) else self.ids[which])

    def __repr__(self) -> str:
        """Return the numbers of images, labels and skipped images."""
        kinds = len({label for label in self.labels if label is not None})
        labels = f", {kinds} label{'s' * (kinds != 1)}" if kinds else ""
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"<ImageSet: {len(self)} image{'s' * (len(self) != 1)}{labels}{skipped}>"

    def load(self, image_id: str) -> Image.Image:
        """Decode an image.

        Parameters
        ----------
        image_id : str

        Returns
        -------
        PIL.Image.Image
            RGB, upright, full size; a new object.

        Raises
        ------
        UnknownImage
            There is no such id.
        UnreadableImage
            The image cannot be decoded; it is then in `skipped`.
        """
        with self._opened(image_id) as image:
            return upright_rgb(image, used_up=True)

    def label(self, image_id: str) -> str | None:
        """Return an image's label, or None."""
        return self._record(image_id).label

    def caption(self, image_id: str) -> str | None:
        """Return an image's caption, or None."""
        return self._record(image_id).caption

    def key(self, image_id: str) -> str:
        """Return the identity of an image's pixels, for caches.

        Parameters
        ----------
        image_id : str

        Returns
        -------
        str
            32 hexadecimal digits: the hash of path, size and time of change for a file, or of the content for a
            picture in memory or in a data set. Two sets that hold the same picture in the same way give the same key.
            It is computed once; if a file has changed, make a new set.

        Raises
        ------
        UnknownImage, UnreadableImage
            As for `load`.
        """
        known = self._keys.get(image_id)
        if known is None:
            picture = self._record(image_id).picture
            with self._noted(image_id):
                # Kept, as every update of the page needs the keys of all images in the bins.
                known = self._keys[image_id] = picture.key()
        return known

    def known_key(self, image_id: str) -> str | None:
        """Return the `key` of an image if it is known, without reading from a disk or a data set; else None."""
        known = self._keys.get(image_id)
        return known_key(self._record(image_id).picture) if known is None else known

    def cheap_key(self, image_id: str) -> str | None:
        """Return the `key` of an image, or None if the image would have to be decoded for it; may read from a disk."""
        known = self.known_key(image_id)
        return self.key(image_id) if known is None and not isinstance(self._record(image_id).picture, Item) else known

    def load_with_key(self, image_id: str) -> tuple[Image.Image, str]:
        """Decode an image once, for its pixels and its `key`; see `load`."""
        picture = self._record(image_id).picture
        loaded = self.load(image_id)
        if isinstance(picture, Item) and self.known_key(image_id) is None:
            with self._noted(image_id):
                self._keys[image_id] = picture.key_of(loaded)
        return loaded, self.key(image_id)

    def thumbnail(self, image_id: str, size: int) -> Thumbnail:
        """Return a small encoded picture; it is made once and kept while the cache has room.

        Parameters
        ----------
        image_id : str
        size : int
            Longer side at most, in pixels; a smaller picture keeps its size.

        Returns
        -------
        Thumbnail

        Raises
        ------
        UnknownImage, UnreadableImage
            As for `load`.
        """
        if size < 1:
            raise ValueError(f"a thumbnail's size must be at least 1 pixel, not {size}")
        self._record(image_id)
        # Other threads that need the same image, at any size, wait here and may then find it in the cache.
        with self._locks[hash(image_id) % _LOCKS]:
            kept = self._cache.get(image_id)
            if size not in kept:
                larger = min((each for each in kept if each > size), default=None)
                if larger is None:
                    with self._opened(image_id) as image:
                        made = make_thumbnail(image, size)
                else:
                    source = kept[larger]
                    with closing(open_encoded(io.BytesIO(source.data))) as image:
                        made = replace(make_thumbnail(image, size), width=source.width, height=source.height)
                self._cache.put(image_id, size, made)
                return made
            return kept[size]

    def thumbnails(self, ids: Iterable[str], size: int) -> Iterator[tuple[str, Thumbnail | UnreadableImage]]:
        """Make thumbnails in several threads.

        Parameters
        ----------
        ids : iterable of str
        size : int
            As for `thumbnail`.

        Returns
        -------
        iterator of (id, Thumbnail or UnreadableImage)
            In the order in which they are done. Closing it drops those that have not started.

        Raises
        ------
        UnknownImage
            Before the first thumbnail is made.
        """
        ids = list(ids)
        self.check(ids)
        return self._workers.each(partial(self._thumbnail_or_error, size), ids)

    def select(self, ids: Iterable[str]) -> ImageSet:
        """Return a set with some of the images, under the same ids.

        Parameters
        ----------
        ids : iterable of str

        Raises
        ------
        UnknownImage
            The set does not have all ids.
        """
        ids = list(ids)
        self.check(ids)
        return ImageSet([self._records[each] for each in ids])

    def check(self, ids: Iterable[str]) -> None:
        """Raise `UnknownImage`, which names them, if there are ids that the set does not have."""
        unknown = [each for each in ids if each not in self._records]
        if unknown:
            raise UnknownImage(unknown, self.ids)

    def close(self) -> None:
        """End the threads; they start again if the set is used afterwards."""
        self._workers.close()

    def _record(self, image_id: str) -> Record:
        try:
            return self._records[image_id]
        except KeyError:
            if image_id in self.skipped:
                raise UnreadableImage(image_id, self.skipped[image_id]) from None
            raise UnknownImage([image_id], self.ids) from None

    @contextmanager
    def _opened(self, image_id: str) -> Iterator[Image.Image]:
        record = self._record(image_id)
        with self._noted(image_id), closing(record.picture.open()) as image:  # the block may have closed it
            yield image
        self.skipped.pop(image_id, None)  # it may have failed before, as on a disk that was not mounted

    @contextmanager
    def _noted(self, image_id: str) -> Iterator[None]:
        """Turn any exception into `UnreadableImage` and add it to `skipped`; decoders raise many classes."""
        try:
            yield
        except Exception as error:
            self.skipped[image_id] = why = reason(error)
            raise UnreadableImage(image_id, why) from error

    def _thumbnail_or_error(self, size: int, image_id: str) -> Thumbnail | UnreadableImage:
        try:
            return self.thumbnail(image_id, size)
        except UnreadableImage as error:
            return error

    def _find_unreadable(self, records: Sequence[Record]) -> dict[str, str]:
        found = {each.id: each.picture.reason for each in records if isinstance(each.picture, Missing)}
        files = [each for each in records if isinstance(each.picture, File)]
        if len(files) <= ASKED_AT_ONCE:
            failures = {record.id: failure for record, failure in self._workers.each(_header_failure, files)}
            self._workers.close()
            # In the source's order, whichever thread was done first.
            found |= {each.id: failure for each in files if (failure := failures[each.id]) is not None}
        return found


def as_image_set(source: Any) -> ImageSet:
    """Return an `ImageSet` itself, or make one of any other source."""
    return source if isinstance(source, ImageSet) else ImageSet(source)


def _header_failure(record: Record) -> str | None:
    try:
        record.picture.open().close()
    except Exception as error:
        return reason(error)
    return None


def _nothing_left(skipped: Mapping[str, str]) -> str:
    if not skipped:
        return "there are no images in the source"
    some = "; ".join(f"{image_id}: {why}" for image_id, why in list(skipped.items())[:3])
    return f"none of the {len(skipped)} images can be read: {some}{'; …' if len(skipped) > 3 else ''}"

"""Lists of class names, for use as a foil: other things that could be in a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..spelling import did_you_mean

CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"

CIFAR100 = """
apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus, butterfly, camel,
can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach, couch, crab, crocodile, cup, dinosaur,
dolphin, elephant, flatfish, forest, fox, girl, hamster, house, kangaroo, keyboard, lamp, lawn mower, leopard, lion,
lizard, lobster, man, maple tree, motorcycle, mountain, mouse, mushroom, oak tree, orange, orchid, otter, palm tree,
pear, pickup truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, raccoon, ray, road, rocket, rose, sea,
seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, streetcar, sunflower, sweet pepper, table, tank,
telephone, television, tiger, tractor, train, trout, tulip, turtle, wardrobe, whale, willow tree, wolf, woman, worm
"""


def _imagenet() -> list[str]:
    from torchvision.models import ResNet18_Weights

    names: list[str] = ResNet18_Weights.DEFAULT.meta["categories"]
    return names


def _coco() -> list[str]:
    from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

    names: list[str] = FasterRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"]
    return [name for name in names if name.isascii() and name not in ("__background__", "N/A")]


@dataclass(frozen=True)
class ClassNames:
    """A list of class names, which `read` returns; `count` is their number without duplicates."""

    label: str
    count: int
    read: Callable[[], list[str]]


CLASS_NAMES: dict[str, ClassNames] = {
    "imagenet": ClassNames("ImageNet", 1000, _imagenet),
    "cifar100": ClassNames("CIFAR-100", 100, lambda: [" ".join(name.split()) for name in CIFAR100.split(",")]),
    "coco": ClassNames("COCO", 80, _coco),
    "cifar10": ClassNames("CIFAR-10", 10, CIFAR10.split),
}


def class_names(name: str) -> list[str]:
    """Return the class names of a well-known data set, each once.

    Parameters
    ----------
    name : {"imagenet", "cifar100", "coco", "cifar10"}

    Examples
    --------
    >>> class_names("cifar10")[:3]
    ['airplane', 'automobile', 'bird']
    """
    if name not in CLASS_NAMES:
        hint = did_you_mean(name, CLASS_NAMES) or f" Choose one of {', '.join(CLASS_NAMES)}."
        raise ValueError(f"There is no list of class names {name!r}.{hint}")
    return list(dict.fromkeys(CLASS_NAMES[name].read()))

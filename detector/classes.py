"""Which outputs of a model are road users of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.observation import ObjectClass

COCO_NAMES: tuple[str, ...] = tuple(
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,"
    "tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush".split(",")
)
"""The 80 classes of COCO 2017 in the order in which its detectors number them."""

_OURS: dict[str, ObjectClass] = {
    **{object_class.value: object_class for object_class in ObjectClass},
    "motorbike": ObjectClass.MOTORCYCLE,
    "bike": ObjectClass.BICYCLE,
    "pedestrian": ObjectClass.PERSON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTable:
    """The columns of a model's class scores that are ours: ``columns[i]`` means ``classes[i]``.

    ``names`` are all names of the model in its order; a column that is not listed is dropped.
    """

    names: tuple[str, ...]
    columns: tuple[int, ...]
    classes: tuple[ObjectClass, ...]


def class_table(names: Sequence[str]) -> ClassTable:
    """The table for a model whose classes are ``names``, whatever their case; its columns may be empty."""
    found = [
        (column, _OURS[name.strip().lower()])
        for column, name in enumerate(names)
        if name.strip().lower() in _OURS
    ]
    return ClassTable(
        names=tuple(names),
        columns=tuple(column for column, _ in found),
        classes=tuple(object_class for _, object_class in found),
    )

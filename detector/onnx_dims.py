"""Gives a fixed ONNX graph another picture size, in memory, by editing only the declared shapes.

An ONNX file is a protobuf message. Only four of its fields matter here (numbers from ``onnx.proto3``), so they
are edited on the wire and everything else is copied byte for byte; the 30 MB ``onnx`` package stays out of the core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

_MODEL_GRAPH = 7
_GRAPH_INPUT = 11
_GRAPH_OUTPUT = 12
_GRAPH_VALUE_INFO = 13
_VALUE_NAME = 1
_VALUE_TYPE = 2
_TYPE_TENSOR = 1
_TENSOR_SHAPE = 2
_SHAPE_DIM = 1
_DIM_VALUE = 1

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

Edit = Callable[[bytes], bytes | None]
"""The new body of a nested message, or None to leave it out."""


def with_input_size(model: bytes, input_name: str, width_px: int, height_px: int) -> bytes:
    """The same graph whose input ``input_name`` (N, C, H, W) is declared ``height_px`` x ``width_px``.

    The shapes of its outputs and of the values between are taken out, so that the runtime infers them anew.
    Whether the graph can really run at that size is for the caller to try. Raises ValueError when ``model``
    is no protobuf message.
    """

    def resized(value_info: bytes) -> bytes:
        if _text(value_info, _VALUE_NAME) != input_name:
            return value_info
        return _edited(
            value_info,
            {_VALUE_TYPE: lambda t: _edited(t, {_TYPE_TENSOR: lambda x: _edited(x, {_TENSOR_SHAPE: dims})})},
        )

    def dims(shape: bytes) -> bytes:
        sizes = iter((None, None, height_px, width_px))

        def dim(body: bytes) -> bytes:
            size = next(sizes, None)
            return body if size is None else _varint(_DIM_VALUE << 3 | _VARINT) + _varint(size)

        return _edited(shape, {_SHAPE_DIM: dim})

    def unshaped(value_info: bytes) -> bytes:
        return _edited(
            value_info,
            {_VALUE_TYPE: lambda t: _edited(t, {_TYPE_TENSOR: lambda x: _edited(x, {_TENSOR_SHAPE: _drop})})},
        )

    return _edited(
        model,
        {
            _MODEL_GRAPH: lambda graph: _edited(
                graph, {_GRAPH_INPUT: resized, _GRAPH_OUTPUT: unshaped, _GRAPH_VALUE_INFO: _drop}
            )
        },
    )


def _drop(body: bytes) -> None:
    return None


def _edited(message: bytes, edits: Mapping[int, Edit]) -> bytes:
    """``message`` with the nested messages of the fields in ``edits`` replaced, in place and in order."""
    out = bytearray()
    for number, start, body_start, end in _fields(message):
        edit = edits.get(number)
        if edit is None:
            out += message[start:end]
            continue
        body = edit(message[body_start:end])
        if body is not None:
            out += _varint(number << 3 | _LENGTH) + _varint(len(body)) + body
    return bytes(out)


def _text(message: bytes, wanted: int) -> str:
    for number, _, body_start, end in _fields(message):
        if number == wanted:
            return message[body_start:end].decode("utf-8", "replace")
    return ""


def _fields(message: bytes) -> list[tuple[int, int, int, int]]:
    """(number, start of the key, start of the body, end) of each field; ValueError where the bytes are no message."""
    fields = []
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        body = at
        wire = key & 7
        if wire == _LENGTH:
            length, body = _read_varint(message, at)
            at = body + length
        elif wire == _VARINT:
            _, at = _read_varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {start}")
        if at > len(message):
            raise ValueError(f"field at byte {start} runs past the end")
        fields.append((key >> 3, start, body, at))
    return fields


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message) or shift > 63:
            raise ValueError(f"number cut off at byte {at}")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

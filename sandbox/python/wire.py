"""Carry values between two processes as typed JSON: exact types, no pickle, nothing is executed.

``None``, ``bool``, ``str``, small ``int``, finite ``float`` and ``list`` are JSON's own. Every
other value is an object of one key that names its type: ``{"tuple": [1, 2]}``. Only exact types of
the list below are carried; a subclass is not, so a value never arrives as less than it was.

NumPy's arrays and scalars are carried where both sides have NumPy: type code, shape and raw bytes.

Not kept: identity (two references to one list arrive as two lists), and the default factory of a
defaultdict unless it is a built-in type.
"""

import builtins
import json
import re
import sys

MAX_DEPTH = 100
MAX_VALUES = 4_000_000
MAX_BYTES = 64_000_000
_SMALL = 1 << 53
# Booleans, numbers, texts, bytes and times of a plain size: no objects, no records.
_NUMPY_CODE = re.compile(r"[<>|=]?(?:[biufcSU?][1-9][0-9]{0,6}|[mM]8(?:\[[0-9]{0,9}[a-zA-Z]+\])?)")
_WRITE = json.JSONEncoder().iterencode


class Uncarriable(TypeError):
    """A value that cannot be carried, and why."""


class Malformed(ValueError):
    """Bytes or JSON that no encoder of ours wrote."""


def dumps(value):
    """Encode one value as text. Raises Uncarriable."""
    return write(encode(value))


def loads(text):
    """Decode one value from text of any origin. Raises Malformed."""
    return decode(parse(text))


def write(form):
    """Write JSON-able form as text. Bound here, once: a program's patches must not reach it."""
    return "".join(_WRITE(form, True))


def parse(text):
    """Read JSON of any origin. Raises Malformed."""
    if len(text) > MAX_BYTES:
        raise Malformed(f"a message is longer than {MAX_BYTES} bytes")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"a message is not JSON: {error}") from None


def encode(value):
    """Turn a value into JSON-able form. Raises Uncarriable, also for cycles and for excess."""
    return _Encoder().encode(value)


def decode(form):
    """Turn JSON-able form back into a value. Raises Malformed on whatever encode does not write."""
    try:
        return _decode(form, 0)
    except Malformed:
        raise
    except Exception as error:  # any constructor's way of refusing what it was given
        raise Malformed(f"a message holds no value: {type(error).__name__}") from None


# ---------------------------------------------------------------- encoding


class _Encoder:
    """Encodes one value, counting what it holds and remembering the path to find cycles."""

    __slots__ = ("active", "values")

    def __init__(self):
        self.active = set()
        self.values = 0

    def encode(self, value):
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return value if value.isascii() else _encode_text(value)
        if kind is int:
            return value if -_SMALL < value < _SMALL else {"int": hex(value)}
        if kind is float:
            return value if value - value == 0.0 else {"float": repr(value)}
        if kind is list:
            return self.items(value, value)
        return self.tagged(value, kind)

    def items(self, owner, values):
        """Encode the values that ``owner`` holds."""
        mark = id(owner)
        if mark in self.active:
            raise Uncarriable("a value that contains itself cannot be carried")
        if len(self.active) >= MAX_DEPTH:
            raise Uncarriable(f"a value nested deeper than {MAX_DEPTH} cannot be carried")
        self.active.add(mark)
        encode = self.encode
        encoded = [encode(value) for value in values]
        self.active.discard(mark)
        self.values += len(encoded)
        if self.values > MAX_VALUES:
            raise Uncarriable(f"a value of more than {MAX_VALUES} parts cannot be carried")
        return encoded

    def pairs(self, value):
        """Encode a mapping as its keys and its values, in order."""
        return [self.items(value, list(value.keys())), self.items(value, list(value.values()))]

    def tagged(self, value, kind):
        numbers = sys.modules.get("numpy")  # a value of its types cannot be there without it
        if numbers is not None and _is_numpy(numbers, kind):
            return {"numpy": _encode_numpy(value)}
        name = kind.__qualname__
        known = _CARRIED.get(name)
        if known is None or _type(known[0], name) is not kind:
            raise Uncarriable(f"a value of type {name!r} cannot be carried")
        return {name: known[1](self, value)}


def _encode_text(value):
    """Keep lone surrogates apart: JSON would read two of them as one character."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return {"str": value.encode("utf-32-le", "surrogatepass").hex()}
    return value


def _encode_deque(encoder, value):
    return [encoder.items(value, value), value.maxlen]


def _encode_defaultdict(encoder, value):
    factory = value.default_factory
    name = factory.__name__ if type(factory) is type and _is_builtin(factory) else None
    return [name, *encoder.pairs(value)]


def _encode_type(encoder, value):
    if not _is_builtin(value):
        raise Uncarriable(f"the class {value.__qualname__!r} cannot be carried")
    return value.__name__


def _encode_datetime(encoder, value):
    zone = value.tzinfo
    if zone is not None and type(zone) is not _type("datetime", "timezone"):
        raise Uncarriable(f"a time in a zone of type {type(zone).__name__!r} cannot be carried")
    return [value.isoformat(), value.fold]


def _is_numpy(numbers, kind):
    """Say whether a type is NumPy's array or one of its scalars: those, and no subclass of them."""
    array, generic = getattr(numbers, "ndarray", None), getattr(numbers, "generic", None)
    if kind is array:
        return True
    return type(generic) is type and generic in kind.__mro__ and kind.__module__ == "numpy"


def _encode_numpy(value):
    code = value.dtype.str
    if _NUMPY_CODE.fullmatch(code) is None:
        raise Uncarriable(f"an array of type {code[:40]!r} cannot be carried")
    if value.nbytes > MAX_BYTES // 2:
        raise Uncarriable(f"an array of {value.nbytes} bytes cannot be carried")
    shape = list(value.shape) if type(value).__name__ == "ndarray" else None
    return [code, shape, value.tobytes().hex()]


def _items(encoder, value):
    return encoder.items(value, value)


def _pairs(encoder, value):
    return encoder.pairs(value)


# ---------------------------------------------------------------- decoding


def _decode(form, depth):
    kind = type(form)
    if kind is list:
        if depth > 2 * MAX_DEPTH:  # a typed container is an object in a list: two levels each
            raise Malformed("a message is nested too deep")
        return [_decode(item, depth + 1) for item in form]
    if kind is not dict:
        return form
    ((name, body),) = form.items()
    if name == "numpy":
        return _decode_numpy(body)
    module, _, decoder = _CARRIED[name] if name in _CARRIED else _SCALARS[name]
    return decoder(_type(module, name), body, depth + 1)


def _many(body, depth):
    if type(body) is not list:
        raise Malformed("a message lacks a list")
    return _decode(body, depth)


def _decode_items(kind, body, depth):
    return kind(_many(body, depth))


def _decode_pairs(kind, body, depth):
    keys, values = body
    return kind(zip(_many(keys, depth), _many(values, depth), strict=True))


def _decode_deque(kind, body, depth):
    values, limit = body
    return kind(_many(values, depth), limit)


def _decode_defaultdict(kind, body, depth):
    name, keys, values = body
    factory = None if name is None else _builtin_type(name)
    return kind(factory, zip(_many(keys, depth), _many(values, depth), strict=True))


def _decode_bytes(kind, body, depth):
    return kind.fromhex(body)


def _decode_numbers(kind, body, depth):
    return kind(*_many(body, depth))


def _decode_text(kind, body, depth):
    if type(body) is not str:
        raise Malformed("a message lacks a text")
    return kind(body)


def _decode_datetime(kind, body, depth):
    text, fold = body
    return kind.fromisoformat(text).replace(fold=fold)


def _decode_date(kind, body, depth):
    return kind.fromisoformat(body)


def _decode_numpy(body):
    code, shape, raw = body
    if type(code) is not str or _NUMPY_CODE.fullmatch(code) is None:
        raise Malformed("a message names no type of NumPy")
    try:
        import numpy
    except ImportError:
        raise Malformed("a message holds an array, and there is no NumPy here") from None
    if shape is not None and min(shape, default=0) < 0:
        raise Malformed("a message holds an array of no shape")
    values = numpy.frombuffer(bytes.fromhex(raw), dtype=code)
    if shape is None:
        (value,) = values
        return value
    return values.reshape([int(length) for length in shape]).copy()


def _decode_type(kind, body, depth):
    return _builtin_type(body)


def _decode_surrogates(kind, body, depth):
    return bytes.fromhex(body).decode("utf-32-le", "surrogatepass")


def _decode_int(kind, body, depth):
    return int(body, 16)


# ---------------------------------------------------------------- the closed list of types


def _numbers(*names):
    def encode_numbers(encoder, value):
        return [encoder.encode(getattr(value, name)) for name in names]

    return encode_numbers


_CARRIED = {
    "tuple": ("builtins", _items, _decode_items),
    "set": ("builtins", _items, _decode_items),
    "frozenset": ("builtins", _items, _decode_items),
    "dict": ("builtins", _pairs, _decode_pairs),
    "bytes": ("builtins", lambda encoder, value: value.hex(), _decode_bytes),
    "bytearray": ("builtins", lambda encoder, value: value.hex(), _decode_bytes),
    "complex": ("builtins", _numbers("real", "imag"), _decode_numbers),
    "range": ("builtins", _numbers("start", "stop", "step"), _decode_numbers),
    "type": ("builtins", _encode_type, _decode_type),
    "deque": ("collections", _encode_deque, _decode_deque),
    "Counter": ("collections", _pairs, lambda kind, body, depth: _counter(kind, body, depth)),
    "OrderedDict": ("collections", _pairs, _decode_pairs),
    "defaultdict": ("collections", _encode_defaultdict, _decode_defaultdict),
    "Decimal": ("decimal", lambda encoder, value: str(value), _decode_text),
    "Fraction": ("fractions", _numbers("numerator", "denominator"), _decode_numbers),
    "datetime": ("datetime", _encode_datetime, _decode_datetime),
    "time": ("datetime", _encode_datetime, _decode_datetime),
    "date": ("datetime", lambda encoder, value: value.isoformat(), _decode_date),
    "timedelta": ("datetime", _numbers("days", "seconds", "microseconds"), _decode_numbers),
}
_SCALARS = {
    "int": ("builtins", None, _decode_int),
    "float": ("builtins", None, _decode_text),
    "str": ("builtins", None, _decode_surrogates),
}


def _counter(kind, body, depth):
    counter = kind()
    dict.update(counter, _decode_pairs(dict, body, depth))  # Counter(pairs) would count the pairs
    return counter


def _type(module, name):
    """Find a carried type, importing its module at the first need: most programs need none."""
    if module not in sys.modules:
        __import__(module)
    return getattr(sys.modules[module], name)


def _is_builtin(kind):
    return getattr(builtins, kind.__name__, None) is kind


def _builtin_type(name):
    kind = getattr(builtins, name, None)
    if type(kind) is not type:
        raise Malformed("a message names no built-in type")
    return kind

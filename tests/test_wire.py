"""Typed values between two processes: exact types survive, everything else is refused."""

import datetime
import json
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner_modules import runner_module

wire = runner_module("wire")
merge = runner_module("proxy").merge

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs"]))
    | st.binary()
    | st.complex_numbers()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.builds(range, st.integers(), st.integers(), st.integers(1, 9))
    | st.sampled_from([int, str, dict, ValueError])
)
KEYS = st.integers() | st.text() | st.tuples(st.booleans(), st.binary())
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(KEYS, inner).map(OrderedDict)
        | st.dictionaries(KEYS, inner).map(lambda items: defaultdict(list, items))
        | st.builds(deque, st.lists(inner, max_size=4), st.none() | st.integers(4, 9))
        | st.dictionaries(KEYS, st.integers()).map(Counter)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


def same(left, right):
    """Equal in type all the way down; NaN is itself and -0.0 is not 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return repr(left) == repr(right)
    if isinstance(left, complex):
        return repr(left) == repr(right)
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, (list, tuple, deque)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(VALUES)
def test_values_survive_with_their_exact_types(value):
    assert same(wire.loads(wire.dumps(value)), value)


@given(VALUES)
def test_the_text_is_plain_ascii_json(value):
    assert wire.dumps(value).isascii()
    json.loads(wire.dumps(value))


def test_true_is_not_one_and_one_is_not_a_float():
    carried = wire.loads(wire.dumps([True, 1, 1.0]))
    assert [type(value) for value in carried] == [bool, int, float]


def test_nan_and_infinities_survive():
    nan, infinity, minus = wire.loads(wire.dumps([math.nan, math.inf, -math.inf]))
    assert math.isnan(nan)
    assert (infinity, minus) == (math.inf, -math.inf)


def test_huge_integers_survive():
    assert wire.loads(wire.dumps(7**20_000)) == 7**20_000


def test_signalling_nan_survives():
    assert wire.loads(wire.dumps(Decimal("sNaN"))).is_snan()


def test_a_lambda_default_factory_is_dropped():
    carried = wire.loads(wire.dumps(defaultdict(lambda: 0, a=1)))
    assert carried == {"a": 1}
    assert carried.default_factory is None


class Always(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


@pytest.mark.parametrize(
    "value",
    [
        Always(),
        [Always()],
        {Always(): 1},
        object(),
        len,
        lambda: 0,
        Always,
        (item for item in [1]),
        iter([1]),
        {}.keys(),
        namedtuple("Pair", "a b")(1, 2),
        NotImplemented,
        ValueError("no"),
        datetime.datetime(2020, 1, 1, tzinfo=type("Zone", (datetime.tzinfo,), {})()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_listed_is_refused(value):
    with pytest.raises(wire.Uncarriable, match="cannot be carried"):
        wire.dumps(value)


def test_a_class_that_only_has_the_name_of_a_listed_one_is_refused():
    impostor = type("Decimal", (), {"__module__": "decimal"})()
    with pytest.raises(wire.Uncarriable):
        wire.dumps(impostor)


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: (a,), lambda a: {"a": a}])
def test_cycles_are_refused(wrap):
    cycle = []
    cycle.append(wrap(cycle))
    with pytest.raises(wire.Uncarriable, match="contains itself"):
        wire.dumps(cycle)


def test_the_same_list_twice_is_no_cycle():
    shared = [1]
    assert wire.loads(wire.dumps([shared, shared])) == [[1], [1]]


def test_depth_is_bounded():
    value = []
    for _ in range(wire.MAX_DEPTH - 1):
        value = [value]
    assert wire.loads(wire.dumps(value)) == value
    with pytest.raises(wire.Uncarriable, match="nested deeper"):
        wire.dumps([[value]])


def test_the_deepest_typed_value_survives():
    value = ()
    for _ in range(wire.MAX_DEPTH - 1):
        value = (value,)
    assert wire.loads(wire.dumps(value)) == value


def test_exponential_sharing_is_refused_before_it_fills_memory():
    value = [0] * 1000
    for _ in range(60):
        value = [value, value]
    with pytest.raises(wire.Uncarriable, match="parts"):
        wire.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        '{"a": 1}',
        '{"tuple": 1}',
        '{"tuple": [1], "list": []}',
        '{"set": [[1]]}',
        '{"dict": [[1], []]}',
        '{"dict": [[[1]], [2]]}',
        '{"dict": 7}',
        '{"int": "ten"}',
        '{"int": 5}',
        '{"float": "much"}',
        '{"float": [1]}',
        '{"type": "open"}',
        '{"type": "__import__"}',
        '{"type": ["int"]}',
        '{"Fraction": [1, 0]}',
        '{"Fraction": ["1/2", 2]}',
        '{"Decimal": [1]}',
        '{"bytes": "zz"}',
        '{"range": [1, 2, 0]}',
        '{"deque": [[], -1]}',
        '{"datetime": ["now", 0]}',
        '{"defaultdict": ["exec", [], []]}',
        '{"timedelta": [1e300, 0, 0]}',
        "[" * 100_000,
        "1" * 10_000,
    ],
    ids=lambda text: text[:24],
)
def test_malformed_text_is_one_kind_of_error(text):
    with pytest.raises(wire.Malformed):
        wire.loads(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from([*wire._CARRIED, "int", "float"]) | st.text(), inner, max_size=2
            )
        ),
    )
)
def test_hostile_forms_decode_to_built_in_types_or_are_malformed(form):
    try:
        value = wire.decode(form)
    except wire.Malformed:
        return
    assert type(value).__module__ in {
        *("builtins", "collections", "decimal", "fractions", "datetime")
    }


@given(st.lists(st.lists(st.integers())), st.lists(st.lists(st.integers())))
def test_merge_makes_lists_equal_and_keeps_identity(old, new):
    identity = id(old)
    merge(old, new)
    assert old == new
    assert id(old) == identity


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": [1], "b": 2}, {"b": 3, "a": [1, 2]}),
        ({1, 2}, {3}),
        (deque([1]), deque([2, 3])),
        (bytearray(b"a"), bytearray(b"bc")),
        (Counter("a"), Counter("bb")),
        (([1], [2]), ([3], [4])),
    ],
    ids=lambda value: type(value).__name__,
)
def test_merge_carries_changes_back_into_every_mutable_type(old, new):
    merge(old, new)
    assert same(old, new)


def test_fractions_keep_sign_and_terms():
    assert wire.loads(wire.dumps(Fraction(-6, 4))) == Fraction(-3, 2)


# ---------------------------------------------------------------- NumPy

CODES = ["|b1", "<i8", "<u2", "<f8", "<f4", "<c16", "<U3", "|S2", "<M8[D]", ">i4"]
ARRAYS = st.tuples(
    st.sampled_from(CODES), st.lists(st.integers(0, 3), max_size=3), st.integers(0, 100)
)


@given(ARRAYS)
def test_arrays_survive_with_type_and_shape(drawn):
    code, shape, seed = drawn
    dtype = numpy.dtype(code)
    size = math.prod(shape) * dtype.itemsize
    raw = bytes((seed + number) % 2 for number in range(size))
    array = numpy.frombuffer(raw, dtype=dtype).reshape(shape)
    carried = wire.loads(wire.dumps([array]))[0]
    assert (carried.dtype, carried.shape, carried.tobytes()) == (dtype, array.shape, raw)
    assert carried.flags.writeable


@pytest.mark.parametrize(
    "scalar",
    [numpy.float64(1.5), numpy.int8(-3), numpy.bool_(True), numpy.str_("ab"), numpy.complex64(1j)],
    ids=lambda scalar: type(scalar).__name__,
)
def test_numpy_scalars_keep_their_type(scalar):
    carried = wire.loads(wire.dumps(scalar))
    assert type(carried) is type(scalar)
    assert carried == scalar


class Sly(numpy.ndarray):
    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    "value",
    [
        numpy.array([object()]),
        numpy.zeros(1, dtype=[("a", int)]),
        numpy.zeros(1).view(Sly),
        numpy.ma.array([1]),
        numpy.random.default_rng(0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arrays_of_objects_and_subclasses_are_refused(value):
    with pytest.raises(wire.Uncarriable, match="cannot be carried"):
        wire.dumps(value)


@pytest.mark.parametrize(
    "body",
    [
        '["|O", [1], "00"]',
        '["<i8", [-1], "0000000000000000"]',
        '["<i8", [2], "0000000000000000"]',
        '["<i8", null, ""]',
        '["<U9999999", [9], ""]',
        '["<i8,<i8", [1], "00"]',
        '[{"a": 1}, [1], "00"]',
        '["<i8", [1], "zz"]',
        "7",
    ],
)
def test_hostile_arrays_are_malformed(body):
    with pytest.raises(wire.Malformed):
        wire.loads(f'{{"numpy": {body}}}')


def test_merge_writes_into_arrays():
    array = numpy.zeros(3)
    merge(array, numpy.arange(3.0))
    assert array.tolist() == [0, 1, 2]

"""Stand-ins for functions that live in another process."""

import builtins

from channel import Vanished
from wire import Malformed, Uncarriable, decode, encode


class Lost(BaseException):
    """The call has no answer that can be carried. Not an Exception: no handler may swallow it."""


class RemoteError(Exception):
    """An exception of a type that only the other process knows."""


class Remote:
    """The other process as seen by a caller: its functions, and how it failed, if it did."""

    def __init__(self, channel):
        self._channel = channel
        self._calls = 0
        self.whether = False
        """Ask only whether there is a value: for those of types that cannot be carried."""
        self.failure = None
        """The first failure of the exchange itself: sticky, so that a bare except hides nothing."""
        self.raised = None
        """The last exception that a function raised over there."""

    def function(self, name):
        """Make the stand-in for one function."""

        def proxy(*args, **kwargs):
            return self._call(name, args, kwargs)

        proxy.__name__ = proxy.__qualname__ = name
        return proxy

    def _call(self, name, args, kwargs):
        if self.failure is not None:
            raise self.failure
        try:
            answer = self._exchange(name, args, kwargs)
            return self._value(answer, args, kwargs)
        except Vanished as error:
            self.failure = error
            raise
        except (Uncarriable, Malformed) as error:
            self.failure = Lost(f"{name}(): {error}")
            raise self.failure from None

    def _exchange(self, name, args, kwargs):
        self._calls += 1
        message = {
            "call": name,
            "id": self._calls,
            "args": encode(list(args)),
            "kwargs": encode(kwargs),
            "whether": self.whether,
        }
        self._channel.send(message)
        answer = self._channel.receive()
        if answer.get("id") != self._calls:
            raise Malformed("the answer belongs to another call")
        return answer

    def _value(self, answer, args, kwargs):
        if "raised" in answer:
            self.raised = _rebuild_exception(answer)
            raise self.raised
        if "uncarriable" in answer:
            raise Uncarriable(str(answer["uncarriable"])[:300])
        if "value" not in answer:
            raise Malformed("the answer holds no value")
        if "mutated" in answer:
            _mutate(answer["mutated"], args, kwargs)
        return decode(answer["value"])


def _rebuild_exception(answer):
    """Build the nearest built-in exception type, with the arguments it had over there."""
    names, text = answer["raised"], str(answer.get("text", ""))[:1000]
    if type(names) is not list:
        raise Malformed("the answer names no exception type")
    arguments = decode(answer.get("arguments", []))
    for name in names:
        kind = getattr(builtins, name, None) if type(name) is str else None
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            continue
        if kind in (Exception, BaseException):
            break
        try:
            return kind(*arguments)
        except Exception:
            return kind(text)
    return RemoteError(text)


def _mutate(forms, args, kwargs):
    """Carry back what the call changed in place in its arguments."""
    changed = decode(forms)
    if type(changed) is not list or len(changed) != 2:
        raise Malformed("the answer's arguments are not those of the call")
    new_args, new_kwargs = changed
    if type(new_args) is not list or len(new_args) != len(args) or type(new_kwargs) is not dict:
        raise Malformed("the answer's arguments are not those of the call")
    for old, new in zip(args, new_args, strict=True):
        merge(old, new)
    for name, old in kwargs.items():
        merge(old, new_kwargs.get(name))


def merge(old, new):
    """Make ``old`` equal to ``new`` in place where it is mutable and of the same type."""
    if type(old) is not type(new):
        return
    if isinstance(old, (list, bytearray)):
        if type(old) is list:
            new = [_merged(*pair) for pair in zip(old, new, strict=False)] + new[len(old) :]
        old[:] = new
    elif isinstance(old, (dict, set)):
        if isinstance(old, dict):
            new = {key: _merged(old.get(key), value) for key, value in new.items()}
        old.clear()
        (dict if isinstance(old, dict) else set).update(old, new)
    elif type(old).__name__ == "deque":
        fresh = list(new)
        old.clear()
        old.extend(fresh)
    elif type(old).__name__ == "ndarray":
        if (old.shape, old.dtype) == (new.shape, new.dtype) and old.flags.writeable:
            old[...] = new
    elif type(old) is tuple:
        for pair in zip(old, new, strict=False):
            merge(*pair)


def _merged(old, new):
    """Keep the old object, so that other references to it see the change too."""
    if type(old) is type(new) and isinstance(old, (list, dict, set, bytearray)):
        merge(old, new)
        return old
    return new

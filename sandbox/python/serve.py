"""Answer calls from the other process with typed values; the values themselves never leave."""

import sys

from channel import Vanished
from program import describe
from wire import Malformed, Uncarriable, decode, encode, write


def serve(channel, namespace, on_call=None):
    """Answer until the other process says that it is done or is gone; return its last message.

    ``on_call`` is told each call. ``SystemExit`` passes through: a function that leaves, leaves.
    """
    while True:
        try:
            message = channel.receive()
        except Vanished:
            return None
        if "call" not in message:
            return message
        if on_call is not None:
            on_call()
        answer = _answer(message, namespace)
        answer["id"] = message.get("id")
        try:
            channel.send(answer)
        except Uncarriable as error:
            channel.send({"id": message.get("id"), "uncarriable": str(error)})
        _flush()


def _answer(message, namespace):
    try:
        args = decode(message["args"])
        kwargs = decode(message["kwargs"])
    except (Malformed, KeyError) as error:
        return {"uncarriable": str(error)}
    # Compared as text: a candidate's objects among the arguments must not decide about themselves.
    before = write([message["args"], message["kwargs"]])
    name = str(message["call"])
    if name not in namespace:
        return _raised(NameError(f"the program defines no {name!r}"))
    function = namespace[name]
    try:
        value = function(*args, **kwargs)
    except SystemExit:
        raise
    except BaseException as error:
        return _raised(error)
    if message.get("whether") and type(value) is not bool:
        value = value is not None
    return _returned(value, args, kwargs, before)


def _returned(value, args, kwargs, before):
    try:
        answer = {"value": encode(value)}
        after = [encode(args), encode(kwargs)]
    except Uncarriable as error:
        return {"uncarriable": str(error)}
    except SystemExit:
        raise
    except BaseException as error:  # a hostile value, or memory ran out while encoding
        return _raised(error)
    if write(after) != before:
        answer["mutated"] = after
    return answer


def _raised(error):
    answer = {"raised": [kind.__name__ for kind in type(error).__mro__], "text": describe(error)}
    try:
        answer["arguments"] = encode(list(error.args))
    except BaseException:  # whatever the exception holds, its type and its text are carried
        answer["arguments"] = []
    return answer


def _flush():
    try:
        sys.stdout.flush()
    except BaseException:  # replaced or closed by the program: its output is no evidence
        return

"""The judged side of a Python suite: loads the candidate's program and answers calls to it.

This process holds no test, no expected value and no nonce; whatever the program does here, it can
only change its own answers.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from channel import Channel
from program import LoadError, load
from serve import serve
from session import begin


def main():
    """Load, say so, serve; leave without running what the program left behind."""
    session = begin()
    sys.path.pop(0)  # the program's own imports must not find the runner's modules
    channel = Channel(session.inbox, session.outbox)
    try:
        namespace = load(session.request["source"])
    except LoadError as error:
        channel.send({"outcome": error.outcome, "message": str(error)})
        return
    channel.send({"ready": True})
    serve(channel, namespace)


if __name__ == "__main__":
    leave = os._exit
    main()
    leave(0)

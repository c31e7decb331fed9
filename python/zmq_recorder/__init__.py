"""A client of the recorder: publish and know, consume and go on.

    from zmq_recorder import Recorder

    with Recorder(sender="me") as recorder:
        number = recorder.publish("greeting", {"content": "hi"})
        print("on disk as message", number)

        for message in recorder.consume("indexer"):
            print(message.number, message.topic, message.payload)
            message.ack()

`zmq_recorder.asyncio` has the same names for asyncio. The log is that of the logger
`zmq_recorder`: it says after a second that the broker is waited for.
"""

from ._blocking import Consumer, Message, Recorder
from ._errors import NoAnswer, RecorderError, UnknownOutcome
from ._messages import Archived

__all__ = [
    "Archived",
    "Consumer",
    "Message",
    "NoAnswer",
    "Recorder",
    "RecorderError",
    "UnknownOutcome",
]

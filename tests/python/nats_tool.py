"""A stock client of NATS for the tests: nats_tool.py URL,URL COMMAND ..., which prints JSON."""

import asyncio
import base64
import json
import sys

import nats
from nats.js.api import ConsumerConfig, DeliverPolicy


async def ready(js):
    info = await js.account_info()
    return {"streams": info.streams}


async def read(js, stream):
    """All messages of a stream, as docs/bridge.md says that it is read."""
    info = await js.stream_info(stream)
    found = []
    if info.state.messages == 0:
        return found
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL)
    subscription = await js.subscribe("", stream=stream, ordered_consumer=True, config=config)
    last = 0
    while last < info.state.last_seq:
        message = await subscription.next_msg(timeout=10)
        last = message.metadata.sequence.stream
        found.append(
            {
                "seq": last,
                "subject": message.subject,
                "kind": (message.headers or {}).get("Conv-Kind"),
                "payload": base64.b64encode(message.data).decode(),
            }
        )
    return found


async def edit(js, stream, *changes):
    """Changes settings of a stream: name=value, values in JSON."""
    info = await js.stream_info(stream)
    config = info.config
    for change in changes:
        name, value = change.split("=", 1)
        setattr(config, name, json.loads(value))
    await js.update_stream(config)
    return {}


async def forget(js, stream):
    await js.delete_stream(stream)
    return {}


async def make(js, stream, subject, journal=None):
    metadata = {"journal": journal} if journal else None
    await js.add_stream(name=stream, subjects=[subject], metadata=metadata)
    return {}


async def last(js, stream):
    info = await js.stream_info(stream)
    return {"last": info.state.last_seq, "messages": info.state.messages}


async def main(urls, command, *arguments):
    connection = await nats.connect(
        urls.split(","), connect_timeout=2, max_reconnect_attempts=1, allow_reconnect=False
    )
    try:
        commands = {f.__name__: f for f in (ready, read, edit, forget, make, last)}
        print(json.dumps(await commands[command](connection.jetstream(), *arguments)))
    finally:
        await connection.close()


asyncio.run(main(*sys.argv[1:]))

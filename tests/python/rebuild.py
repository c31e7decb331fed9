"""Rebuilds the frames of every line of a journal with nothing but the standard library.

It shares no code with the programs: that a stranger can read the journal is part
of what the tests show. Prints a line of JSON for each record: its frames as base64.
"""

import base64
import json
import sys

decoder = json.JSONDecoder()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def members(line):
    """The members of the record as (value, exact text), by name."""
    found = {}
    at = 1
    while line[at - 1] != "}":
        name, at = decoder.raw_decode(line, at)
        assert line[at] == ":", "no space between the record's own tokens"
        start = at + 1
        value, at = decoder.raw_decode(line, start)
        assert name not in found, f"{name} is there twice"
        found[name] = (value, line[start:at])
        at += 1
    assert at == len(line), "nothing comes after the record"
    return found


def payload(record):
    content, exact = record["content"]
    if "payload" in record:
        return record["payload"][0].encode()
    if "content_is" in record:
        kind = record["content_is"][0]
        return content.encode() if kind == "text" else base64.b64decode(content)
    if "envelope" in record:
        envelope = record["envelope"][1].encode()
        at = record["content_at"][0]
        assert envelope[at : at + 1] == b"0", "the content's place is marked by a 0"
        return envelope[:at] + exact.encode() + envelope[at + 1 :]
    return exact.encode()


def frame(value):
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def frames(record):
    count = record["frames"][0] if "frames" in record else 2
    if "topic_base64" in record:
        topic = base64.b64decode(record["topic_base64"][0])
    else:
        topic = record["topic"][0].encode()
    more = record["more"][0] if "more" in record else []
    # A message of one frame has no payload of its own.
    second = [payload(record)] if count > 1 else []
    rebuilt = [topic, *second, *map(frame, more)]
    assert len(rebuilt) == count
    return rebuilt


def main():
    with open(sys.argv[1], "rb") as file:
        for line in file.read().split(b"\n")[:-1]:
            record = members(line.decode())
            checked = line[: line.rindex(b'"crc":')]
            assert record["crc"][0] == "%08x" % crc32c(checked), "the checksum matches"
            rebuilt = [base64.b64encode(frame).decode() for frame in frames(record)]
            print(json.dumps(rebuilt))


main()

"""Journals made up for a browser: a conversation, hostile messages, and very many."""

import datetime
import json
import os

from crc32c import crc32c

AGENTS = ["claude_code", "gemini_cli", "llama_local", "human", "qwen", "codex", "reviewer", "planner",
          "tester", "writer", "researcher", "operator"]
START = datetime.datetime(2025, 11, 20, 4, 30, tzinfo=datetime.timezone.utc)

REVIEW = """## What I found

The **retry loop** never gives up. Three things stand out:

1. `connect` is called without a limit
2. the error is swallowed
3. see [the guide](https://example.org/guide)

> It worked on my machine.

| case | before | after |
|---|--:|--:|
| idle | 120 | 4 |
| busy | 9100 | 310 |

```rust
// Waits twice as long each time, up to a minute.
fn pause(tries: u32) -> Duration {
    let seconds = 1_u64 << tries.min(6);
    Duration::from_secs(seconds) // "never" longer
}
```
"""

DIFF = """```diff
@@ -1,3 +1,3 @@
-loop { connect(); }
+for tries in 0..6 { connect()?; }
 done
```"""

PARTS = [
    {"type": "thinking", "thinking": "The limit has to be somewhere.\n\nPerhaps in the configuration."},
    {"type": "text", "text": "Let me look."},
    {"type": "tool_use", "name": "grep", "input": {"pattern": "connect\\(", "path": "src"}},
    {"type": "tool_result", "content": "src/net.rs:17: connect();\nsrc/net.rs:31: connect();"},
]

SAID = [
    "Could somebody look at the retry loop?",
    REVIEW,
    PARTS,
    DIFF,
    {"action": "design_review_request", "files": ["src/net.rs", "src/lib.rs"], "limits": {"tries": 6, "pause": {"first": 1, "most": 60}}, "urgent": False},
    "Looks good to me. Ship it once the tests pass.",
    "מה דעתך על זה? נראה לי טוב.",
    "A long one.\n\n" + "\n\n".join(f"Paragraph {n}: " + "words and more words. " * 12 for n in range(40)),
]

HOSTILE = [
    "<script>document.title='PWNED'</script>",
    "<img src=x onerror=\"document.title='PWNED'\">",
    "<svg onload=\"document.title='PWNED'\"></svg>",
    "<style>*{display:none!important}</style>",
    "[click](javascript:document.title='PWNED')",
    "[click](data:text/html,<script>document.title='PWNED'</script>)",
    "![x](https://evil.example/track.png)",
    "![x\" onerror=\"document.title='PWNED'](data:image/png;base64,AAAA)",
    "</div></article><iframe srcdoc=\"<script>parent.document.title='PWNED'</script>\">",
    "```\"><script>document.title='PWNED'</script>\n</code></pre><script>document.title='PWNED'</script>\n```",
    "\u202eright to left\u202c \u0007 \u001b]0;PWNED\u0007",
    "<a href='#' onclick=\"document.title='PWNED'\">x</a><math><mtext></mtext><script>document.title='PWNED'</script></math>",
    "x" * 10_000_000,
    "[" * 5000,
    "> " * 3000 + "deep",
]


def line(number, sender, content, reply=None, topic="design", seconds=0, tags=(), name=None, key=None):
    """A line as the broker writes it."""
    time = (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    name = name or f"msg_{number:06}"
    text = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    before = f'{{"sender_id":{text(sender)},"message_id":{text(name)},"timestamp":"{time}"'
    before += f',"in_reply_to":{text(reply)}' if reply else ""
    before += ',"content":'
    envelope = f'{before}0,"metadata":{{"ace_tier":"A","chain_type":"system_architecture","shl_tags":{text(list(tags))}}}}}'
    record = (f'{{"message_num":{number},"topic":{text(topic)},"sender":{text(sender)},"timestamp":"{time}","tier":"A",'
              f'"chain_type":"system_architecture","shl_tags":{text(list(tags))},"message_id":{text(name)},"content":{text(content)},'
              f'"envelope":{envelope},"content_at":{len(before.encode())},')
    record += f'"key_name":{text(key)},' if key else ""
    record += f'"recorded_at":"{time}",'
    return f'{record}"crc":"{crc32c(record.encode()):08x}"}}\n'


def write(folder, lines):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "current_session.jsonl"), "w", encoding="utf-8") as session:
        session.writelines(lines)


def append(folder, lines):
    with open(os.path.join(folder, "current_session.jsonl"), "a", encoding="utf-8") as session:
        session.write("".join(lines))


def talk(count):
    """Messages of twelve agents, half of which answer another one."""
    for number in range(1, count + 1):
        reply = f"msg_{number - 1 - number % 3:06}" if number % 2 == 0 and number > 3 else None
        yield line(number, AGENTS[number * 7 % 12 if number % 5 else 0], SAID[number % len(SAID)], reply,
                   topic=["design", "review", "tests"][number % 3], seconds=number * 37 + (number // 100) * 4000,
                   tags=["@Status-Ready"] if number % 4 == 0 else [], key="mallory" if number % 40 == 7 else None)


def many(count):
    """Very many short ones."""
    for number in range(1, count + 1):
        yield line(number, AGENTS[number % 12], f"message number {number}", topic="load", seconds=number)


def hostile():
    for number, text in enumerate(HOSTILE, 1):
        name = text[:100]
        yield line(number, name, {"message": text, "more": text[:1000]} if number % 2 else text, name, topic=name, tags=[name], name=name)


STORY = [
    ("human", "plan", "Uploads fail now and then since Monday. Can you find out why?", None),
    ("planner", "plan", "Three parts: what the log says (**researcher**), what changed since Monday (**codex**), and a test that fails (**tester**).", 1),
    ("researcher", "findings", "All of them are retries. In the last 24 hours:\n\n| hour | uploads | failed |\n|---|--:|--:|\n| 04 | 1,204 | 3 |\n| 05 | 1,377 | 61 |\n| 06 | 1,190 | 4 |\n\nThe peak is the nightly backup.", 2),
    ("codex", "findings", [PARTS[0], {"type": "text", "text": "The time limit was lowered on Monday, for all requests alike."}, PARTS[2], PARTS[3]], 2),
    ("tester", "tests", "Here is one that fails without a fault of the network:\n\n```python\ndef test_a_slow_disk_is_waited_for(server):\n    server.disk.delay = 2.5  # seconds\n    assert upload(server, size=1 << 20).status == 201\n```", 2),
    ("codex", "changes", "With a limit of its own for uploads:\n\n```diff\n@@ -14,3 +14,4 @@ def send(request):\n-    limit = 2.0\n+    # A slow disk is no reason to give up.\n+    limit = 30.0 if request.has_body else 2.0\n     return connection.send(request, limit)\n```", 5),
    ("reviewer", "review", {"action": "design_review_request", "message": "Should the limit be in the configuration?", "files": ["net/send.py"], "limits": {"usual": 2.0, "uploads": 30.0}}, 6),
    ("gemini_cli", "review", "Not yet: nobody has asked for another value. I would name it, though.", 7),
    ("tester", "tests", "It passes 200 times in a row. ✓", 6),
    ("human", "plan", "Well done. Who writes it into the changelog?", 9),
]


def story(now):
    """A conversation as people might have it, that ends now, with one of the day before."""
    earlier = 70
    begin = (now - START).total_seconds() - 90 * len(STORY)
    shift = begin - 20 * 3600
    for number in range(1, earlier + 1):
        yield line(number, AGENTS[number * 7 % 12 if number % 5 else 0], SAID[number % len(SAID)], f"msg_{number - 1 - number % 3:06}" if number % 2 == 0 and number > 3 else None,
                   topic=["plan", "review", "tests"][number % 3], seconds=shift + number * 61 + (number // 25) * 9_000)
    for at, (sender, topic, content, reply) in enumerate(STORY, 1):
        yield line(earlier + at, sender, content, f"msg_{earlier + reply:06}" if reply else None, topic=topic,
                   seconds=begin + 90 * at - 5, tags=["@Status-Ready"] if topic == "changes" else [])

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

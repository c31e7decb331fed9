//! The examples in the help, which are run by a test.

pub(crate) const EXAMPLES: &str = "\
Examples:
  viewer                                      the newest 50 messages
  viewer --limit 5 --full                     the newest 5, however long they are
  viewer --sender claude_code --tier A        what claude_code said in tier A
  viewer --topic design --sender '!human'     such topics, from anybody but human
  viewer --grep 'time ?out' -i --since -3h    what was said of timeouts in the last three hours
  viewer --all --tag @Decision --reverse      all decisions ever, the newest first
  viewer --stats --chain photo_capture        counts of one chain
  viewer -o compact --limit 0                 one line a message, page by page
  viewer -o html --all --limit 0 > talk.html  everything as a page to share
  viewer -o html --out talk --all --limit 0   the same as many pages, with a search over all
  viewer -o csv --fields sender,time,text     a table
  viewer --thread msg_001                     the conversation that it belongs to
  viewer -f --limit 5                         the newest 5, and each new one as it is recorded
  viewer --list-archives                      the closed sessions
  viewer --archive latest                     the newest messages of the last one
  viewer talk.jsonl.gz ~/.claude/projects/*/*.jsonl --since today
                                              other files and programs, merged by time
  viewer list senders                         who sent messages, and when last
  viewer verify --all                         check every line that was recorded
  viewer salvage rescued.jsonl                copy what is readable to a new file
  viewer index                                make the indexes that are missing
  viewer serve --open                         the same on a page in a browser, live";

pub(super) const VERIFY_EXAMPLES: &str = "\
Examples:
  viewer verify                                       the current session
  viewer verify --archive session_20251120_143022     a closed one
  viewer verify --all                                 everything, in order
  viewer verify --file copy.jsonl.gz                  any file

Ends with 0 if all is clean, with 3 if something is damaged, altered or missing,
or stands twice or out of order. Messages of older recorders have no checksum;
they are counted as unverified, which is no fault.";

pub(super) const SALVAGE_EXAMPLES: &str = "\
Examples:
  viewer salvage rescued.jsonl                                the current session
  viewer salvage --archive session_20251120_143022 out.jsonl  a closed one
  viewer salvage --file copy.jsonl out.jsonl                  any file

The session itself is only read. Ends with 0 if everything was kept and nothing
is altered, with 3 if not.";

pub(super) const INDEX_EXAMPLES: &str = "\
Examples:
  viewer index                                       every closed session
  viewer index --archive session_20251120_143022     one of them
  viewer index --text                                also for words in the text

An index lies beside its session and makes questions about it fast. It can be
removed at any time. What is there already and fits is left as it is.";

pub(super) const LIST_EXAMPLES: &str = "\
Examples:
  viewer list senders     who sent messages, how many, and when last
  viewer list topics      the same of topics; also of keys, tags and chains
  viewer list sessions    the closed sessions and the current one

All sessions count.";

#[cfg(feature = "serve")]
pub(super) const SERVE_EXAMPLES: &str = "\
Examples:
  viewer serve                    prints the address of the page
  viewer serve --open             opens it in a browser, too
  viewer serve talk.jsonl.gz      a page for any file
  viewer serve --bind 0.0.0.0     for other machines, with the token in the address

It only reads, and listens at this machine alone unless told otherwise. Whoever
knows the address can read everything. Ctrl+C ends it.";

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  viewer completions bash > ~/.local/share/bash-completion/completions/viewer
  viewer completions zsh > ~/.zfunc/_viewer
  viewer completions fish > ~/.config/fish/completions/viewer.fish

In these three, names of senders, topics, tags, chains and sessions are
completed, too: those of the directory in BROKER_DIR, or else of the usual one.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;

    #[test]
    fn the_examples_are_valid() {
        let all = [
            EXAMPLES,
            VERIFY_EXAMPLES,
            SALVAGE_EXAMPLES,
            INDEX_EXAMPLES,
            COMPLETIONS_EXAMPLES,
        ];
        let lines = |text: &'static str| text.lines().skip(1).take_while(|line| !line.is_empty());
        for line in all.into_iter().flat_map(lines) {
            let command = line.trim().split("  ").next().unwrap_or_default();
            let mut is_quoted = false;
            let split = |c: char| {
                is_quoted ^= c == '\'';
                c == ' ' && !is_quoted
            };
            let command = command.split(" > ").next().unwrap_or_default();
            let parsed = Args::from_words(command.split(split));
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}

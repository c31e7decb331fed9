//! Writes the tables of all results into a page.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::results::Results;

const END: &str = "<!-- /bench -->";

/// Returns a case's results for people: when, on what, how, and the table.
pub(crate) fn section(results: &Results) -> String {
    let Results {
        date,
        machine,
        commit,
        arguments,
        ..
    } = results;
    let day = date.get(..10).unwrap_or(date);
    let arguments = arguments.join(" ");
    let command = format!("just bench {arguments}");
    let table = results.table();
    let command = command.trim_end();
    format!("{day}, {machine}, commit {commit}, `{command}`:\n\n{table}")
}

/// Puts each case's results between its markers, `<!-- bench: CASE -->` and
/// `<!-- /bench -->`; what has no results stays as it is.
///
/// # Errors
/// An error where the page cannot be read or written, or a marker has no end.
pub(crate) fn embed(page: &Path, all: &[Results]) -> anyhow::Result<()> {
    let text = fs::read_to_string(page);
    let text = text.with_context(|| format!("cannot read {}", page.display()))?;
    let text = all
        .iter()
        .try_fold(text, |text, results| replace(&text, results))?;
    fs::write(page, text).with_context(|| format!("cannot write {}", page.display()))
}

fn replace(text: &str, results: &Results) -> anyhow::Result<String> {
    let marker = format!("<!-- bench: {} -->", results.case);
    let Some((before, rest)) = text.split_once(&marker) else {
        return Ok(text.to_owned());
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("{marker} has no {END}");
    };
    Ok(format!(
        "{before}{marker}\n{}{END}{after}",
        section(results)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Column;

    #[test]
    fn results_go_between_their_markers_and_nowhere_else() {
        let mut results = Results::new("one", "bytes", vec![Column::new("rate", "per s", 0)]);
        results.add("1x1", 256, "broker", "rate", 7.0);
        let page = format!("a\n<!-- bench: one -->\nold\n{END}\nb\n<!-- bench: two -->\n{END}\n");
        let page = replace(&page, &results).unwrap();
        assert!(page.starts_with("a\n<!-- bench: one -->\n2"), "{page}");
        assert!(
            page.contains("| 1x1 | 256 | broker | 7 |\n<!-- /bench -->\nb\n"),
            "{page}"
        );
        assert!(!page.contains("old"), "{page}");
        assert_eq!(replace(&page, &results).unwrap(), page);
        replace("<!-- bench: one -->", &results).unwrap_err();
    }
}

//! Answers as a table for people, as JSON or as CSV.

use std::io::Write;

use comfy_table::{ContentArrangement, Table as Drawing, presets};
use serde::Serialize;
use xln_primitives::Timestamp;
use xln_rpc::words::moment;

use super::exit::Failure;

/// In which form an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// The API's answer.
    Json,
    /// One line per row, columns as in the table, identifiers in full.
    Csv,
}

/// A text that cannot steer the terminal: control characters and those that reverse the direction are replaced.
#[must_use]
pub fn harmless(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// One place of a table: what people see, and what programs read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    shown: String,
    exact: String,
}

impl Cell {
    /// A word or number of ours.
    pub fn new(text: impl ToString) -> Self {
        let text = text.to_string();
        Self { shown: text.clone(), exact: text }
    }

    /// A text that somebody else wrote. It can neither steer the terminal nor become a formula in a spreadsheet.
    pub fn foreign(text: &str) -> Self {
        let shown = harmless(text);
        let formula = shown.starts_with(['=', '+', '-', '@']);
        let exact = if formula { format!("'{shown}") } else { shown.clone() };
        Self { shown, exact }
    }

    /// An identifier: its beginning for people, all of it for programs.
    pub fn id(id: impl ToString) -> Self {
        let exact = id.to_string();
        let shown = exact.get(..10).map_or_else(|| exact.clone(), |start| format!("{start}…"));
        Self { shown, exact }
    }

    /// A moment: date and time for people, milliseconds since the Unix epoch for programs.
    pub fn moment(time: Timestamp) -> Self {
        Self { shown: moment(time), exact: time.as_millis().to_string() }
    }

    /// Something that may be absent.
    pub fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(|| Self { shown: "–".into(), exact: String::new() }, cell)
    }

    /// Two forms of one thing.
    pub fn both(shown: impl Into<String>, exact: impl Into<String>) -> Self {
        Self { shown: shown.into(), exact: exact.into() }
    }
}

/// A table with named columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// One property per row.
    #[must_use]
    pub fn properties(rows: Vec<(&str, Cell)>) -> Self {
        let rows = rows.into_iter().map(|(name, value)| vec![Cell::new(name), value]).collect();
        Self { columns: &["property", "value"], rows }
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    fn drawn(&self) -> String {
        let mut drawing = Drawing::new();
        drawing.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        drawing.set_header(self.columns.iter().map(|name| name.to_uppercase()));
        for row in &self.rows {
            drawing.add_row(row.iter().map(|cell| cell.shown.as_str()));
        }
        drawing.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    fn csv(&self) -> String {
        let line = |cells: Vec<&str>| cells.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n";
        let mut text = line(self.columns.to_vec());
        for row in &self.rows {
            text.push_str(&line(row.iter().map(|cell| cell.exact.as_str()).collect()));
        }
        text
    }
}

/// A field of CSV (RFC 4180).
#[must_use]
pub fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// An answer in all its forms.
#[derive(Debug, Clone)]
pub struct Report {
    json: serde_json::Value,
    /// A sentence for people, before the table.
    summary: Option<String>,
    table: Table,
    /// What stands instead of an empty table.
    empty: &'static str,
}

impl Report {
    /// An answer whose JSON form is `value`.
    pub fn new(value: &impl Serialize, table: Table) -> Result<Self, Failure> {
        Ok(Self { json: serde_json::to_value(value)?, summary: None, table, empty: "nothing yet" })
    }

    /// With a sentence for people before the table.
    #[must_use]
    pub fn with_summary(self, summary: impl Into<String>) -> Self {
        Self { summary: Some(summary.into()), ..self }
    }

    /// With what people read if there is no row.
    #[must_use]
    pub fn or_if_empty(self, empty: &'static str) -> Self {
        Self { empty, ..self }
    }

    /// The text in a format.
    pub fn render(&self, format: Format) -> Result<String, Failure> {
        Ok(match format {
            Format::Json => serde_json::to_string_pretty(&self.json)? + "\n",
            Format::Csv => self.table.csv(),
            Format::Table => {
                let mut text = String::new();
                if let Some(summary) = &self.summary {
                    text.push_str(summary);
                    text.push('\n');
                }
                if !self.table.rows.is_empty() {
                    text.push_str(&self.table.drawn());
                } else if self.summary.is_none() {
                    text.push_str(self.empty);
                    text.push('\n');
                }
                text
            }
        })
    }
}

/// Writes to stdout. A reader that has had enough, such as `head`, is no error.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut table = Table::new(&["id", "name", "amount"]);
        let id = "0x1234567890abcdef";
        table.push(vec![Cell::id(id), Cell::foreign("a,\"b\""), Cell::new("1.00")]);
        table.push(vec![Cell::id(id), Cell::foreign("=1+1\u{1b}[2J"), Cell::maybe(None::<u8>, Cell::new)]);
        Report::new(&serde_json::json!([{ "id": id }]), table).unwrap()
    }

    #[test]
    fn people_see_short_identifiers_and_no_control_characters() {
        let text = report().with_summary("two things").render(Format::Table).unwrap();
        assert!(text.starts_with("two things\n"), "{text}");
        assert!(text.contains("0x12345678…"), "{text}");
        assert!(text.contains(" ID ") && text.contains("AMOUNT"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn csv_has_whole_identifiers_and_no_formula() {
        assert_eq!(
            report().render(Format::Csv).unwrap(),
            "id,name,amount\r\n0x1234567890abcdef,\"a,\"\"b\"\"\",1.00\r\n0x1234567890abcdef,'=1+1\u{fffd}[2J,\r\n"
        );
    }

    #[test]
    fn people_see_dates_and_programs_milliseconds() {
        let mut table = Table::new(&["time"]);
        table.push(vec![Cell::moment(Timestamp::from_millis(1_795_251_750_774))]);
        let report = Report::new(&(), table).unwrap();
        assert!(report.render(Format::Table).unwrap().contains("2026-11-21 09:02:30 UTC"));
        assert_eq!(report.render(Format::Csv).unwrap(), "time\r\n1795251750774\r\n");
    }

    #[test]
    fn json_is_the_answer_of_the_api() {
        let text = report().render(Format::Json).unwrap();
        assert_eq!(text, "[\n  {\n    \"id\": \"0x1234567890abcdef\"\n  }\n]\n");
    }

    #[test]
    fn an_empty_table_says_what_is_missing() {
        let report = Report::new(&(), Table::new(&["id"])).unwrap().or_if_empty("no channels yet");
        assert_eq!(report.render(Format::Table).unwrap(), "no channels yet\n");
        assert_eq!(report.render(Format::Csv).unwrap(), "id\r\n");
    }
}

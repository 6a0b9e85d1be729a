//! `$filter`: comparisons, `and`/`or`/`not`, parentheses, `startswith`/`contains`/`endswith`; the rest is not modelled.

use super::metadata::{Column, ColumnKind, Table};
use super::refusal::{DataverseOutcome, DataverseRefusal, bad_request, no_such_property, not_modelled};
use super::store::DataverseRow;
use super::values::{date, guid};
use jiff::Timestamp;
use serde_json::Value;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
enum DataverseToken {
    Open,
    Close,
    Comma,
    Word(String),
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Time(Timestamp),
}

#[derive(Clone, Debug)]
pub(super) enum DataverseFilter {
    And(Box<DataverseFilter>, Box<DataverseFilter>),
    Or(Box<DataverseFilter>, Box<DataverseFilter>),
    Not(Box<DataverseFilter>),
    Compare { property: String, operator: String, literal: Literal },
    Contains { property: String, function: String, text: String },
}

pub(super) fn parse(table: &Table, text: &str) -> DataverseOutcome<DataverseFilter> {
    let mut parser = DataverseParser { table, tokens: tokens(text)?, at: 0, source: text };
    let filter = parser.either()?;
    if parser.at < parser.tokens.len() { Err(parser.syntax()) } else { Ok(filter) }
}

fn tokens(text: &str) -> DataverseOutcome<Vec<DataverseToken>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut taken = 1;
        match first {
            ' ' => {}
            '(' => found.push(DataverseToken::Open),
            ')' => found.push(DataverseToken::Close),
            ',' => found.push(DataverseToken::Comma),
            '\'' => {
                let mut value = String::new();
                loop {
                    let end = rest[taken..].find('\'').ok_or_else(|| {
                        bad_request(format!("There is an unterminated string literal in '{text}'."))
                    })?;
                    value.push_str(&rest[taken..taken + end]);
                    taken += end + 1;
                    if !rest[taken..].starts_with('\'') {
                        break;
                    }
                    value.push('\'');
                    taken += 1;
                }
                found.push(DataverseToken::Text(value));
            }
            _ => {
                taken = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                found.push(DataverseToken::Word(rest[..taken].to_owned()));
            }
        }
        rest = &rest[taken..];
    }
    Ok(found)
}

struct DataverseParser<'a> {
    table: &'a Table,
    tokens: Vec<DataverseToken>,
    at: usize,
    source: &'a str,
}

impl DataverseParser<'_> {
    fn syntax(&self) -> DataverseRefusal {
        bad_request(format!("Syntax error at position {} in '{}'.", self.at, self.source))
    }

    fn next(&mut self) -> DataverseOutcome<DataverseToken> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| self.syntax())?;
        self.at += 1;
        Ok(token)
    }

    fn word_is(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(DataverseToken::Word(w)) if w == word)
    }

    fn expect(&mut self, token: &DataverseToken) -> DataverseOutcome<()> {
        if self.next()? == *token { Ok(()) } else { Err(self.syntax()) }
    }

    fn either(&mut self) -> DataverseOutcome<DataverseFilter> {
        let mut left = self.both()?;
        while self.word_is("or") {
            self.at += 1;
            left = DataverseFilter::Or(left.into(), self.both()?.into());
        }
        Ok(left)
    }

    fn both(&mut self) -> DataverseOutcome<DataverseFilter> {
        let mut left = self.single()?;
        while self.word_is("and") {
            self.at += 1;
            left = DataverseFilter::And(left.into(), self.single()?.into());
        }
        Ok(left)
    }

    fn single(&mut self) -> DataverseOutcome<DataverseFilter> {
        let name = match self.next()? {
            DataverseToken::Open => {
                let inner = self.either()?;
                self.expect(&DataverseToken::Close)?;
                return Ok(inner);
            }
            DataverseToken::Word(word) if word == "not" => {
                return Ok(DataverseFilter::Not(self.single()?.into()));
            }
            DataverseToken::Word(word) => word,
            _ => return Err(self.syntax()),
        };
        if self.tokens.get(self.at) == Some(&DataverseToken::Open) {
            return self.function(name);
        }
        let column = self.column(&name)?.clone();
        let DataverseToken::Word(operator) = self.next()? else { return Err(self.syntax()) };
        if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&operator.as_str()) {
            return Err(not_modelled(format!("operator `{operator}` in a filter")));
        }
        let token = self.next()?;
        let literal = fit(&column, &token).ok_or_else(|| {
            let shown = match &token {
                DataverseToken::Text(t) => format!("'{t}'"),
                DataverseToken::Word(w) => w.clone(),
                other => format!("{other:?}"),
            };
            bad_request(format!(
                "A binary operator with incompatible types was detected: `{name} {operator} {shown}`."
            ))
        })?;
        Ok(DataverseFilter::Compare { property: name, operator, literal })
    }

    fn function(&mut self, function: String) -> DataverseOutcome<DataverseFilter> {
        if !["startswith", "endswith", "contains"].contains(&function.as_str()) {
            return Err(not_modelled(format!("function `{function}` in a filter")));
        }
        self.expect(&DataverseToken::Open)?;
        let DataverseToken::Word(property) = self.next()? else { return Err(self.syntax()) };
        let column = self.column(&property)?;
        if !matches!(column.kind, ColumnKind::Text { .. } | ColumnKind::Memo { .. }) {
            return Err(bad_request(format!("No function signature for `{function}` matches `{property}`.")));
        }
        self.expect(&DataverseToken::Comma)?;
        let DataverseToken::Text(text) = self.next()? else { return Err(self.syntax()) };
        self.expect(&DataverseToken::Close)?;
        Ok(DataverseFilter::Contains { property, function, text })
    }

    fn column(&self, name: &str) -> DataverseOutcome<&Column> {
        if name.contains('/') {
            return Err(not_modelled(format!("filter over a navigation property `{name}`")));
        }
        self.table.column_of_property(name).ok_or_else(|| no_such_property(self.table, name))
    }
}

/// The literal a column can be compared with; `None` if the types do not go together.
fn fit(column: &Column, token: &DataverseToken) -> Option<Literal> {
    let word = match token {
        DataverseToken::Word(word) if word == "null" => return Some(Literal::Null),
        DataverseToken::Word(word) => word.as_str(),
        DataverseToken::Text(text) => {
            let textual = matches!(column.kind, ColumnKind::Text { .. } | ColumnKind::Memo { .. });
            return textual.then(|| Literal::Text(text.clone()));
        }
        _ => return None,
    };
    match column.kind {
        ColumnKind::Id | ColumnKind::Lookup { .. } => guid(word).map(Literal::Text),
        ColumnKind::Boolean { .. } => word.parse().ok().map(Literal::Boolean),
        ColumnKind::DateTime => word.parse().ok().map(Literal::Time),
        ColumnKind::Date => date(word).map(|d| Literal::Text(d.to_string())),
        ColumnKind::Text { .. } | ColumnKind::Memo { .. } => None,
        _ => word.parse().ok().filter(|n: &f64| n.is_finite()).map(Literal::Number),
    }
}

fn folded(text: &str, fold: bool) -> String {
    if fold { text.to_lowercase() } else { text.to_owned() }
}

/// `None`: the row holds null.
fn order(value: &Value, literal: &Literal, fold: bool) -> Option<Ordering> {
    match (value, literal) {
        (Value::String(text), Literal::Text(other)) => Some(folded(text, fold).cmp(&folded(other, fold))),
        (Value::String(text), Literal::Time(other)) => {
            Some(text.parse::<Timestamp>().expect("stored times are valid").cmp(other))
        }
        (Value::Number(number), Literal::Number(other)) => number.as_f64()?.partial_cmp(other),
        (Value::Bool(flag), Literal::Boolean(other)) => Some(flag.cmp(other)),
        _ => None,
    }
}

impl DataverseFilter {
    /// A property and the text it must equal, where all rows that are meant have one.
    pub(super) fn one_value(&self) -> Option<(&str, &str)> {
        match self {
            DataverseFilter::And(a, b) => a.one_value().or_else(|| b.one_value()),
            DataverseFilter::Compare { property, operator, literal: Literal::Text(text) }
                if operator == "eq" =>
            {
                Some((property, text))
            }
            _ => None,
        }
    }

    pub(super) fn holds(&self, row: &DataverseRow, fold: bool) -> bool {
        match self {
            DataverseFilter::And(a, b) => a.holds(row, fold) && b.holds(row, fold),
            DataverseFilter::Or(a, b) => a.holds(row, fold) || b.holds(row, fold),
            DataverseFilter::Not(a) => !a.holds(row, fold),
            DataverseFilter::Compare { property, operator, literal } => {
                let value = &row[property];
                if matches!(literal, Literal::Null) {
                    return match operator.as_str() {
                        "eq" => value.is_null(),
                        "ne" => !value.is_null(),
                        _ => false,
                    };
                }
                let order = order(value, literal, fold);
                match operator.as_str() {
                    "eq" => order == Some(Ordering::Equal),
                    "ne" => order != Some(Ordering::Equal),
                    "gt" => order == Some(Ordering::Greater),
                    "lt" => order == Some(Ordering::Less),
                    "ge" => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
                    _ => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                }
            }
            DataverseFilter::Contains { property, function, text } => {
                let Some(value) = row[property].as_str() else { return false };
                let (value, text) = (folded(value, fold), folded(text, fold));
                match function.as_str() {
                    "startswith" => value.starts_with(&text),
                    "endswith" => value.ends_with(&text),
                    _ => value.contains(&text),
                }
            }
        }
    }
}

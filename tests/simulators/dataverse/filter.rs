//! `$filter`: comparisons, `and`/`or`/`not`, parentheses, `startswith`/`contains`/`endswith`; the rest is not modelled.

use super::metadata::{Column, Kind, Table};
use super::refusal::{Outcome, Refusal, bad_request, no_such_property, not_modelled};
use super::store::Row;
use super::values::{date, guid};
use jiff::Timestamp;
use serde_json::Value;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
enum Token {
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
pub(super) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare { property: String, operator: String, literal: Literal },
    Contains { property: String, function: String, text: String },
}

pub(super) fn parse(table: &Table, text: &str) -> Outcome<Filter> {
    let mut parser = Parser { table, tokens: tokens(text)?, at: 0, source: text };
    let filter = parser.either()?;
    if parser.at < parser.tokens.len() { Err(parser.syntax()) } else { Ok(filter) }
}

fn tokens(text: &str) -> Outcome<Vec<Token>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut taken = 1;
        match first {
            ' ' => {}
            '(' => found.push(Token::Open),
            ')' => found.push(Token::Close),
            ',' => found.push(Token::Comma),
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
                found.push(Token::Text(value));
            }
            _ => {
                taken = rest.find([' ', '(', ')', ',', '\'']).unwrap_or(rest.len());
                found.push(Token::Word(rest[..taken].to_owned()));
            }
        }
        rest = &rest[taken..];
    }
    Ok(found)
}

struct Parser<'a> {
    table: &'a Table,
    tokens: Vec<Token>,
    at: usize,
    source: &'a str,
}

impl Parser<'_> {
    fn syntax(&self) -> Refusal {
        bad_request(format!("Syntax error at position {} in '{}'.", self.at, self.source))
    }

    fn next(&mut self) -> Outcome<Token> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(|| self.syntax())?;
        self.at += 1;
        Ok(token)
    }

    fn word_is(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w == word)
    }

    fn expect(&mut self, token: &Token) -> Outcome<()> {
        if self.next()? == *token { Ok(()) } else { Err(self.syntax()) }
    }

    fn either(&mut self) -> Outcome<Filter> {
        let mut left = self.both()?;
        while self.word_is("or") {
            self.at += 1;
            left = Filter::Or(left.into(), self.both()?.into());
        }
        Ok(left)
    }

    fn both(&mut self) -> Outcome<Filter> {
        let mut left = self.single()?;
        while self.word_is("and") {
            self.at += 1;
            left = Filter::And(left.into(), self.single()?.into());
        }
        Ok(left)
    }

    fn single(&mut self) -> Outcome<Filter> {
        let name = match self.next()? {
            Token::Open => {
                let inner = self.either()?;
                self.expect(&Token::Close)?;
                return Ok(inner);
            }
            Token::Word(word) if word == "not" => return Ok(Filter::Not(self.single()?.into())),
            Token::Word(word) => word,
            _ => return Err(self.syntax()),
        };
        if self.tokens.get(self.at) == Some(&Token::Open) {
            return self.function(name);
        }
        let column = self.column(&name)?.clone();
        let Token::Word(operator) = self.next()? else { return Err(self.syntax()) };
        if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&operator.as_str()) {
            return Err(not_modelled(format!("operator `{operator}` in a filter")));
        }
        let token = self.next()?;
        let literal = fit(&column, &token).ok_or_else(|| {
            let shown = match &token {
                Token::Text(t) => format!("'{t}'"),
                Token::Word(w) => w.clone(),
                other => format!("{other:?}"),
            };
            bad_request(format!(
                "A binary operator with incompatible types was detected: `{name} {operator} {shown}`."
            ))
        })?;
        Ok(Filter::Compare { property: name, operator, literal })
    }

    fn function(&mut self, function: String) -> Outcome<Filter> {
        if !["startswith", "endswith", "contains"].contains(&function.as_str()) {
            return Err(not_modelled(format!("function `{function}` in a filter")));
        }
        self.expect(&Token::Open)?;
        let Token::Word(property) = self.next()? else { return Err(self.syntax()) };
        let column = self.column(&property)?;
        if !matches!(column.kind, Kind::Text { .. } | Kind::Memo { .. }) {
            return Err(bad_request(format!("No function signature for `{function}` matches `{property}`.")));
        }
        self.expect(&Token::Comma)?;
        let Token::Text(text) = self.next()? else { return Err(self.syntax()) };
        self.expect(&Token::Close)?;
        Ok(Filter::Contains { property, function, text })
    }

    fn column(&self, name: &str) -> Outcome<&Column> {
        if name.contains('/') {
            return Err(not_modelled(format!("filter over a navigation property `{name}`")));
        }
        self.table.column_of_property(name).ok_or_else(|| no_such_property(self.table, name))
    }
}

/// The literal a column can be compared with; `None` if the types do not go together.
fn fit(column: &Column, token: &Token) -> Option<Literal> {
    let word = match token {
        Token::Word(word) if word == "null" => return Some(Literal::Null),
        Token::Word(word) => word.as_str(),
        Token::Text(text) => {
            let textual = matches!(column.kind, Kind::Text { .. } | Kind::Memo { .. });
            return textual.then(|| Literal::Text(text.clone()));
        }
        _ => return None,
    };
    match column.kind {
        Kind::Id | Kind::Lookup { .. } => guid(word).map(Literal::Text),
        Kind::Boolean { .. } => word.parse().ok().map(Literal::Boolean),
        Kind::DateTime => word.parse().ok().map(Literal::Time),
        Kind::Date => date(word).map(|d| Literal::Text(d.to_string())),
        Kind::Text { .. } | Kind::Memo { .. } => None,
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

impl Filter {
    /// A property and the text it must equal, where all rows that are meant have one.
    pub(super) fn one_value(&self) -> Option<(&str, &str)> {
        match self {
            Filter::And(a, b) => a.one_value().or_else(|| b.one_value()),
            Filter::Compare { property, operator, literal: Literal::Text(text) } if operator == "eq" => {
                Some((property, text))
            }
            _ => None,
        }
    }

    pub(super) fn holds(&self, row: &Row, fold: bool) -> bool {
        match self {
            Filter::And(a, b) => a.holds(row, fold) && b.holds(row, fold),
            Filter::Or(a, b) => a.holds(row, fold) || b.holds(row, fold),
            Filter::Not(a) => !a.holds(row, fold),
            Filter::Compare { property, operator, literal } => {
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
            Filter::Contains { property, function, text } => {
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

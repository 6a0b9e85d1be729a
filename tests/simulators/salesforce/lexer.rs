//! SOQL in tokens, each with the column where it stands.

use super::refusal::{SalesforceOutcome, refuse};
use super::times;
use serde_json::{Value, json};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum SoqlToken {
    /// A keyword or a path such as `Account.Name`.
    Word(String),
    Text(String),
    Number(f64, bool),
    Date(String),
    DateTime(jiff::Timestamp),
    Sign(&'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub token: SoqlToken,
    pub shown: String,
    /// Counted in characters, from 1.
    pub column: usize,
}

pub(super) fn malformed(message: impl Into<String>) -> super::refusal::SalesforceRefusal {
    refuse(400, "MALFORMED_QUERY", message)
}

const SIGNS: [&str; 10] = ["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ","];

pub(super) fn tokens(soql: &str) -> SalesforceOutcome<Vec<Lexeme>> {
    let chars: Vec<char> = soql.chars().collect();
    let (mut found, mut n) = (vec![], 0);
    while n < chars.len() {
        let start = n;
        let c = chars[n];
        let rest = |from: usize| chars[from..].iter().take(2).collect::<String>();
        if c.is_whitespace() {
            n += 1;
            continue;
        }
        let token = if c == '\'' {
            n += 1;
            let mut text = String::new();
            loop {
                match chars.get(n) {
                    None => {
                        return Err(malformed(format!(
                            "line 1:{} no viable alternative at character '<EOF>'",
                            n + 1
                        )));
                    }
                    Some('\'') => break,
                    Some('\\') => {
                        n += 1;
                        text.push(escaped(chars.get(n).copied())?);
                    }
                    Some(other) => text.push(*other),
                }
                n += 1;
            }
            n += 1;
            SoqlToken::Text(text)
        } else if let Some(sign) = SIGNS.iter().find(|s| rest(n).starts_with(**s)) {
            n += sign.len();
            SoqlToken::Sign(if *sign == "<>" { "!=" } else { sign })
        } else if c.is_ascii_digit()
            || ((c == '-' || c == '+') && chars.get(n + 1).is_some_and(char::is_ascii_digit))
        {
            n += 1;
            while chars.get(n).is_some_and(|c| c.is_ascii_alphanumeric() || ['.', ':', '-', '+'].contains(c))
            {
                n += 1;
            }
            literal(&chars[start..n].iter().collect::<String>())?
        } else if c.is_ascii_alphabetic() {
            while chars.get(n).is_some_and(|c| c.is_ascii_alphanumeric() || ['_', '.'].contains(c)) {
                n += 1;
            }
            SoqlToken::Word(chars[start..n].iter().collect())
        } else {
            return Err(malformed(format!("line 1:{start} no viable alternative at character '{c}'")));
        };
        found.push(Lexeme { token, shown: chars[start..n].iter().collect(), column: start + 1 });
    }
    Ok(found)
}

/// A backslash and what follows it: the documented sequences and no other. `\%` and `\_` stay as they are for LIKE.
fn escaped(c: Option<char>) -> SalesforceOutcome<char> {
    Ok(match c {
        Some('\'') => '\'',
        Some('"') => '"',
        Some('\\') => '\\',
        Some('n' | 'N') => '\n',
        Some('r' | 'R') => '\r',
        Some('t' | 'T') => '\t',
        Some('b' | 'B') => '\u{8}',
        Some('f' | 'F') => '\u{c}',
        Some('%') => ESCAPED_PERCENT,
        Some('_') => ESCAPED_UNDERSCORE,
        other => {
            let shown = other.map_or("<EOF>".to_owned(), String::from);
            return Err(malformed(format!("Illegal string literal: unknown escape sequence \\{shown}")));
        }
    })
}

/// Private characters that stand for `\%` and `\_` until LIKE has looked at them.
pub(super) const ESCAPED_PERCENT: char = '\u{e000}';
pub(super) const ESCAPED_UNDERSCORE: char = '\u{e001}';

fn literal(text: &str) -> SalesforceOutcome<SoqlToken> {
    let digits = text.trim_start_matches(['-', '+']);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = text.parse::<f64>().ok().filter(|_| plain && !digits.ends_with('.'));
    if let Some(value) = number {
        return Ok(SoqlToken::Number(value, !text.contains('.')));
    }
    if times::date(text).is_some() {
        return Ok(SoqlToken::Date(text.to_owned()));
    }
    match times::date_time(text) {
        Some(at) => Ok(SoqlToken::DateTime(at)),
        None => Err(malformed(format!("unexpected token: {text}"))),
    }
}

impl SoqlToken {
    /// As a value of a row would be.
    pub(super) fn value(&self) -> Option<Value> {
        Some(match self {
            SoqlToken::Text(text) => {
                json!(text.replace(ESCAPED_PERCENT, "%").replace(ESCAPED_UNDERSCORE, "_"))
            }
            SoqlToken::Number(value, _) => json!(value),
            SoqlToken::Date(day) => json!(day),
            SoqlToken::DateTime(at) => json!(times::stamp(*at)),
            SoqlToken::Word(word) => match word.to_ascii_lowercase().as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Value::Null,
                _ => return None,
            },
            SoqlToken::Sign(_) => return None,
        })
    }
}

//! The documented subset of OData `$filter`: comparisons of listed members, `and`, parentheses, `team/any`.

use super::{
    Switches,
    answer::{Refusal, invalid},
    schema::{DIRECTIONS, QUALIFICATIONS, STATUSES, SUBSTATUSES, TYPES},
};
use jiff::Timestamp;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    All(Vec<Filter>),
    /// A text member equals a literal.
    Is(Field, String),
    /// An instant compares with a literal.
    At(Field, Compare, Timestamp),
    /// Somebody of the own team has this address.
    TeamHas(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Compare {
    Eq,
    Ge,
    Gt,
    Le,
    Lt,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Field {
    name: &'static str,
    pointer: &'static str,
    words: Option<&'static [&'static str]>,
}

const TEXTS: &[Field] = &[
    Field { name: "engagementId", pointer: "/engagementId", words: None },
    Field { name: "status", pointer: "/status", words: Some(STATUSES) },
    Field { name: "substatus", pointer: "/substatus", words: Some(SUBSTATUSES) },
    Field { name: "qualification", pointer: "/qualification", words: Some(QUALIFICATIONS) },
    Field { name: "type", pointer: "/type", words: Some(TYPES) },
    Field { name: "direction", pointer: "/direction", words: Some(DIRECTIONS) },
    Field {
        name: "customerProfile/address/country",
        pointer: "/customerProfile/address/country",
        words: None,
    },
];
const INSTANTS: &[Field] = &[
    Field { name: "updatedDateTime", pointer: "/updatedDateTime", words: None },
    Field { name: "createdDateTime", pointer: "/createdDateTime", words: None },
];

impl Filter {
    /// Reads a filter; everything outside the documented subset is a 400.
    pub(super) fn parse(text: &str, switches: &Switches) -> Result<Self, Refusal> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, switches };
        let filter = parser.all()?;
        match parser.next() {
            None => Ok(filter),
            Some(t) => Err(refuse(&format!("unexpected `{t}`"))),
        }
    }

    pub(super) fn matches(&self, referral: &Value) -> bool {
        let text = |f: &Field| referral.pointer(f.pointer).and_then(Value::as_str);
        match self {
            Filter::All(parts) => parts.iter().all(|p| p.matches(referral)),
            Filter::Is(field, literal) => match text(field) {
                Some(t) if field.name == "engagementId" => t.eq_ignore_ascii_case(literal),
                Some(t) => t == literal,
                None => false,
            },
            Filter::At(field, compare, literal) => {
                match text(field).and_then(|t| t.parse::<Timestamp>().ok()) {
                    None => false,
                    Some(t) => match compare {
                        Compare::Eq => t == *literal,
                        Compare::Ge => t >= *literal,
                        Compare::Gt => t > *literal,
                        Compare::Le => t <= *literal,
                        Compare::Lt => t < *literal,
                    },
                }
            }
            Filter::TeamHas(email) => referral["team"]
                .as_array()
                .is_some_and(|team| team.iter().any(|m| m["email"] == email.as_str())),
        }
    }

    /// Before this instant nothing was updated that this asks for.
    pub(super) fn updated_since(&self) -> Option<Timestamp> {
        match self {
            Filter::All(parts) => parts.iter().filter_map(Filter::updated_since).max(),
            Filter::At(field, Compare::Eq | Compare::Ge | Compare::Gt, at) => {
                (field.name == "updatedDateTime").then_some(*at)
            }
            _ => None,
        }
    }

    /// The one engagement that this asks for.
    pub(super) fn engagement(&self) -> Option<&str> {
        match self {
            Filter::All(parts) => parts.iter().find_map(Filter::engagement),
            Filter::Is(field, id) if field.name == "engagementId" => Some(id),
            _ => None,
        }
    }
}

fn refuse(text: &str) -> Refusal {
    invalid("invalidFilter", format!("$filter: {text}"))
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(w) => f.write_str(w),
            Token::Text(t) => write!(f, "'{t}'"),
            Token::Open => f.write_str("("),
            Token::Close => f.write_str(")"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = vec![];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            '\'' => {
                let mut literal = String::new();
                loop {
                    match chars.next() {
                        // A doubled quote is one quote.
                        Some('\'') if chars.next_if_eq(&'\'').is_some() => literal.push('\''),
                        Some('\'') => break,
                        Some(c) => literal.push(c),
                        None => return Err(refuse("the string literal has no end")),
                    }
                }
                tokens.push(Token::Text(literal));
            }
            c => {
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| !" ()'".contains(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    switches: &'a Switches,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn expect(&mut self, what: Token) -> Result<(), Refusal> {
        match self.next() {
            Some(t) if *t == what => Ok(()),
            Some(t) => Err(refuse(&format!("expected `{what}`, got `{t}`"))),
            None => Err(refuse(&format!("expected `{what}`, got the end"))),
        }
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut parts = vec![self.one()?];
        while self.tokens.get(self.at) == Some(&Token::Word("and".into())) {
            self.at += 1;
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Filter::All(parts) })
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        match self.next() {
            Some(Token::Open) => {
                let inner = self.all()?;
                self.expect(Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(name)) if name == "team/any" => self.team(),
            Some(Token::Word(name)) => self.comparison(name),
            Some(t) => Err(refuse(&format!("unexpected `{t}`"))),
            None => Err(refuse("it ends too early")),
        }
    }

    fn comparison(&mut self, name: &str) -> Result<Filter, Refusal> {
        let compare = match self.next() {
            Some(Token::Word(w)) => match w.as_str() {
                "eq" => Compare::Eq,
                "ge" => Compare::Ge,
                "gt" => Compare::Gt,
                "le" => Compare::Le,
                "lt" => Compare::Lt,
                other => return Err(refuse(&format!("operator `{other}` is not supported"))),
            },
            _ => return Err(refuse(&format!("`{name}` needs a comparison"))),
        };
        let literal = self.next();
        if let Some(field) = TEXTS.iter().find(|f| f.name == name) {
            let (Compare::Eq, Some(Token::Text(text))) = (compare, literal) else {
                return Err(refuse(&format!("`{name}` compares with eq and a quoted string only")));
            };
            if field.words.is_some_and(|w| !w.contains(&text.as_str())) {
                return Err(refuse(&format!("`{text}` is no value of `{name}`")));
            }
            if name == "engagementId" && uuid::Uuid::parse_str(text).is_err() {
                return Err(refuse(&format!("`{text}` is no GUID")));
            }
            return Ok(Filter::Is(*field, text.clone()));
        }
        let listed = match name {
            "updatedDateTime" => self.switches.filter_updated,
            "createdDateTime" => self.switches.filter_created,
            _ => false,
        };
        match INSTANTS.iter().find(|f| f.name == name && listed) {
            None => Err(refuse(&format!("`{name}` cannot be filtered"))),
            Some(field) => match literal {
                Some(Token::Word(w)) if w.ends_with('Z') => {
                    let at = w.parse().map_err(|_| refuse(&format!("`{w}` is no date-time")))?;
                    Ok(Filter::At(*field, compare, at))
                }
                _ => Err(refuse(&format!("`{name}` compares with an unquoted UTC date-time"))),
            },
        }
    }

    /// `team/any(t:t/email eq 'a@b.example')`, with any variable name.
    fn team(&mut self) -> Result<Filter, Refusal> {
        let shape = || refuse("expected `team/any(t:t/email eq '...')`");
        self.expect(Token::Open)?;
        let Some(Token::Word(lambda)) = self.next() else { return Err(shape()) };
        let (variable, path) = lambda.split_once(':').ok_or_else(shape)?;
        if variable.is_empty() || path.strip_prefix(variable) != Some("/email") {
            return Err(shape());
        }
        self.expect(Token::Word("eq".into()))?;
        let Some(Token::Text(email)) = self.next() else { return Err(shape()) };
        self.expect(Token::Close)?;
        Ok(Filter::TeamHas(email.clone()))
    }
}

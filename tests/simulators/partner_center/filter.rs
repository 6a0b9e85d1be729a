//! The documented subset of OData `$filter`: comparisons of listed members, `and`, parentheses, `team/any`.

use super::{
    PartnerCenterSwitches,
    answer::{PartnerCenterRefusal, invalid},
    schema::{DIRECTIONS, QUALIFICATIONS, STATUSES, SUBSTATUSES, TYPES},
};
use jiff::Timestamp;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReferralFilter {
    All(Vec<ReferralFilter>),
    /// A text member equals a literal.
    Is(FilterField, String),
    /// An instant compares with a literal.
    At(FilterField, Compare, Timestamp),
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
pub(super) struct FilterField {
    name: &'static str,
    pointer: &'static str,
    words: Option<&'static [&'static str]>,
}

const TEXTS: &[FilterField] = &[
    FilterField { name: "engagementId", pointer: "/engagementId", words: None },
    FilterField { name: "status", pointer: "/status", words: Some(STATUSES) },
    FilterField { name: "substatus", pointer: "/substatus", words: Some(SUBSTATUSES) },
    FilterField { name: "qualification", pointer: "/qualification", words: Some(QUALIFICATIONS) },
    FilterField { name: "type", pointer: "/type", words: Some(TYPES) },
    FilterField { name: "direction", pointer: "/direction", words: Some(DIRECTIONS) },
    FilterField {
        name: "customerProfile/address/country",
        pointer: "/customerProfile/address/country",
        words: None,
    },
];
const INSTANTS: &[FilterField] = &[
    FilterField { name: "updatedDateTime", pointer: "/updatedDateTime", words: None },
    FilterField { name: "createdDateTime", pointer: "/createdDateTime", words: None },
];

impl ReferralFilter {
    /// Reads a filter; everything outside the documented subset is a 400.
    pub(super) fn parse(text: &str, switches: &PartnerCenterSwitches) -> Result<Self, PartnerCenterRefusal> {
        let tokens = tokens(text)?;
        let mut parser = ReferralParser { tokens: &tokens, at: 0, switches };
        let filter = parser.all()?;
        match parser.next() {
            None => Ok(filter),
            Some(t) => Err(refuse(&format!("unexpected `{t}`"))),
        }
    }

    pub(super) fn matches(&self, referral: &Value) -> bool {
        let text = |f: &FilterField| referral.pointer(f.pointer).and_then(Value::as_str);
        match self {
            ReferralFilter::All(parts) => parts.iter().all(|p| p.matches(referral)),
            ReferralFilter::Is(field, literal) => match text(field) {
                Some(t) if field.name == "engagementId" => t.eq_ignore_ascii_case(literal),
                Some(t) => t == literal,
                None => false,
            },
            ReferralFilter::At(field, compare, literal) => {
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
            ReferralFilter::TeamHas(email) => referral["team"]
                .as_array()
                .is_some_and(|team| team.iter().any(|m| m["email"] == email.as_str())),
        }
    }

    /// Before this instant nothing was updated that this asks for.
    pub(super) fn updated_since(&self) -> Option<Timestamp> {
        match self {
            ReferralFilter::All(parts) => parts.iter().filter_map(ReferralFilter::updated_since).max(),
            ReferralFilter::At(field, Compare::Eq | Compare::Ge | Compare::Gt, at) => {
                (field.name == "updatedDateTime").then_some(*at)
            }
            _ => None,
        }
    }

    /// The one engagement that this asks for.
    pub(super) fn engagement(&self) -> Option<&str> {
        match self {
            ReferralFilter::All(parts) => parts.iter().find_map(ReferralFilter::engagement),
            ReferralFilter::Is(field, id) if field.name == "engagementId" => Some(id),
            _ => None,
        }
    }
}

fn refuse(text: &str) -> PartnerCenterRefusal {
    invalid("invalidFilter", format!("$filter: {text}"))
}

#[derive(Clone, Debug, PartialEq)]
enum ReferralToken {
    Word(String),
    Text(String),
    Open,
    Close,
}

impl std::fmt::Display for ReferralToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReferralToken::Word(w) => f.write_str(w),
            ReferralToken::Text(t) => write!(f, "'{t}'"),
            ReferralToken::Open => f.write_str("("),
            ReferralToken::Close => f.write_str(")"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<ReferralToken>, PartnerCenterRefusal> {
    let mut tokens = vec![];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' => {}
            '(' => tokens.push(ReferralToken::Open),
            ')' => tokens.push(ReferralToken::Close),
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
                tokens.push(ReferralToken::Text(literal));
            }
            c => {
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| !" ()'".contains(*c)) {
                    word.push(c);
                }
                tokens.push(ReferralToken::Word(word));
            }
        }
    }
    Ok(tokens)
}

struct ReferralParser<'a> {
    tokens: &'a [ReferralToken],
    at: usize,
    switches: &'a PartnerCenterSwitches,
}

impl<'a> ReferralParser<'a> {
    fn next(&mut self) -> Option<&'a ReferralToken> {
        self.at += 1;
        self.tokens.get(self.at - 1)
    }

    fn expect(&mut self, what: ReferralToken) -> Result<(), PartnerCenterRefusal> {
        match self.next() {
            Some(t) if *t == what => Ok(()),
            Some(t) => Err(refuse(&format!("expected `{what}`, got `{t}`"))),
            None => Err(refuse(&format!("expected `{what}`, got the end"))),
        }
    }

    fn all(&mut self) -> Result<ReferralFilter, PartnerCenterRefusal> {
        let mut parts = vec![self.one()?];
        while self.tokens.get(self.at) == Some(&ReferralToken::Word("and".into())) {
            self.at += 1;
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { ReferralFilter::All(parts) })
    }

    fn one(&mut self) -> Result<ReferralFilter, PartnerCenterRefusal> {
        match self.next() {
            Some(ReferralToken::Open) => {
                let inner = self.all()?;
                self.expect(ReferralToken::Close)?;
                Ok(inner)
            }
            Some(ReferralToken::Word(name)) if name == "team/any" => self.team(),
            Some(ReferralToken::Word(name)) => self.comparison(name),
            Some(t) => Err(refuse(&format!("unexpected `{t}`"))),
            None => Err(refuse("it ends too early")),
        }
    }

    fn comparison(&mut self, name: &str) -> Result<ReferralFilter, PartnerCenterRefusal> {
        let compare = match self.next() {
            Some(ReferralToken::Word(w)) => match w.as_str() {
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
            let (Compare::Eq, Some(ReferralToken::Text(text))) = (compare, literal) else {
                return Err(refuse(&format!("`{name}` compares with eq and a quoted string only")));
            };
            if field.words.is_some_and(|w| !w.contains(&text.as_str())) {
                return Err(refuse(&format!("`{text}` is no value of `{name}`")));
            }
            if name == "engagementId" && uuid::Uuid::parse_str(text).is_err() {
                return Err(refuse(&format!("`{text}` is no GUID")));
            }
            return Ok(ReferralFilter::Is(*field, text.clone()));
        }
        let listed = match name {
            "updatedDateTime" => self.switches.filter_updated,
            "createdDateTime" => self.switches.filter_created,
            _ => false,
        };
        match INSTANTS.iter().find(|f| f.name == name && listed) {
            None => Err(refuse(&format!("`{name}` cannot be filtered"))),
            Some(field) => match literal {
                Some(ReferralToken::Word(w)) if w.ends_with('Z') => {
                    let at = w.parse().map_err(|_| refuse(&format!("`{w}` is no date-time")))?;
                    Ok(ReferralFilter::At(*field, compare, at))
                }
                _ => Err(refuse(&format!("`{name}` compares with an unquoted UTC date-time"))),
            },
        }
    }

    /// `team/any(t:t/email eq 'a@b.example')`, with any variable name.
    fn team(&mut self) -> Result<ReferralFilter, PartnerCenterRefusal> {
        let shape = || refuse("expected `team/any(t:t/email eq '...')`");
        self.expect(ReferralToken::Open)?;
        let Some(ReferralToken::Word(lambda)) = self.next() else { return Err(shape()) };
        let (variable, path) = lambda.split_once(':').ok_or_else(shape)?;
        if variable.is_empty() || path.strip_prefix(variable) != Some("/email") {
            return Err(shape());
        }
        self.expect(ReferralToken::Word("eq".into()))?;
        let Some(ReferralToken::Text(email)) = self.next() else { return Err(shape()) };
        self.expect(ReferralToken::Close)?;
        Ok(ReferralFilter::TeamHas(email.clone()))
    }
}

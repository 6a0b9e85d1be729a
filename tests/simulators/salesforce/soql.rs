//! The part of SOQL that is modelled, as a tree: one FROM, parents by path, children by subquery. What SOQL has and
//! this part has not is answered 501; what is no SOQL, MALFORMED_QUERY.

use super::lexer::{Lexeme, SoqlToken, malformed, tokens};
use super::refusal::{SalesforceOutcome, not_modelled};

#[derive(Clone, Debug)]
pub(super) struct Select {
    pub items: Vec<SelectItem>,
    pub from: Name,
    pub filter: Option<SoqlCondition>,
    pub order: Vec<OrderBy>,
    pub limit: Option<usize>,
    pub offset: usize,
}

/// A name and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub text: String,
    pub column: usize,
}

#[derive(Clone, Debug)]
pub(super) enum SelectItem {
    Path(Name),
    Children(Select),
    Count,
}

#[derive(Clone, Debug)]
pub(super) enum SoqlCondition {
    All(Vec<SoqlCondition>),
    Any(Vec<SoqlCondition>),
    Not(Box<SoqlCondition>),
    Compare(Name, &'static str, SoqlToken),
    In(Name, bool, Vec<SoqlToken>),
    Like(Name, String),
}

#[derive(Clone, Debug)]
pub(super) struct OrderBy {
    pub path: Name,
    pub descending: bool,
    pub nulls_last: bool,
}

pub(super) fn parse(soql: &str) -> SalesforceOutcome<Select> {
    let tokens = tokens(soql)?;
    let mut parser = SoqlParser { tokens, next: 0 };
    let select = parser.select(false)?;
    match parser.peek() {
        None => Ok(select),
        Some(at) => Err(unexpected(at)),
    }
}

fn unexpected(at: &Lexeme) -> super::refusal::SalesforceRefusal {
    malformed(format!("unexpected token: {}", at.shown))
}

struct SoqlParser {
    tokens: Vec<Lexeme>,
    next: usize,
}

/// Words that begin what SOQL has and we do not.
const ELSEWHERE: [&str; 8] = ["group", "having", "for", "with", "using", "typeof", "all", "update"];

impl SoqlParser {
    fn peek(&self) -> Option<&Lexeme> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> SalesforceOutcome<Lexeme> {
        let at = self.tokens.get(self.next).cloned();
        self.next += 1;
        at.ok_or_else(|| malformed("unexpected token: <EOF>"))
    }

    fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Lexeme { token: SoqlToken::Word(w), .. }) if w.eq_ignore_ascii_case(word))
    }

    fn word(&mut self, word: &str) -> bool {
        let there = self.is(word);
        self.next += usize::from(there);
        there
    }

    fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Lexeme { token: SoqlToken::Sign(s), .. }) if *s == sign);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> SalesforceOutcome<()> {
        if self.sign(sign) {
            return Ok(());
        }
        let at = self.take()?;
        Err(unexpected(&at))
    }

    fn name(&mut self) -> SalesforceOutcome<Name> {
        let at = self.take()?;
        match at.token {
            SoqlToken::Word(text) if !text.ends_with('.') && !text.contains("..") => {
                Ok(Name { text, column: at.column })
            }
            _ => Err(unexpected(&at)),
        }
    }

    fn select(&mut self, inner: bool) -> SalesforceOutcome<Select> {
        let first = self.take()?;
        if !matches!(&first.token, SoqlToken::Word(w) if w.eq_ignore_ascii_case("select")) {
            return Err(unexpected(&first));
        }
        let mut items = vec![];
        loop {
            if self.sign("(") {
                if inner {
                    return Err(not_modelled("a subquery in a subquery"));
                }
                items.push(SelectItem::Children(self.select(true)?));
                self.expect(")")?;
            } else {
                let name = self.name()?;
                if name.text.eq_ignore_ascii_case("typeof") {
                    return Err(not_modelled("TYPEOF"));
                }
                if self.sign("(") {
                    if !name.text.eq_ignore_ascii_case("count") || !self.sign(")") || inner {
                        return Err(not_modelled(format!("the function `{}`", name.text)));
                    }
                    items.push(SelectItem::Count);
                } else {
                    items.push(SelectItem::Path(name));
                }
            }
            if !self.sign(",") {
                break;
            }
        }
        if !self.word("from") {
            let at = self.take()?;
            return Err(unexpected(&at));
        }
        let from = self.name()?;
        let filter = if self.word("where") { Some(self.conditions()?) } else { None };
        let mut order = vec![];
        if self.word("order") {
            if !self.word("by") {
                let at = self.take()?;
                return Err(unexpected(&at));
            }
            loop {
                order.push(self.order()?);
                if !self.sign(",") {
                    break;
                }
            }
        }
        let limit = if self.word("limit") { Some(self.count()?) } else { None };
        let offset = if self.word("offset") { self.count()? } else { 0 };
        if let Some(Lexeme { token: SoqlToken::Word(word), .. }) = self.peek()
            && ELSEWHERE.iter().any(|other| word.eq_ignore_ascii_case(other))
        {
            return Err(not_modelled(format!("`{word}` in a query")));
        }
        let counted = items.iter().any(|item| matches!(item, SelectItem::Count));
        if counted && items.len() > 1 {
            return Err(not_modelled("COUNT() beside other fields"));
        }
        Ok(Select { items, from, filter, order, limit, offset })
    }

    fn count(&mut self) -> SalesforceOutcome<usize> {
        let at = self.take()?;
        match at.token {
            SoqlToken::Number(n, true) if n >= 0.0 => Ok(n as usize),
            _ => Err(unexpected(&at)),
        }
    }

    fn order(&mut self) -> SalesforceOutcome<OrderBy> {
        let path = self.name()?;
        let descending = !self.word("asc") && self.word("desc");
        let mut nulls_last = false;
        if self.word("nulls") {
            nulls_last = !self.word("first");
            if nulls_last && !self.word("last") {
                let at = self.take()?;
                return Err(unexpected(&at));
            }
        }
        Ok(OrderBy { path, descending, nulls_last })
    }

    /// AND and OR are not mixed without parentheses.
    fn conditions(&mut self) -> SalesforceOutcome<SoqlCondition> {
        let first = self.condition()?;
        let (joint, other) = match (self.is("and"), self.is("or")) {
            (true, _) => ("and", "or"),
            (_, true) => ("or", "and"),
            _ => return Ok(first),
        };
        let mut all = vec![first];
        while self.word(joint) {
            all.push(self.condition()?);
        }
        if self.is(other) {
            let at = self.take()?;
            return Err(unexpected(&at));
        }
        Ok(if joint == "and" { SoqlCondition::All(all) } else { SoqlCondition::Any(all) })
    }

    fn condition(&mut self) -> SalesforceOutcome<SoqlCondition> {
        if self.word("not") {
            return Ok(SoqlCondition::Not(Box::new(self.condition()?)));
        }
        if self.sign("(") {
            let inside = self.conditions()?;
            self.expect(")")?;
            return Ok(inside);
        }
        let path = self.name()?;
        if self.sign("(") {
            return Err(not_modelled(format!("the function `{}`", path.text)));
        }
        if self.word("like") {
            let at = self.take()?;
            return match at.token {
                SoqlToken::Text(text) => Ok(SoqlCondition::Like(path, text)),
                _ => Err(unexpected(&at)),
            };
        }
        if self.word("includes") || self.word("excludes") {
            return Err(not_modelled("INCLUDES and EXCLUDES"));
        }
        let not = self.word("not");
        if self.word("in") {
            self.expect("(")?;
            if self.is("select") {
                return Err(not_modelled("a semi-join"));
            }
            let mut values = vec![self.literal()?];
            while self.sign(",") {
                values.push(self.literal()?);
            }
            self.expect(")")?;
            return Ok(SoqlCondition::In(path, !not, values));
        }
        let at = self.take()?;
        match at.token {
            SoqlToken::Sign(sign) if !not && !["(", ")", ","].contains(&sign) => {
                Ok(SoqlCondition::Compare(path, sign, self.literal()?))
            }
            _ => Err(unexpected(&at)),
        }
    }

    fn literal(&mut self) -> SalesforceOutcome<SoqlToken> {
        let at = self.take()?;
        if at.token.value().is_some() {
            return Ok(at.token);
        }
        match &at.token {
            SoqlToken::Word(word) if word.to_ascii_uppercase() == *word => {
                Err(not_modelled(format!("the date literal `{word}`")))
            }
            _ => Err(unexpected(&at)),
        }
    }
}

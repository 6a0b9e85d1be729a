//! The filters and tests that a template may use. The size of each one's result is bounded by its input. A filter that
//! is not in this list is a fault of the map, even if it would be harmless.

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, filters, tests};
use std::borrow::Cow;

/// The largest result of a filter, in bytes.
const MOST: usize = 64 * 1024;
/// The most instructions of a template; one of the longest has a few hundred.
const FUEL: u64 = 5_000;

/// An environment with nothing but what is listed here.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    // A name without a value leaves a gap in the text; a misspelt root is a fault of the map.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("abs", filters::abs);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("d", filters::default);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("float", filters::float);
    environment.add_filter("int", filters::int);
    environment.add_filter("join", join);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("replace", replace);
    environment.add_filter("round", filters::round);
    environment.add_filter("string", filters::string);
    environment.add_filter("title", filters::title);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("none", tests::is_none);
    environment.add_test("number", tests::is_number);
    environment.add_test("string", tests::is_string);
    environment.add_test("undefined", tests::is_undefined);
    environment
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("longer than {MOST} bytes"))
}

fn replace(text: Cow<'_, str>, from: Cow<'_, str>, to: Cow<'_, str>) -> Result<String, Error> {
    if from.is_empty() {
        return Ok(text.into_owned());
    }
    let grown = text.matches(&*from).count().saturating_mul(to.len());
    if grown.saturating_add(text.len()) > MOST { Err(too_long()) } else { Ok(text.replace(&*from, &to)) }
}

fn join(list: &Value, between: Option<Cow<'_, str>>) -> Result<String, Error> {
    if let Some(text) = list.as_str() {
        return Ok(text.to_owned());
    }
    let (mut joined, between) = (String::new(), between.unwrap_or_default());
    for (n, item) in list.try_iter()?.enumerate() {
        if n > 0 {
            joined.push_str(&between);
        }
        joined.push_str(&item.to_string());
        if joined.len() > MOST {
            return Err(too_long());
        }
    }
    Ok(joined)
}

//! Short templates for composed text: expressions over one side's values, without statements and without user code.

mod filters;
#[cfg(test)]
mod tests;

use crate::{
    Direction, Map, Record, Referral, Value,
    check::line_of,
    fields::NAME,
    list::RELATIONS,
    reader::Reader,
    rule::Rule,
    text::{unmarked, without_entities},
    tree::Node,
};
use minijinja::{Environment, Error, value::Serde};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The longest template, in bytes.
const LONGEST: usize = 1_000;
/// The longest value that a template gets, in bytes.
const VALUE: usize = 32 * 1024;
/// Beginnings of addresses that are programs.
const SCRIPTS: [&str; 3] = ["javascript:", "vbscript:", "data:"];

/// The compiled templates, by rule.
pub(crate) struct Templates {
    environment: Environment<'static>,
    /// The names that each rule's template uses.
    used: BTreeMap<String, Vec<String>>,
}

impl Templates {
    /// Compiles the templates of all rules; a template with an error is a fault.
    pub(crate) fn compile(reader: &mut Reader, rules: &[Rule], tree: &Node) -> Templates {
        let (mut environment, mut used_by) = (filters::environment(), BTreeMap::new());
        for rule in rules {
            let Some(template) = &rule.template else { continue };
            let key = format!("fields.{}.template", rule.name);
            let line = line_of(tree, &key);
            if template.contains("{%") || template.contains("{#") {
                reader.fault(line, key, "expected text and `{{ }}` expressions only, no statements");
                continue;
            }
            if let Some(words) = unbounded(template).or_else(|| misleading(rule, template)) {
                reader.fault(line, key, words);
                continue;
            }
            if let Err(error) = environment.add_template_owned(rule.name.clone(), template.clone()) {
                let detail = error.detail().unwrap_or("unknown syntax").to_owned();
                reader.fault(line, key, format!("expected a template: {detail}"));
                continue;
            }
            let root = if rule.direction == Some(Direction::ToPartnerCenter) { "record" } else { "referral" };
            let used = environment
                .get_template(&rule.name)
                .map(|t| t.undeclared_variables(true))
                .unwrap_or_default();
            let mut used: Vec<String> = used.into_iter().collect();
            used.sort();
            let strange: Vec<_> = used.iter().filter(|name| name.split('.').next() != Some(root)).collect();
            for name in &strange {
                reader.fault(line, key.clone(), format!("unknown name `{name}`: expected `{root}.…`"));
            }
            if used.is_empty() {
                reader.fault(
                    line,
                    key,
                    format!("expected at least one `{{{{ {root}.… }}}}`; a fixed text is a `constant`"),
                );
            } else if strange.is_empty()
                && let Err(error) = tried(&environment, &rule.name, &used)
            {
                let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
                reader.fault(line, key, format!("expected a template that can be filled in: {detail}"));
            }
            used_by.insert(rule.name.clone(), used);
        }
        Templates { environment, used: used_by }
    }

    /// The columns that a rule's template uses, that is, its names without `record.`.
    pub(crate) fn columns(&self, rule: &Rule) -> impl Iterator<Item = &str> {
        let used = self.used.get(&rule.name).filter(|_| rule.direction == Some(Direction::ToPartnerCenter));
        used.into_iter().flatten().filter_map(|name| name.strip_prefix("record."))
    }

    /// The template's text, from those members that it names.
    fn render(&self, rule: &Rule, root: &str, shown: &Json) -> Option<Value> {
        let template = self.environment.get_template(&rule.name).ok()?;
        let used = self.used.get(&rule.name)?;
        // `referral.customerProfile.name` names one member of the referral, `referral` alone all of them.
        let members_used = || used.iter().map(|name| name.split('.').nth(1));
        let names = |member: &str| members_used().any(|used| used.is_none_or(|used| used == member));
        let members = shown.as_object()?.iter().filter(|(name, value)| names(name) && !value.is_null());
        // A record's texts hold no entities of Partner Center's.
        let entities = rule.entities && root == "referral";
        let members: BTreeMap<&str, Json> =
            members.map(|(name, value)| (name.as_str(), shown_to_template(value, entities))).collect();
        let context = BTreeMap::from([(root, members)]);
        template.render(Serde(context)).ok().map(|text| Value::of_text(text.trim()))
    }
}

/// Refuses what could make a short template cost seconds or gigabytes, because minijinja limits neither the nesting of
/// operators nor repetition.
fn unbounded(template: &str) -> Option<String> {
    if template.len() > LONGEST {
        return Some(format!("{} bytes: expected at most {LONGEST}", template.len()));
    }
    // A text in quotes may contain what looks like the end of an expression.
    let quotes = template.contains(['"', '\'']);
    let mut expressions = template.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let repeats = if quotes { template.contains('*') } else { expressions.any(|text| text.contains('*')) };
    repeats.then(|| "expected no `*` in an expression".into())
}

/// Refuses a link whose host comes from a value: people click on links, and a value from outside must not decide where
/// they lead.
fn misleading(rule: &Rule, template: &str) -> Option<String> {
    let head = template.split("{{").next().unwrap_or_default().trim_start().to_ascii_lowercase();
    let is_link = rule.name.ends_with("_link")
        || head.contains("://")
        || SCRIPTS.iter().any(|script| head.starts_with(script));
    let leads = head.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
    let fixed = leads.is_some_and(|(host, _)| !host.is_empty() && !host.contains(['@', '\\']));
    (is_link && !fixed).then(|| "expected `https://`, a host and `/` before any expression".into())
}

/// Fills a template in with samples. It must work with one of them: a text, a number or a list.
fn tried(environment: &Environment<'_>, name: &str, used: &[String]) -> Result<(), Error> {
    let template = environment.get_template(name)?;
    let mut tried = Ok(());
    for sample in [json!("Harbor Line"), json!(84_000.5), json!(["one", "two"])] {
        match template.render(Serde(filled(used, &sample))) {
            Ok(_) => return Ok(()),
            Err(error) => tried = tried.and(Err(error)),
        }
    }
    tried
}

/// A context in which each of the names has this value.
fn filled(used: &[String], sample: &Json) -> Json {
    let mut context = json!({});
    for path in used {
        let mut place = &mut context;
        for part in path.split('.') {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[part];
        }
        if place.is_null() && path.contains('.') {
            *place = sample.clone();
        }
    }
    context
}

impl Map {
    pub(crate) fn render_referral(&self, rule: &Rule, referral: &Referral) -> Option<Value> {
        self.templates.render(rule, "referral", referral.body())
    }

    /// `None`: a column that the template needs was not read.
    pub(crate) fn render_record(&self, rule: &Rule, record: &Record) -> Option<Value> {
        if self.templates.columns(rule).any(|column| !record.columns.contains_key(column)) {
            return None;
        }
        let (mut context, mut related) = (json!({}), json!({}));
        for (column, value) in &record.columns {
            let name = value.as_str().filter(|_| self.column(NAME) == Some(column));
            let value = name.map_or_else(|| value.clone(), |name| unmarked(name).into());
            match column.split_once('.') {
                Some((relation, column)) if RELATIONS.contains(&relation) => {
                    related[relation][column] = value
                }
                _ => context[column] = value,
            }
        }
        // A record that is not created yet also has the id of its account in the place of the related row.
        for (relation, columns) in related.as_object().into_iter().flatten() {
            context[relation] = columns.clone();
        }
        self.templates.render(rule, "record", &context)
    }
}

/// The JSON without nulls, so that null leaves a gap in the text instead of the word `none`; long texts are cut.
/// `entities`: HTML's entities in its texts are read as characters.
fn shown_to_template(json: &Json, entities: bool) -> Json {
    let shown = |json: &Json| shown_to_template(json, entities);
    match json {
        Json::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            Json::Object(members.map(|(name, value)| (name.clone(), shown(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(shown).collect()),
        Json::String(text) if entities && text.contains('&') => {
            shown_to_template(&without_entities(text).into(), false)
        }
        Json::String(text) if text.len() > VALUE => text[..text.floor_char_boundary(VALUE)].into(),
        plain => plain.clone(),
    }
}

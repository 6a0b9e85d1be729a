//! Short templates for composed text: expressions over what one side shows, no statements, no user code.

use crate::{
    Direction, Map, Record, Referral, Value, check::line_of, fields::NAME, list::RELATIONS, reader::Reader,
    rule::Rule, text::unmarked, tree::Node,
};
use minijinja::{Environment, UndefinedBehavior, value::Serde};
use serde_json::{Value as Json, json};

/// The compiled templates, by rule.
pub(crate) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// Compiles the templates of all rules; notes those that are none.
    pub(crate) fn compile(reader: &mut Reader, rules: &[Rule], tree: &Node) -> Templates {
        let mut environment = Environment::new();
        // A name that is not there is a gap in the text, seen as empty; a misspelt root is a fault of the map.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        for rule in rules {
            let Some(template) = &rule.template else { continue };
            let key = format!("fields.{}.template", rule.name);
            let line = line_of(tree, &key);
            if template.contains("{%") || template.contains("{#") {
                reader.fault(line, key, "expected text and `{{ }}` expressions only, no statements");
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
            for name in used.iter().filter(|name| name.split('.').next() != Some(root)) {
                reader.fault(line, key.clone(), format!("unknown name `{name}`: expected `{root}.…`"));
            }
            if used.is_empty() {
                reader.fault(
                    line,
                    key,
                    format!("expected at least one `{{{{ {root}.… }}}}`; a fixed text is a `constant`"),
                );
            }
        }
        Templates { environment }
    }

    /// The names a rule's template uses, without `record.` in front.
    pub(crate) fn columns(&self, rule: &Rule) -> Vec<String> {
        if rule.direction != Some(Direction::ToPartnerCenter) {
            return Vec::new();
        }
        let used = self
            .environment
            .get_template(&rule.name)
            .map(|t| t.undeclared_variables(true))
            .unwrap_or_default();
        used.iter().filter_map(|name| name.strip_prefix("record.").map(str::to_owned)).collect()
    }

    fn render(&self, rule: &Rule, context: Json) -> Option<Value> {
        let template = self.environment.get_template(&rule.name).ok()?;
        template.render(Serde(without_nulls(&context))).ok().map(|text| Value::of_text(text.trim()))
    }
}

impl Map {
    pub(crate) fn render_referral(&self, rule: &Rule, referral: &Referral) -> Option<Value> {
        self.templates.render(rule, json!({ "referral": referral.body() }))
    }

    /// `None` if a column it needs was not read.
    pub(crate) fn render_record(&self, rule: &Rule, record: &Record) -> Option<Value> {
        if self.templates.columns(rule).iter().any(|column| !record.columns.contains_key(column)) {
            return None;
        }
        let mut context = json!({});
        for (column, value) in &record.columns {
            let name = value.as_str().filter(|_| self.column(NAME) == Some(column));
            let value = name.map_or_else(|| value.clone(), |name| unmarked(name).into());
            match column.split_once('.') {
                Some((relation, column)) if RELATIONS.contains(&relation) => {
                    context[relation][column] = value
                }
                _ => context[column] = value,
            }
        }
        self.templates.render(rule, json!({ "record": context }))
    }
}

/// Null is a gap in the text, not the word `none`.
fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let shown = members.iter().filter(|(_, value)| !value.is_null());
            Json::Object(shown.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        plain => plain.clone(),
    }
}

//! Overrides of the field map: every key of a rule, on rules of every kind, as an administrator might set it.

use crate::story::Override;
use mapping::CrmKind;
use proptest::{prelude::*, sample::select};

/// Rule, key, value for Dynamics 365, value for Salesforce; an empty value: not with this CRM.
type Choice = (&'static str, &'static str, &'static str, &'static str);

/// Each key of a rule that `maps/dynamics365.toml` explains stands here at least once.
const CHOICES: &[Choice] = &[
    ("notes", "crm", "'customerneed'", "'NextStep'"),
    ("notes", "length", "40", "40"),
    ("notes", "referral_length", "30", "30"),
    ("notes", "direction", "'to_crm'", "'to_crm'"),
    ("notes", "direction", "'to_partner_center'", "'to_partner_center'"),
    ("notes", "owner", "'partner_center'", "'partner_center'"),
    ("notes", "entities", "false", "false"),
    ("notes", "only_while_empty", "true", "true"),
    ("notes", "required_by_crm", "true", "true"),
    ("notes", "off", "true", "true"),
    ("notes", "crm_default", "'No description yet.'", "'No description yet.'"),
    ("notes", "default", "'No description yet.'", "'No description yet.'"),
    ("notes", "label", "'Notes'", "'Notes'"),
    ("notes", "referral_else", "'statusReason'", "'statusReason'"),
    ("name", "on", "'create'", "'create'"),
    ("name", "owner", "'partner_center'", "'partner_center'"),
    ("name", "required", "'never'", "'never'"),
    ("name", "length", "60", "60"),
    ("name", "crm", "'customerneed'", ""),
    ("closing_date", "direction", "'to_partner_center'", "'to_partner_center'"),
    ("closing_date", "owner", "'partner_center'", "'partner_center'"),
    ("closing_date", "off", "true", ""),
    ("value", "owner", "'partner_center'", "'partner_center'"),
    ("value", "direction", "'to_crm'", "'to_crm'"),
    ("value", "on", "'create'", "'create'"),
    ("deal_value", "crm", "'new_dealbudget'", "'Deal_Budget__c'"),
    ("deal_value", "precision", "0", "0"),
    ("currency", "constant", "'EUR'", "'EUR'"),
    ("solutions", "required", "'never'", "'never'"),
    ("solutions", "owner", "'partner_center'", "'partner_center'"),
    ("solutions", "direction", "'to_partner_center'", "'to_partner_center'"),
    ("contacts", "required", "'always'", "'always'"),
    ("contacts", "off", "true", "true"),
    ("team", "off", "true", "true"),
    ("visible", "rise_only", "false", "false"),
    ("program", "crm", "'customerneed'", "'NextStep'"),
    ("microsoft_crm_id", "only_while_empty", "true", "true"),
    ("external_reference", "off", "true", "true"),
    ("marketplace_intent", "empty", "'HaveNotDecided'", "'HaveNotDecided'"),
    ("marketplace_intent", "on", "'both'", "'both'"),
    ("help", "on", "'both'", "'both'"),
    ("customer_name", "entities", "false", "false"),
    ("line2", "off", "true", ""),
    ("campaign_code", "off", "false", "false"),
    ("solution_area", "off", "true", "true"),
    ("solution_area", "required", "'with_help'", "'with_help'"),
    (
        "solution_play",
        "solution_default",
        "{ 'SOL-12345-ABC' = 'Data Security' }",
        "{ 'SOL-12345-ABC' = 'Data Security' }",
    ),
    ("solution_play", "optional", "false", "false"),
    ("sales_stage", "off", "false", "false"),
    ("company_size", "off", "false", "false"),
    ("duns", "off", "false", ""),
    (
        "referral_link",
        "template",
        "'https://example.com/{{ referral.id }}'",
        "'https://example.com/{{ referral.id }}'",
    ),
    ("switches", "check_mark", "false", "false"),
    ("switches", "patch_name", "false", "false"),
    ("switches", "cosell_only", "true", "true"),
    ("switches", "add_unknown_solutions", "false", "false"),
    ("switches", "registration_hints", "true", "true"),
    ("switches", "microsoft_note", "false", "false"),
    ("vendor", "event_tolerance", "0", "0"),
    ("vendor", "filter_updated", "false", "false"),
    ("vendor", "microsoft_half", "'post'", "'post'"),
    ("vendor", "microsoft_half", "'appears'", "'appears'"),
    ("vendor", "versionnumber_orders", "false", ""),
    ("vendor", "contact_frozen_once_shared", "false", "false"),
    ("vendor", "error_substatus_writable", "true", "true"),
    ("account", "alike", "false", "false"),
    ("account", "create", "false", "false"),
    ("contact", "create", "false", "false"),
    ("owner", "from_team", "''", "''"),
    ("audit", "length", "400", "400"),
];

/// One of the choices that have a value for this CRM.
pub fn one(crm: CrmKind) -> impl Strategy<Value = Override> {
    let value = move |choice: &Choice| if crm == CrmKind::Dynamics365 { choice.2 } else { choice.3 };
    let fitting: Vec<Choice> = CHOICES.iter().filter(|choice| !value(choice).is_empty()).copied().collect();
    select(fitting).prop_map(move |choice| Override {
        rule: choice.0.to_owned(),
        key: choice.1.to_owned(),
        value: value(&choice).to_owned(),
    })
}

const TABLES: [&str; 6] = ["switches", "vendor", "account", "contact", "owner", "audit"];

/// A map override with all of these; of two for the same key the later counts.
pub fn toml(overrides: &[Override]) -> String {
    let mut seen: Vec<(&str, &str)> = vec![];
    let mut text = String::new();
    for o in overrides.iter().rev() {
        // The later one counts.
        if seen.contains(&(&o.rule, &o.key)) {
            continue;
        }
        seen.push((&o.rule, &o.key));
        let table =
            if TABLES.contains(&o.rule.as_str()) { o.rule.clone() } else { format!("fields.{}", o.rule) };
        text.push_str(&format!("{table}.{} = {}\n", o.key, o.value));
    }
    // Leads do not have these columns: there the rule stays as it was.
    const OF_LEADS: [(&str, &str, &str); 5] = [
        ("notes", "'NextStep'", "Description"),
        ("program", "'NextStep'", "Referral_Program__c"),
        ("notes", "'customerneed'", "description"),
        ("name", "'customerneed'", "subject"),
        ("program", "'customerneed'", "cosell_referralprogram"),
    ];
    for (rule, column, own) in OF_LEADS {
        if text.contains(&format!("fields.{rule}.crm = {column}")) {
            text.push_str(&format!("lead.fields.{rule}.crm = '{own}'\n"));
        }
    }
    text
}

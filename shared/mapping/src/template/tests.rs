//! The cost of a template is bounded by its input, and no value from outside decides where a link leads.

use crate::{CrmKind, Map};

fn faults(template: &str) -> String {
    let map = format!(
        "[fields.notes]\nreferral = \"\"\nrequired = \"never\"\ndirection = \"to_crm\"\ntemplate = '''{template}'''\n"
    );
    let told = Map::with_override(CrmKind::Dynamics365, &map).err().unwrap_or_default();
    told.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn no_template_costs_more_than_what_it_is_given() {
    for (template, word) in [
        ("{{ referral.name|indent(2000000000) }}", "indent"),
        ("{{ referral.name|format(2000000000) }}", "format"),
        ("{{ referral.name|center(2000000000) }}", "center"),
        ("{{ referral.name|batch(2000000000, 1) }}", "batch"),
        ("{{ referral.name|pprint }}", "pprint"),
        ("{{ range(100000)|join }}{{ referral.name }}", "unknown name"),
        ("{{ referral.name * 2000000000 }}", "`*`"),
        ("{{ '}}' * 2000000000 ~ referral.name }}", "`*`"),
        ("{{ '{{' ~ '}}' * 2000000000 ~ referral.name }}", "`*`"),
        ("{{ referral.name is divisibleby(3) }}", "divisibleby"),
    ] {
        let told = faults(template);
        assert!(told.contains(word), "{template}: {told}");
    }
}

#[test]
fn what_maps_use_is_there() {
    for template in [
        "* {{ referral.name|upper|trim|title|lower|capitalize }}",
        "{{ referral.details.dealValue|round|int }}",
        "{{ referral.name|default('none')|replace('a', 'b') }}",
        "{{ referral.target|join(', ') }} {{ referral.target|first }} {{ referral.target|last }}",
        "{{ 'yes' if referral.name is defined else 'no' }}",
        "{{ (referral.details.dealValue / 1000)|round(1) }} k",
        "{{ referral.details }}",
    ] {
        assert_eq!(faults(template), "", "{template}");
    }
}

#[test]
fn growth_is_bounded_whatever_is_chained() {
    let chain = "|replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')".repeat(8);
    let told = faults(&format!("{{{{ (referral.name ~ 'a'){chain} }}}}"));
    assert!(told.contains("longer than"), "{told}");
}

#[test]
fn a_link_leads_where_the_map_says() {
    for bad in [
        "javascript:alert({{ referral.id }})",
        " JavaScript:alert({{ referral.id }})",
        "http://x.example/{{ referral.id }}",
        "https://{{ referral.name }}/x",
        "https://x.example{{ referral.name }}/",
        "https://a@{{ referral.name }}/",
        "ftp://x.example/{{ referral.id }}",
    ] {
        assert!(faults(bad).contains("https://"), "{bad}: {}", faults(bad));
    }
    assert_eq!(faults("https://x.example/{{ referral.id }}"), "");
    let link = "[fields.referral_link]\ntemplate = \"{{ referral.name }}\"\n";
    let told = Map::with_override(CrmKind::Salesforce, link).err().unwrap_or_default();
    assert!(told[0].to_string().contains("https://"), "{told:?}");
}

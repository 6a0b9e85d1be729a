//! Lists of referrals: filters, order, pages.

use super::{super::filter::ReferralFilter, *};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

fn query(office: &mut Office, options: &[(&str, &str)]) -> (u16, Value) {
    let encoded: Vec<String> =
        options.iter().map(|(n, v)| format!("{n}={}", utf8_percent_encode(v, NON_ALPHANUMERIC))).collect();
    office.referrals(&format!("GET ?{}", encoded.join("&")), &[], "")
}

fn names(answer: &(u16, Value)) -> Vec<String> {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["value"].as_array().expect("rows").iter().map(|r| text(r, "name").to_owned()).collect()
}

#[test]
fn documented_filters_parse_and_others_do_not() {
    let switches = PartnerCenterSwitches { filter_created: true, ..PartnerCenterSwitches::default() };
    for good in [
        "engagementId eq '2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22'",
        "(type eq 'Shared' and direction eq 'Incoming')",
        "(direction eq 'Incoming' and substatus eq 'Pending')",
        "status eq 'Active' and direction eq 'Outgoing' and type eq 'Shared' and team/any(t:t/email eq 'x@y.example')",
        "qualification eq 'SalesQualified' and (customerProfile/address/country eq 'US')",
        "updatedDateTime ge 2026-01-01T00:00:00Z and createdDateTime lt 2026-01-01T00:00:00.1234567Z",
        "team/any(member:member/email eq 'o''hara@y.example')",
    ] {
        ReferralFilter::parse(good, &switches).unwrap_or_else(|e| panic!("{good}: {e:?}"));
    }
    for bad in [
        "",
        "status",
        "status eq",
        "status eq Active",
        "status eq 'Open'",
        "status ne 'Active'",
        "status eq 'Active' or status eq 'New'",
        "not status eq 'Active'",
        "contains(name,'x')",
        "name eq 'x'",
        "externalReferenceId eq 'x'",
        "organizationId eq 'msft'",
        "Status eq 'Active'",
        "status eq 'Active",
        "(status eq 'Active'",
        "status eq 'Active')",
        "engagementId eq 'x'",
        "engagementId eq 2f0c7c19-8d5c-4b4a-9a7e-3d6b5b0f4e22",
        "updatedDateTime ge '2026-01-01T00:00:00Z'",
        "updatedDateTime ge 2026-01-01",
        "updatedDateTime ne 2026-01-01T00:00:00Z",
        "team/any(t:x/email eq 'a@b.example')",
        "team/any(t:t/firstName eq 'a')",
        "status eq 'Active' AND type eq 'Shared'",
    ] {
        let refused = ReferralFilter::parse(bad, &switches).expect_err(bad);
        assert_eq!((refused.status, refused.inner.map(|i| i.0)), (400, Some("invalidFilter")), "{bad}");
    }
    assert!(
        ReferralFilter::parse("createdDateTime ge 2026-01-01T00:00:00Z", &PartnerCenterSwitches::default())
            .is_err()
    );
}

#[test]
fn filters_select_rows() {
    let mut office = Office::new();
    let now = office.now;
    let inbound = office.center.refer(&json!({ "name": "in" }), now);
    office.now += SignedDuration::from_secs(60);
    let own = office.center.create_deal(Deal::CoSell, &json!({ "name": "own" }), office.now);
    let engagement = text(&office.center.referrals()[&own], "engagementId").to_uppercase();
    let one = |office: &mut Office, filter: &str| names(&query(office, &[("$filter", filter)]));
    assert_eq!(one(&mut office, "direction eq 'Incoming' and substatus eq 'Pending'"), ["in"]);
    assert_eq!(one(&mut office, "customerProfile/address/country eq 'CH'"), ["in"]);
    assert_eq!(one(&mut office, "team/any(t:t/email eq 'omar.haddad@juniperpeak.example')"), ["own"]);
    assert_eq!(one(&mut office, &format!("engagementId eq '{engagement}'")), ["own", "own"]);
    let edge = text(&office.center.referrals()[&inbound], "updatedDateTime").to_owned();
    assert_eq!(one(&mut office, &format!("updatedDateTime gt {edge}")), ["own", "own"]);
    assert_eq!(one(&mut office, &format!("updatedDateTime le {edge}")), ["in"]);
    assert_eq!(one(&mut office, &format!("updatedDateTime ge {edge}")).len(), 3);
    office.center.switches.list_siblings = false;
    assert_eq!(one(&mut office, &format!("updatedDateTime gt {edge}")), ["own"]);
    assert_eq!(one(&mut office, &format!("engagementId eq '{engagement}'")).len(), 2);
}

#[test]
fn pages_follow_the_odd_next_link() {
    let mut office = Office::new();
    office.center.switches.page_size = 2;
    for n in 0..5 {
        office.center.refer(&json!({ "name": n.to_string() }), office.now);
    }
    for (order, expected) in
        [("updatedDateTime desc", "43210"), ("createdDateTime", "01234"), ("createdDateTime asc", "01234")]
    {
        let mut answer = query(&mut office, &[("$orderby", order)]);
        let (mut seen, mut pages) = (names(&answer).concat(), 1);
        while let Some(next) = answer.1["@odata.nextLink"].as_str().map(str::to_owned) {
            let token =
                next.strip_prefix("http://127.0.0.1:8080/v1.0/referrals?").expect("the documented quirk");
            answer = office.referrals(&format!("GET ?{token}"), &[], "");
            seen += &names(&answer).concat();
            pages += 1;
        }
        assert_eq!((seen.as_str(), pages), (expected, 3), "{order}");
        assert_eq!(answer.1["@odata.count"], 1);
    }
    office.center.switches.odd_next_link = false;
    let next = query(&mut office, &[]).1["@odata.nextLink"].as_str().expect("link").to_owned();
    assert!(next.starts_with("http://127.0.0.1:8080/v1.0/engagements/referrals?$skiptoken="), "{next}");
}

#[test]
fn top_limits_all_pages_or_each() {
    let mut office = Office::new();
    office.center.switches.page_size = 2;
    for n in 0..5 {
        office.center.refer(&json!({ "name": n.to_string() }), office.now);
    }
    let first = query(&mut office, &[("$top", "3")]);
    let next =
        first.1["@odata.nextLink"].as_str().expect("link").split_once('?').expect("query").1.to_owned();
    let second = office.referrals(&format!("GET ?{next}"), &[], "");
    assert_eq!((names(&first).concat(), names(&second).concat()), ("01".to_owned(), "2".to_owned()));
    assert!(second.1.get("@odata.nextLink").is_none());
    assert!(query(&mut office, &[("$top", "1")]).1.get("@odata.nextLink").is_none());
    office.center.switches.top_limits_total = false;
    assert!(query(&mut office, &[("$top", "1")]).1["@odata.nextLink"].is_string());
}

#[test]
fn a_row_changed_between_pages_moves_and_the_rest_stays() {
    let mut office = Office::new();
    office.center.switches.page_size = 2;
    let ids: Vec<String> =
        (0..4).map(|n| office.center.refer(&json!({ "name": n.to_string() }), office.now)).collect();
    let first = query(&mut office, &[("$orderby", "updatedDateTime desc")]);
    office.center.edit(&ids[1], &json!({ "/campaignId": "x" }), office.now).expect("edits");
    let next =
        first.1["@odata.nextLink"].as_str().expect("link").split_once('?').expect("query").1.to_owned();
    assert_eq!(
        (names(&first).concat(), names(&office.referrals(&format!("GET ?{next}"), &[], "")).concat()),
        ("32".into(), "0".into())
    );
}

#[test]
fn lists_have_the_documented_outside() {
    let mut office = Office::new();
    office.center.refer(&json!({}), office.now);
    let answer = query(&mut office, &[]).1;
    let outside: Vec<&str> = answer.as_object().expect("object").keys().map(String::as_str).collect();
    assert_eq!(outside, ["@odata.context", "@odata.count", "value"]);
    assert!(answer["value"][0].get("@odata.context").is_none());
    let chosen = query(&mut office, &[("$select", "id,status,customerProfile")]).1["value"][0].clone();
    assert_eq!(
        chosen.as_object().expect("row").keys().collect::<Vec<_>>(),
        ["customerProfile", "id", "status"]
    );
}

#[test]
fn other_options_are_refused() {
    let mut office = Office::new();
    for (options, expected) in [
        (&[("$orderby", "name")][..], 400),
        (&[("$orderby", "createdDateTime up")], 400),
        (&[("$top", "0")], 400),
        (&[("$top", "x")], 400),
        (&[("$select", "nothing")], 400),
        (&[("$search", "x")], 400),
        (&[("filter", "status eq 'New'")], 400),
        (&[("$skiptoken", "x")], 400),
        (&[("$top", "1"), ("$top", "2")], 400),
        (&[("$expand", "x")], 501),
        (&[("$skip", "1")], 501),
    ] {
        office.center.refer(&json!({}), office.now);
        assert_eq!(query(&mut office, options).0, expected, "{options:?}");
    }
}

//! The token endpoint and sessions.

use super::*;

/// Sends a form to the token endpoint.
pub(super) fn ask(bench: &mut Bench, form: &Value) -> Answer {
    ask_at(bench, form, "127.0.0.1:4711")
}

fn ask_at(bench: &mut Bench, form: &Value, host: &str) -> Answer {
    let encoded = |text: &str| text.replace('+', "%2B").replace(':', "%3A").replace('/', "%2F");
    let pairs = form.as_object().unwrap().iter();
    let body: Vec<String> = pairs.map(|(n, v)| format!("{n}={}", encoded(v.as_str().unwrap()))).collect();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("host", host)];
    Answer::of(bench.raw("POST", "/services/oauth2/token", &headers, &body.join("&")))
}

fn claims(bench: &Bench) -> Value {
    json!({ "iss": CLIENT_ID, "sub": USERNAME, "aud": "https://login.salesforce.com",
            "exp": bench.now.as_second() + 180 })
}

fn with_assertion(claims: &Value) -> Value {
    json!({ "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion(claims) })
}

#[test]
fn an_assertion_buys_a_session_that_ends() {
    let mut bench = Bench::new();
    let form = with_assertion(&claims(&bench));
    let answer = ask(&mut bench, &form).done(200);
    assert!(answer.body.get("expires_in").is_none() && answer.body.get("refresh_token").is_none());
    assert_eq!(answer.body["instance_url"], BASE);
    assert!(answer.body["id"].as_str().unwrap().ends_with(INTEGRATION_USER));
    bench.token = answer.body["access_token"].as_str().unwrap().to_owned();
    bench.get("limits").done(200);
    bench.later(7200);
    bench.get("limits").refused(401, "INVALID_SESSION_ID");
    bench.token = "00DQy00000XyZab!other".into();
    assert_eq!(bench.get("limits").refused(401, "INVALID_SESSION_ID"), "Session expired or invalid");
    assert_eq!(Answer::of(bench.raw("GET", "/services/data/", &[("authorization", "")], "")).status, 200);
}

#[test]
fn an_assertion_is_short_lived_and_for_this_org() {
    let mut bench = Bench::new();
    let refused = |bench: &mut Bench, name: &str, value: Value| {
        let mut claims = claims(bench);
        claims[name] = value;
        let answer = ask(bench, &with_assertion(&claims)).done(400);
        (
            answer.body["error"].as_str().unwrap().to_owned(),
            answer.body["error_description"].as_str().unwrap().to_owned(),
        )
    };
    let now = bench.now.as_second();
    assert_eq!(refused(&mut bench, "exp", json!(now - 1)).1, "expired assertion");
    assert_eq!(refused(&mut bench, "exp", json!(now + 182)).1, "invalid assertion");
    assert_eq!(refused(&mut bench, "aud", json!("https://test.salesforce.com")).1, "audience is invalid");
    bench.org.switches.sandbox = true;
    assert_eq!(refused(&mut bench, "aud", json!("https://login.salesforce.com")).1, "audience is invalid");
    let mut own = claims(&bench);
    own["aud"] = json!(BASE);
    ask(&mut bench, &with_assertion(&own)).done(200);
    bench.org.switches.assertion_seconds = 300;
    own["exp"] = json!(now + 300);
    ask(&mut bench, &with_assertion(&own)).done(200);
    own["exp"] = json!((now + 300).to_string());
    ask(&mut bench, &with_assertion(&own)).done(200);
    bench.org.switches.logins_per_hour = 3;
    assert_eq!(ask(&mut bench, &with_assertion(&own)).done(400).body["error"], "login_rate_exceeded");
    bench.later(-7);
    bench.org.approve(INTEGRATION_USER, Approval::Missing);
    bench.org.switches.external_client_app = false;
    assert_eq!(ask(&mut bench, &with_assertion(&own)).done(400).body["error"], "invalid_grant");
    let other = ask(&mut bench, &json!({ "grant_type": "password" })).done(400);
    assert_eq!(other.body["error"], "unsupported_grant_type");
}

#[test]
fn client_credentials_work_on_my_domain_only() {
    let mut bench = Bench::new();
    let form =
        json!({ "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
    let answer = ask(&mut bench, &form).done(200);
    assert_eq!(answer.body["token_format"], "opaque");
    assert!(answer.body.get("expires_in").is_none());
    let refused = ask_at(&mut bench, &form, "localhost:4711").done(400);
    assert_eq!(refused.body["error"], "invalid_grant");
    bench.org.switches.invalid_client_status = 401;
    bench.org.client_secret = "rotated".into();
    assert_eq!(ask(&mut bench, &form).done(401).body["error"], "invalid_client");
}

/// Status, `error` and `error_description`.
fn told(answer: &Answer) -> (u16, &str, &str) {
    let text = |name: &str| answer.body[name].as_str().unwrap_or_default();
    (answer.status, text("error"), text("error_description"))
}

#[test]
fn an_assertion_needs_both_scopes() {
    let mut bench = Bench::new();
    let form = with_assertion(&claims(&bench));
    let text = "refresh_token scope is required and the connected app should be installed and preauthorized";
    for scopes in [&["api"][..], &["refresh_token"], &[]] {
        bench.org.switches.app_scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        assert_eq!(told(&ask(&mut bench, &form)), (400, "invalid_request", text), "{scopes:?}");
    }
    bench.org.switches.app_scopes = vec!["api".into()];
    let secret =
        json!({ "grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET });
    ask(&mut bench, &secret).done(200);
    let now = bench.now;
    bench.org.control("switches", &json!({ "app_scopes": ["api", "offline_access"] }), now).unwrap().unwrap();
    ask(&mut bench, &form).done(200);
}

#[test]
fn an_app_is_found_where_it_is_installed() {
    let mut bench = Bench::new();
    let form = with_assertion(&claims(&bench));
    let gone = (400, "app_not_found", "External client app is not installed in this org");
    bench.org.switches.app_installed = false;
    assert_eq!(told(&ask(&mut bench, &form)), gone);
    bench.org.switches.app_installed = true;
    bench.org.switches.external_client_app = false;
    ask_at(&mut bench, &form, "localhost:4711").done(200);
    bench.org.switches.external_client_app = true;
    assert_eq!(told(&ask_at(&mut bench, &form, "localhost:4711")), gone, "the login host");
    ask(&mut bench, &form).done(200);
    bench.org.approve(INTEGRATION_USER, Approval::Missing);
    assert_eq!(told(&ask(&mut bench, &form)), gone, "not approved for the user");
}

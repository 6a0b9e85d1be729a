//! Environments, good and bad.

use super::*;
use crate::certificates::{Prefix, STANDARD_ISSUER_PREFIXES, STANDARD_PREFIX};

const WORKER: &[(&str, &str)] = &[
    ("TABLE_NAME", "links"),
    ("QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/hints.fifo"),
    ("LOGIN_URL", "https://login.microsoftonline.com/"),
    ("PARTNER_CENTER_TENANT_ID", "8b2f1c3e-51d0-4a1e-9a64-0c1f6a5e7d01"),
    ("PARTNER_CENTER_CLIENT_ID", "c0de0001-0000-4000-8000-000000000001"),
    ("PARTNER_CENTER_ORGANIZATION_ID", "11111111-0000-4000-8000-000000000001"),
    ("PARTNER_CENTER_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:pc-abcdef"),
    ("PARTNER_CENTER_API_URL", "https://api.partner.microsoft.com"),
    ("PARTNER_CENTER_AUDIENCE", "https://api.partner.microsoft.com"),
    ("PARTNER_CENTER_WRITES", "all"),
    ("CRM", "dynamics365"),
    ("DYNAMICS_URL", "https://contoso.crm4.dynamics.com"),
    ("DYNAMICS_TENANT_ID", "contoso.onmicrosoft.com"),
    ("DYNAMICS_CLIENT_ID", "c0de0002-0000-4000-8000-000000000002"),
    ("CRM_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:crm-abcdef"),
];

/// The variables of `WORKER`, some of them changed; `""` unsets.
fn with(changes: &[(&str, &str)]) -> Result<Worker, Faults> {
    let find = |list: &[(&str, &str)], name: &str| {
        list.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    };
    Worker::read(&|name| find(changes, name).or_else(|| find(WORKER, name)))
}

#[test]
fn a_complete_environment_is_read() {
    let config = with(&[]).unwrap();
    assert_eq!(config.partner_center.login_url, "https://login.microsoftonline.com");
    assert_eq!(config.grace, SignedDuration::from_secs(180));
    assert_eq!(config.partner_center.writes, Writes::All);
}

#[test]
fn all_faults_are_told_together() {
    let faults = with(&[
        ("TABLE_NAME", ""),
        ("DYNAMICS_URL", "https://contoso.crm4.dynamics.com/api"),
        ("GRACE_SECONDS", "soon"),
        ("PARTNER_CENTER_WRITES", "some"),
        ("CRM", "hubspot"),
    ]);
    let told = faults.unwrap_err().0.join("\n");
    for name in ["TABLE_NAME", "DYNAMICS_URL", "GRACE_SECONDS", "PARTNER_CENTER_WRITES", "CRM"] {
        assert!(told.contains(&format!("`{name}`")), "{told}");
    }
    assert_eq!(told.lines().count(), 5, "{told}");
}

#[test]
fn an_unset_switch_is_a_fault_and_never_a_guess() {
    assert!(with(&[("PARTNER_CENTER_WRITES", "")]).is_err());
}

#[test]
fn tokens_never_travel_in_the_clear_except_to_this_machine() {
    for bad in
        ["http://api.partner.microsoft.com", "https://user@host", "api.partner.microsoft.com", "ftp://h"]
    {
        assert!(with(&[("PARTNER_CENTER_API_URL", bad)]).is_err(), "{bad}");
    }
    assert!(with(&[("PARTNER_CENTER_API_URL", "http://127.0.0.1:8080")]).is_ok());
}

#[test]
fn the_ingress_trusts_microsofts_prefix_unless_told_otherwise() {
    let read = |prefixes: &'static str| {
        Ingress::read(&move |name| match name {
            "QUEUE_URL" => Some("http://127.0.0.1:9/q.fifo".to_owned()),
            "WEBHOOK_TOKEN_ARN" => Some("arn:token".to_owned()),
            "CERTIFICATE_URL_PREFIXES" => Some(prefixes.to_owned()),
            _ => None,
        })
    };
    let standard = read("").unwrap().certificates;
    assert_eq!(standard.prefixes, [Prefix::parse(STANDARD_PREFIX).unwrap()]);
    assert!(standard.roots_pem.is_none());
    let two = read("https://a.example/c/, http://127.0.0.1:1/c/").unwrap().certificates;
    assert_eq!(two.prefixes.len(), 2);
    assert!(read("http://a.example/c/").unwrap_err().to_string().contains("http://a.example/c/"));
}

/// Line breaks do not survive the way through a shell into a parameter, so each form here is one line.
#[test]
fn roots_are_read_however_they_were_made_one_line() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let roots = include_str!("../../roots/amazon.pem");
    let certificates = |text: &str| {
        let found = Ingress::read(&|name| match name {
            "QUEUE_URL" => Some("http://127.0.0.1:9/q.fifo".to_owned()),
            "WEBHOOK_TOKEN_ARN" => Some("arn:token".to_owned()),
            "CERTIFICATE_ROOTS_PEM" => Some(text.to_owned()),
            _ => None,
        });
        crate::certificates::pem::certificates(&found.unwrap().certificates.roots_pem?)
    };
    let as_it_is = certificates(roots).expect("certificates");
    assert!(!as_it_is.is_empty());
    for one_line in [
        STANDARD.encode(roots),
        roots.replace('\n', "\\n"),
        roots.replace('\n', ""),
        roots.replace('\n', " "),
    ] {
        assert_eq!(certificates(&one_line).as_ref(), Some(&as_it_is), "{}", &one_line[..60]);
    }
    assert_eq!(certificates("-----BEGIN"), None, "what is left of a PEM at its first blank");
}

#[test]
fn issuers_come_from_microsoft_and_digicert_unless_told_otherwise() {
    let read = |issuers: &'static str| {
        Ingress::read(&move |name| match name {
            "QUEUE_URL" => Some("http://127.0.0.1:9/q.fifo".to_owned()),
            "WEBHOOK_TOKEN_ARN" => Some("arn:token".to_owned()),
            "CERTIFICATE_ISSUER_URLS" => Some(issuers.to_owned()),
            _ => None,
        })
    };
    let standard = STANDARD_ISSUER_PREFIXES.map(|text| Prefix::of_issuers(text).unwrap());
    assert_eq!(read("").unwrap().certificates.issuers, standard);
    let own = read("http://pki.example/certs/, https://a.example/one.crt").unwrap();
    assert_eq!(own.certificates.issuers.len(), 2);
    let told = read("http://pki.example/certs/?x").unwrap_err().to_string();
    assert!(told.contains("CERTIFICATE_ISSUER_URLS") && told.contains("pki.example"), "{told}");
}

fn admin(changed: &[(&str, &str)]) -> Result<Admin, Faults> {
    let more = [
        ("DEAD_LETTER_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/dead.fifo"),
        ("WEBHOOK_URL", "https://x.execute-api.us-east-1.amazonaws.com/webhook"),
        ("WEBHOOK_TOKEN_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:token-AbCdEf"),
        ("ADMIN_RIGHT", "act"),
        ("PARTNER_CENTER_WEBHOOKS_API_URL", "https://api.partnercenter.microsoft.com"),
        ("PARTNER_CENTER_WEBHOOKS_AUDIENCE", "https://api.partnercenter.microsoft.com"),
    ];
    let all: Vec<_> = changed.iter().chain(&more).chain(WORKER).copied().collect();
    Admin::read(&|name| all.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn a_stack_that_writes_nothing_in_partner_center_registers_nothing_there() {
    let standard = admin(&[]).unwrap();
    assert!(standard.register && !standard.overwrite && standard.crm_admin_secret_arn.is_none());
    for (variable, value, parameter) in [
        ("REGISTER_WEBHOOK", "no", "RegisterWebhook=no"),
        ("PARTNER_CENTER_WRITES", "none", "PartnerCenterWrites=none"),
    ] {
        let config = admin(&[(variable, value)]).unwrap();
        assert!(!config.register, "{variable}");
        assert_eq!(config.left_alone_by(), parameter);
    }
    let told = admin(&[("OVERWRITE_REGISTRATION", "perhaps"), ("WEBHOOK_URL", "")]).unwrap_err().to_string();
    assert!(told.contains("OVERWRITE_REGISTRATION") && told.contains("WEBHOOK_URL"), "{told}");
}

#[test]
fn salesforce_needs_its_own_variables_and_no_dataverse() {
    let variables = [
        ("CRM", "salesforce"),
        ("SALESFORCE_LOGIN_URL", "https://contoso.my.salesforce.com"),
        ("SALESFORCE_CLIENT_ID", "key"),
        ("SALESFORCE_USERNAME", "user@x.example"),
        ("DYNAMICS_URL", ""),
    ];
    let config = admin(&variables).unwrap();
    let CrmConfig::Salesforce(salesforce) = config.worker.crm else { panic!("another CRM") };
    assert_eq!(salesforce.host_pattern, "*.my.salesforce.com");
    assert_eq!(salesforce.api_version, "62.0");
    let unsaid = [variables[0], ("SALESFORCE_LOGIN_URL", ""), variables[2], variables[3]];
    assert!(admin(&unsaid).unwrap_err().to_string().contains("My Domain"));
    let old = [variables[0], variables[1], variables[2], variables[3], ("SALESFORCE_API_VERSION", "51.0")];
    assert!(admin(&old).unwrap_err().to_string().contains("52.0"));
}

//! The pieces that every event goes through: verify, parse, convert, merge. Times are this machine's.

use clients::certificates::{Genuine, Trust};
use divan::{Bencher, black_box};
use ingress::{call::Headers, event::Event, signature};
use mapping::{CrmKind, Map, Referral};
use serde_json::{Value, json};
use simulators::{
    clock::Clock,
    partner_center::{Forge, PartnerCenter, bundle_pem},
    server::Server,
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::LazyLock,
};
use sync::{
    link::{Link, State, image},
    merge::{SideFields, merge},
};

const BODY: &str = r#"{"EventName":"referral-updated","ResourceUri":"https://api.partnercenter.microsoft.com/engagements/v1/referrals/2e5d1c7a-6b30-4f8e-9c41-8a7d0b3f5e21","ResourceName":"referral","AuditUri":null,"ResourceChangeUtcDate":"2026-11-20T10:00:00Z"}"#;
const REFERRAL: &str =
    include_str!("../../shared/mapping/tests/fixtures/referral-incoming-cosell-new-pending.json");

static TRUST: LazyLock<Trust> = LazyLock::new(|| Trust::from_pem(&bundle_pem()).expect("roots"));
static SIGNED: LazyLock<Signed> = LazyLock::new(|| Signed::fetch().expect("a simulator"));

/// A webhook's headers, and the certificate they name.
struct Signed {
    headers: Headers,
    certificate: Vec<u8>,
    now: u64,
}

impl Signed {
    fn fetch() -> Result<Self, Box<dyn std::error::Error>> {
        let runtime = tokio::runtime::Runtime::new()?;
        let clock = Clock::default();
        let server = runtime.block_on(Server::start(0, clock.clone(), PartnerCenter::new))?;
        let headers = server.system().headers(BODY.as_bytes(), Forge::Microsoft);
        let headers = Headers::of(headers.iter().map(|(name, value)| (*name, value.as_str())));
        let url = server.url();
        let host = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        let file = Forge::Microsoft.file();
        write!(stream, "GET /cert/{file} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = vec![];
        stream.read_to_end(&mut answer)?;
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("no head")? + 4;
        let now = u64::try_from(clock.now().as_second())?;
        Ok(Signed { headers, certificate: answer.split_off(body), now })
    }

    fn genuine(&self) -> Genuine {
        TRUST.genuine(&self.certificate, self.now).expect("Microsoft's")
    }
}

fn main() {
    divan::main();
}

/// Once for each certificate.
#[divan::bench]
fn chain_verified(bencher: Bencher<'_, '_>) {
    let signed = &*SIGNED;
    bencher.bench(|| black_box(signed).genuine());
}

/// Done at each event, the certificate being known already.
#[divan::bench]
fn body_verified(bencher: Bencher<'_, '_>) {
    let (signed, genuine) = (&*SIGNED, SIGNED.genuine());
    bencher.bench(|| {
        let claim = signature::claim(black_box(&signed.headers)).expect("a claim");
        signature::verify(&claim, BODY.as_bytes(), &genuine, signed.now).is_ok()
    });
}

#[divan::bench]
fn event_parsed_and_made_a_hint(bencher: Bencher<'_, '_>) {
    bencher.bench(|| match Event::parse(black_box(BODY.as_bytes())) {
        Ok(Event::Changed { hint, .. }) => hint.body(),
        _ => String::new(),
    });
}

/// One that both sides work on.
fn referral() -> Referral {
    let mut body: Value = serde_json::from_str(REFERRAL).expect("JSON");
    (body["status"], body["substatus"]) = (json!("Active"), json!("Accepted"));
    Referral::parse(body).expect("a referral")
}

#[divan::bench]
fn referral_parsed() -> Referral {
    referral()
}

#[divan::bench(args = [CrmKind::Dynamics365, CrmKind::Salesforce])]
fn referral_converted(bencher: Bencher<'_, '_>, crm: CrmKind) {
    let (map, referral) = (Map::standard(crm), referral());
    bencher.bench(|| {
        let shown = map.referral_fields(black_box(&referral));
        shown.iter().filter_map(|(unit, value)| map.to_crm(unit, value).ok()).count()
    });
}

/// Both sides changed the same and other units.
#[divan::bench]
fn merged(bencher: Bencher<'_, '_>) {
    let (map, referral) = (Map::standard(CrmKind::Dynamics365), referral());
    let agreed = map.referral_fields(&referral);
    let mut link = Link::new(referral.id().clone(), None, State::Linked);
    for side in [mapping::Side::PartnerCenter, mapping::Side::Crm] {
        link.side_mut(side).images =
            agreed.iter().map(|(unit, value)| (unit.clone(), image(value))).collect();
    }
    let with = |changes: &[(&str, Value)]| {
        let mut fields = agreed.clone();
        for (unit, value) in changes {
            fields.insert((*unit).to_owned(), serde_json::from_value(value.clone()).expect("a value"));
        }
        fields
    };
    let there = with(&[("notes", json!("17 sites.")), ("name", json!("Harbor Line"))]);
    let here = with(&[("notes", json!("18 sites."))]);
    let plan = || {
        let shown = SideFields { partner_center: Some(black_box(&there)), crm: Some(black_box(&here)) };
        merge(map, &link, shown)
    };
    let planned = plan();
    assert!(planned.to_crm.contains_key("name") && planned.to_partner_center.contains_key("notes"));
    bencher.bench(plan);
}

/// As an admin's override is read from the table.
#[divan::bench]
fn map_read(bencher: Bencher<'_, '_>) {
    let text = "[fields.notes]\noff = true\n";
    bencher.bench(|| Map::with_override(CrmKind::Dynamics365, black_box(text)).is_ok());
}

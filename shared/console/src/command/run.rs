//! Commands of this program's own: what is served or followed until Ctrl-C.

use super::{deal, word};
use crate::local;
use clap::{Args, Parser, ValueEnum};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::Value;

/// Where the page listens.
#[derive(Debug, Args)]
pub struct Console {
    /// Its port; 0: any free one.
    #[arg(long, default_value_t = 7071)]
    pub port: u16,
}

/// Which decisions are followed, and since when.
#[derive(Debug, Args)]
pub struct Tail {
    /// Of one deal only, named as for `explain`.
    #[arg(long, value_name = "DEAL")]
    pub deal: Option<String>,
    /// Those of the last while too: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<SignedDuration>,
}

impl Tail {
    /// The admin command that says which referral and which record the deal is.
    pub fn deal(&self) -> Result<Option<Value>, String> {
        let of = |deal: &String| deal::of_deal("explain", deal, &Value::Null);
        self.deal.as_ref().map(of).transpose()
    }
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "expected a time as 30s, 10m, 2h or 1d".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let while_ago = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    if while_ago.is_negative() { Err(wrong()) } else { Ok(while_ago) }
}

/// How the local run is started.
#[derive(Debug, Args)]
pub struct Demo {
    /// Play a deal both ways and print what was expected and seen; exit 0 if all of it holds, 1 if not
    #[arg(long)]
    pub check: bool,
    /// The CRM beside Partner Center
    #[arg(long, value_enum, value_name = "CRM", default_value = "dynamics365")]
    pub crm: Crm,
    /// Lay a field map over the default one
    #[arg(long, value_name = "FILE")]
    pub map: Option<std::path::PathBuf>,
    /// First of six ports (0: any free ones)
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=65_530))]
    pub port: u16,
    /// The page's port (0: any free one)
    #[arg(long, value_name = "N", default_value_t = local::PORT)]
    pub page: u16,
    /// One call in twenty to the vendors fails, in ways drawn from N; `--check` has fair weather
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl Demo {
    /// What the arguments of a program say that is the local run and nothing else. Help and faults end it.
    pub fn alone() -> Self {
        Alone::parse().demo
    }
}

/// The whole co-sell connector on this machine: simulated Partner Center, Dynamics 365 or Salesforce, SQS and Secrets
/// Manager, an embedded DynamoDB, and the real functions between them.
///
/// Without --check it prints the address of a page, on which you act as Microsoft, partner, seller or bad luck and see
/// what follows; ready `curl` lines for the same; and one line for each step, until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "local", bin_name = "cargo run --example local --", max_term_width = 120)]
struct Alone {
    #[command(flatten)]
    demo: Demo,
}

/// The CRM beside Partner Center in a local run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Crm {
    #[value(name = "dynamics365")]
    Dynamics365,
    Salesforce,
}

impl Crm {
    /// As it is named everywhere.
    pub fn word(self) -> String {
        word(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_while_is_given_in_one_unit_or_more() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7_200), ("1d", 86_400), ("1h 30m", 5_400)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for wrong in ["", "10", "-10m", "soon", "1 month", "99999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}

//! The command line: its flags, its commands, and the admin command each of them is.

mod deal;
mod long;
mod map;
mod run;
mod setup;

pub use deal::{About, Deals, Preview, Relink, State};
pub use long::{Action, Filter, Long, Redrive};
pub use map::Map;
pub use run::{Console, Crm, Demo, Tail};
pub use setup::{Deprovision, Register};

use clap::{Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Shown above the usage by `--help`, which newcomers read from its top.
const EXAMPLES: &str = "\
Co-sell connector: what it does with your deals, and what you can do about it.

Examples:
  cosell demo                                 the whole product on this machine, nothing to set up
  cosell --local overview                     ask that run, from another terminal
  cosell --stack cosell-connector doctor      is a deployed stack set up as it should be
  export COSELL_STACK=cosell-connector        ... and from here on without --stack
  cosell deals --state parked                 deals kept and tried again, waiting for someone
  cosell explain DEAL                         why it is as it is; its id, or its address in a browser
  cosell tail --since 10m                     every decision as it is taken
  cosell backfill start --wait                read everything once, and say when that is over
  cosell deals --json | jq '.data.deals[].name'";

/// Shown below the flags by `--help`.
const RULES: &str = "\
Output: the answer goes to standard output, everything else to standard error. Without a
terminal nothing is asked, cut or coloured: what would ask ends with 2 and names the flag to
give. NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM=dumb are respected. --json prints the answer
as it is, with its `schema_version`; `tail --json` prints one object a line.

Exit: 0 fine
      1 faults found, or failed
      2 usage: wrong flags, or a question without a terminal
      3 declined
      4 sign-in or a right is needed
      5 not final: something long is still under way
      130 stopped by Ctrl-C

An error has a code in brackets: shared/console/README.md says what to do.
No telemetry: this program talks to your AWS account or to this machine only.";

/// Co-sell connector: what it does with your deals, and what you can do about it.
#[derive(Debug, Parser)]
#[command(name = "cosell", version, max_term_width = 120, arg_required_else_help = true)]
#[command(before_long_help = EXAMPLES, long_about = "", after_long_help = RULES)]
#[command(after_help = "Examples, exit codes and more: cosell --help")]
pub struct Cosell {
    /// The deployed stack to ask, with your ordinary AWS profile; else the one in COSELL_STACK
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "local")]
    pub stack: Option<String>,
    /// The local run on this machine (`cosell demo`), by its page's port
    #[arg(long, global = true, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "7070")]
    pub local: Option<u16>,
    /// AWS profile, if not the usual one
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region, if not the profile's
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// The answer as it is, as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask before something is changed
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// Colours: at a terminal, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: Color,
    /// The command, with its own arguments.
    #[command(subcommand)]
    pub command: Command,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// The commands, by the words of the command line.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Is it well: how far each side was read, what waits, what is parked
    Overview,
    /// Every linked deal, as a list
    Deals(Deals),
    /// What is parked (kept and tried again, waiting for someone), grouped by what would heal it
    Parked,
    /// What was asked for that changes something: who, when, and how it ended
    Acts,
    /// One deal: both sides as they are now, what was agreed, and every decision with its reason
    Explain(About),
    /// Follows decisions as they are taken, until Ctrl-C
    Tail(Tail),
    /// Both sides of a deal are read now, and what is due is written
    Look(About),
    /// What would be written now, and why; writes nothing
    Preview(Preview),
    /// Is everything set up as it should be, and what to do if not
    Doctor,
    /// Asks Partner Center for a test event and says how it arrived
    Selftest,
    /// What the schedule looks at: registration, queues, what is parked, tokens
    Watch,
    /// What is parked is tried at once
    Retry(Filter),
    /// Dead letters and unusable messages go back to the queue
    Redrive(Redrive),
    /// A detached deal looks for its record, or takes the one you name
    Relink(Relink),
    /// Sets Sync with Partner Center to No at the record: both sides stay as they are
    Disconnect(About),
    /// Every referral and every record with Sync set is looked at; continues by itself
    Backfill(Long),
    /// After the table was restored: all deals are compared anew
    Rebase(Long),
    /// The field map's override
    #[command(subcommand)]
    Map(Map),
    /// Registers the webhook at Partner Center
    Register(Register),
    /// Makes a new secret end of the webhook's address and registers it; the old one is good for another day
    Rotate,
    /// Gives the registration back, if it is ours
    Unregister,
    /// Makes the missing columns and tables of the CRM
    Provision,
    /// Says what of the CRM would go; with both flags it goes, data and all
    Deprovision(Deprovision),
    /// Opens the page on this machine and prints its address
    Console(Console),
    /// The whole product on this machine, with simulated vendors
    Demo(Demo),
    /// Which stack or local run would be asked
    Whoami,
    /// Completions for a shell, to be sourced by it
    Completions {
        /// The shell to complete for.
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// The admin command's event; `None`: a command of this program's own. `read` reads a map's file.
    pub fn event(
        &self,
        read: impl Fn(&std::path::Path) -> Result<String, String>,
    ) -> Result<Option<Value>, String> {
        Ok(Some(match self {
            Command::Console(_)
            | Command::Demo(_)
            | Command::Tail(_)
            | Command::Whoami
            | Command::Completions { .. } => return Ok(None),
            Command::Overview => named("overview"),
            Command::Parked => named("parked"),
            Command::Acts => named("acts"),
            Command::Doctor => named("doctor"),
            Command::Selftest => named("selftest"),
            Command::Watch => named("watch"),
            Command::Rotate => named("rotate"),
            Command::Unregister => named("unregister"),
            Command::Provision => named("provision"),
            Command::Deals(deals) => deals.event(),
            Command::Explain(about) => about.event("explain", &json!({ "sides": "yes" }))?,
            Command::Look(about) => about.event("look", &json!({}))?,
            Command::Preview(preview) => preview.event()?,
            Command::Disconnect(about) => about.event("disconnect", &json!({}))?,
            Command::Retry(filter) => filter.event("retry"),
            Command::Redrive(redrive) => redrive.filter.event("redrive"),
            Command::Relink(relink) => relink.event(),
            Command::Backfill(long) => long.event("backfill"),
            Command::Rebase(long) => long.event("rebase"),
            Command::Register(register) => register.event(),
            Command::Deprovision(going) => going.event(),
            Command::Map(map) => map.event(read)?,
        }))
    }

    /// The question to the user before the command is sent; `None`: it changes nothing, or nothing that another command
    /// could not change back.
    pub fn question(&self) -> Option<String> {
        Some(match self {
            Command::Retry(Filter { filter: None }) => "Try everything that is parked now?".to_owned(),
            Command::Redrive(_) => "Send dead letters and unusable messages again?".to_owned(),
            Command::Relink(relink) => format!("Link referral {} anew?", relink.referral),
            Command::Disconnect(about) => format!("Set Sync to No at the record of {}?", about.deal),
            Command::Backfill(Long { action: Action::Start, .. }) => {
                "Look at every referral and record?".to_owned()
            }
            Command::Rebase(Long { action: Action::Start, .. }) => "Compare every deal anew?".to_owned(),
            Command::Map(Map::Set { file }) => format!("Put {} into effect?", file.display()),
            Command::Map(Map::Rollback { .. }) => "Go back to an earlier map?".to_owned(),
            Command::Register(Register { overwrite: true }) => "Take over the registration?".to_owned(),
            Command::Rotate => "Make a new address for the webhook?".to_owned(),
            Command::Unregister => "Give the registration back?".to_owned(),
            Command::Deprovision(Deprovision { delete_data: true, .. }) => {
                "Delete columns and tables with all that stands in them?".to_owned()
            }
            _ => return None,
        })
    }

    /// Whether it changes nothing. A command that acts is sent only once it is known that its answer will be
    /// understood.
    pub fn only_looks(&self) -> bool {
        match self {
            Command::Overview
            | Command::Deals(_)
            | Command::Parked
            | Command::Acts
            | Command::Explain(_)
            | Command::Tail(_)
            | Command::Preview(_)
            | Command::Doctor
            | Command::Console(_)
            | Command::Demo(_)
            | Command::Whoami
            | Command::Completions { .. }
            | Command::Deprovision(Deprovision { delete_data: false, .. })
            | Command::Map(Map::Show | Map::History | Map::Check { .. })
            | Command::Backfill(Long { action: Action::Status, .. })
            | Command::Rebase(Long { action: Action::Status, .. }) => true,
            Command::Look(_)
            | Command::Selftest
            | Command::Watch
            | Command::Retry(_)
            | Command::Redrive(_)
            | Command::Relink(_)
            | Command::Disconnect(_)
            | Command::Backfill(_)
            | Command::Rebase(_)
            | Command::Map(_)
            | Command::Register(_)
            | Command::Rotate
            | Command::Unregister
            | Command::Provision
            | Command::Deprovision(_) => false,
        }
    }
}

fn named(name: &str) -> Value {
    json!({ "command": name })
}

fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;

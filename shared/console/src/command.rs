//! The command line's words. Each command is one of the admin function's, by its name.

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Co-sell connector: what it does with your deals, and what you can do about it.
///
/// Answers go to standard output, everything else to standard error. Exit: 0 fine, 1 faults found or failed, 2 usage,
/// 3 declined, 4 sign-in needed, 130 stopped.
#[derive(Debug, Parser)]
#[command(name = "cosell", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cosell {
    /// The deployed stack to ask, with your ordinary AWS profile and region.
    #[arg(long, global = true, env = "COSELL_STACK", value_name = "NAME")]
    pub stack: Option<String>,
    /// The local run on this machine (`cargo run --example local`), by its page's port.
    #[arg(long, global = true, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "7070")]
    pub local: Option<u16>,
    /// AWS profile, if not the usual one.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// AWS region, if not the profile's.
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// The answer as it is, as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask before something is changed.
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Is it well: how far each side was read, what waits, what is set aside
    Overview,
    /// Every linked deal, as a list
    Deals(Deals),
    /// What is set aside, grouped by what would heal it
    Parked,
    /// One deal: both sides as they are now, what was agreed, and every decision with its reason
    Explain(About),
    /// Both sides of a deal are read now, and what is due is written
    Look(About),
    /// What would be written now, and why; writes nothing
    Preview(Preview),
    /// Is everything set up as it should be, and what to do if not
    Doctor,
    /// Asks Partner Center for a test event and tells how it arrived
    Selftest,
    /// What the schedule looks at: registration, queues, what is set aside, tokens
    Watch,
    /// What is set aside is tried at once
    Retry(Filter),
    /// Dead letters and unusable messages go back to the queue
    Redrive(Filter),
    /// A detached deal looks for its record, or takes the one you name
    Relink(Relink),
    /// Sets Sync with Partner Center to No at the record: both sides stay as they are
    Disconnect(About),
    /// Every referral and every record with Sync set is looked at; goes on by itself
    Backfill(Long),
    /// After the table was restored: all deals are compared anew
    Rebase(Long),
    /// The field map's override
    #[command(subcommand)]
    Map(Map),
    /// Registers the webhook at Partner Center
    Register(Register),
    /// Gives the registration back, if it is ours
    Unregister,
    /// Makes the missing columns and tables of the CRM
    Provision,
    /// Says what of the CRM would go; with both flags it goes, data and all
    Deprovision(Deprovision),
    /// Opens the page on this machine and prints its address
    Console(Console),
    /// Which stack or local run would be asked
    Whoami,
    /// Completions for a shell, to be sourced by it
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Which deals.
#[derive(Debug, Args)]
pub struct Deals {
    /// Of this state, or with this mark, only.
    #[arg(long, value_enum)]
    pub state: Option<State>,
    /// Part of a name, customer or id.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// At least so many, if there are: the table is read by pages.
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,
    /// Where the list before ended.
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
}

/// A state, or a mark.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum State {
    Creating,
    Linked,
    Detached,
    Closed,
    Stopped,
    Parked,
    Waiting,
    Conflict,
    #[value(name = "awaiting_microsoft")]
    AwaitingMicrosoft,
}

/// A deal.
#[derive(Debug, Args)]
pub struct About {
    /// A referral's or a record's id, `opportunity/ID`, `lead/ID`, or an address of Partner Center or the CRM that has one.
    #[arg(value_name = "DEAL")]
    pub deal: String,
}

/// One deal, or all.
#[derive(Debug, Args)]
pub struct Preview {
    /// As for `explain`.
    #[arg(value_name = "DEAL", required_unless_present = "all")]
    pub deal: Option<String>,
    /// Every deal there is.
    #[arg(long, conflicts_with = "deal")]
    pub all: bool,
}

/// Which of them.
#[derive(Debug, Args)]
pub struct Filter {
    /// Part of an id or of a reason.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

/// A referral, perhaps a record.
#[derive(Debug, Args)]
pub struct Relink {
    /// The referral's id.
    #[arg(value_name = "REFERRAL")]
    pub referral: String,
    /// The record it is to be linked with.
    #[arg(value_name = "RECORD")]
    pub record: Option<String>,
}

/// Something long.
#[derive(Debug, Args)]
pub struct Long {
    /// Begin or go on, say how far it is, or end it where it is.
    #[arg(value_enum, default_value = "status")]
    pub action: Action,
}

/// Of something long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the words themselves")]
pub enum Action {
    Start,
    Status,
    Stop,
}

/// Of the field map's override.
#[derive(Debug, Subcommand)]
pub enum Map {
    /// The one in effect
    Show,
    /// All that were ever set
    History,
    /// Its faults, and what it would change; nothing happens
    Check {
        /// The TOML file; `-` is standard input.
        file: std::path::PathBuf,
    },
    /// Checks it and puts it into effect
    Set {
        /// The TOML file; `-` is standard input.
        file: std::path::PathBuf,
    },
    /// An earlier one again
    Rollback {
        /// Which; else the one before.
        version: Option<u32>,
    },
}

/// Whether a foreign registration is taken over.
#[derive(Debug, Args)]
pub struct Register {
    /// Take over the registration of another program on the same tenant.
    #[arg(long)]
    pub overwrite: bool,
}

/// Both have to be given.
#[derive(Debug, Args)]
pub struct Deprovision {
    /// Delete columns and tables with what stands in them.
    #[arg(long)]
    pub delete_data: bool,
    /// The host of the environment that is meant.
    #[arg(long, value_name = "HOST")]
    pub confirm: Option<String>,
}

/// Where the page listens.
#[derive(Debug, Args)]
pub struct Console {
    /// Its port; 0: any free one.
    #[arg(long, default_value_t = 7071)]
    pub port: u16,
}

impl Command {
    /// The admin command; `None`: this program's own. A map's text is read by `read`.
    pub fn event(
        &self,
        read: impl Fn(&std::path::Path) -> Result<String, String>,
    ) -> Result<Option<Value>, String> {
        let named = |name: &str| json!({ "command": name });
        Ok(Some(match self {
            Command::Console(_) | Command::Whoami | Command::Completions { .. } => return Ok(None),
            Command::Overview => named("overview"),
            Command::Parked => named("parked"),
            Command::Doctor => named("doctor"),
            Command::Selftest => named("selftest"),
            Command::Watch => named("watch"),
            Command::Unregister => named("unregister"),
            Command::Provision => named("provision"),
            Command::Deals(deals) => json!({
                "command": "deals", "state": deals.state.map(word), "filter": deals.filter, "limit": deals.limit,
                "cursor": deals.cursor,
            }),
            Command::Explain(about) => of_deal("explain", &about.deal, &json!({ "sides": "yes" }))?,
            Command::Look(about) => of_deal("look", &about.deal, &json!({}))?,
            Command::Preview(Preview { deal: Some(deal), .. }) => of_deal("preview", deal, &json!({}))?,
            Command::Preview(_) => json!({ "command": "preview", "all": "yes" }),
            Command::Disconnect(about) => of_deal("disconnect", &about.deal, &json!({}))?,
            Command::Retry(filter) => json!({ "command": "retry", "filter": filter.filter }),
            Command::Redrive(filter) => json!({ "command": "redrive", "filter": filter.filter }),
            Command::Relink(relink) => {
                json!({ "command": "relink", "referral": relink.referral, "record": relink.record })
            }
            Command::Backfill(long) => json!({ "command": "backfill", "action": word(long.action) }),
            Command::Rebase(long) => json!({ "command": "rebase", "action": word(long.action) }),
            Command::Register(Register { overwrite: true }) => {
                json!({ "command": "register", "overwrite": "yes" })
            }
            Command::Register(_) => named("register"),
            Command::Deprovision(going) => json!({
                "command": "deprovision", "delete_data": if going.delete_data { "yes" } else { "no" },
                "confirm": going.confirm,
            }),
            Command::Map(map) => of_map(map, read)?,
        }))
    }

    /// What is asked before it happens; `None`: it changes nothing that an answer could not change back.
    pub fn question(&self) -> Option<String> {
        Some(match self {
            Command::Retry(Filter { filter: None }) => "Try everything that is set aside now?".to_owned(),
            Command::Redrive(_) => "Send dead letters and unusable messages again?".to_owned(),
            Command::Relink(relink) => format!("Link referral {} anew?", relink.referral),
            Command::Disconnect(about) => format!("Set Sync to No at the record of {}?", about.deal),
            Command::Backfill(Long { action: Action::Start }) => {
                "Look at every referral and record?".to_owned()
            }
            Command::Rebase(Long { action: Action::Start }) => "Compare every deal anew?".to_owned(),
            Command::Map(Map::Set { file }) => format!("Put {} into effect?", file.display()),
            Command::Map(Map::Rollback { .. }) => "Go back to an earlier map?".to_owned(),
            Command::Register(Register { overwrite: true }) => "Take over the registration?".to_owned(),
            Command::Unregister => "Give the registration back?".to_owned(),
            Command::Deprovision(Deprovision { delete_data: true, .. }) => {
                "Delete columns and tables with all that stands in them?".to_owned()
            }
            _ => return None,
        })
    }
}

fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

fn of_map(map: &Map, read: impl Fn(&std::path::Path) -> Result<String, String>) -> Result<Value, String> {
    Ok(match map {
        Map::Show => json!({ "command": "map", "action": "show" }),
        Map::History => json!({ "command": "map", "action": "history" }),
        Map::Check { file } => json!({ "command": "map", "action": "check", "map": read(file)? }),
        Map::Set { file } => json!({ "command": "map", "action": "set", "map": read(file)? }),
        Map::Rollback { version } => json!({ "command": "map", "action": "rollback", "version": version }),
    })
}

fn of_deal(command: &str, deal: &str, besides: &Value) -> Result<Value, String> {
    let mut event = json!({ "command": command });
    for (name, value) in besides.as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    let (end, id) = end_of(deal).ok_or_else(|| format!("`{deal}` holds no id of a referral or a record"))?;
    event[end] = json!(id);
    Ok(event)
}

/// Which end of a deal was named, and by which id. A bare GUID is taken for a referral's.
fn end_of(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    for kind in ["opportunity", "lead"] {
        if let Some(id) =
            text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).filter(|id| !id.is_empty())
        {
            return Some(("record", format!("{kind}/{id}")));
        }
    }
    let is_lead = text.contains("etn=lead") || text.contains("/Lead/");
    let kind = if is_lead { "lead" } else { "opportunity" };
    let text = &text.replace("%7B", "").replace("%7b", "").replace("%7D", "").replace("%7d", "");
    // An address may hold other ids before the record's own.
    let named = text.find("?id=").or_else(|| text.find("&id=")).map_or("", |at| &text[at + "?id=".len()..]);
    let is_guid = |part: &&str| part.len() == 36 && uuid::Uuid::try_parse(part).is_ok();
    if let Some(guid) = parts(named).next().filter(is_guid).or_else(|| parts(text).find(is_guid)) {
        let of_crm = text.contains(".dynamics.com") || text.contains("etn=");
        return Some(match of_crm {
            true => ("record", format!("{kind}/{guid}")),
            false => ("referral", guid.to_owned()),
        });
    }
    // Salesforce's ids say by their first three characters what they are of.
    let id = parts(text).find(|part| {
        matches!(part.len(), 15 | 18)
            && part.chars().all(|c| c.is_ascii_alphanumeric())
            && (part.starts_with("006") || part.starts_with("00Q"))
    })?;
    let kind = if id.starts_with("00Q") { "lead" } else { "opportunity" };
    Some(("record", format!("{kind}/{id}")))
}

/// What may be an id: letters, digits and hyphens in a row.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    const GUID: &str = "0f9d2c4b-1e55-4a61-9a3d-5d0b1f7e2c01";

    fn event(words: &str) -> Value {
        let parsed = Cosell::try_parse_from(["cosell"].into_iter().chain(words.split(' '))).unwrap();
        parsed.command.event(|_| Ok("[switches]\n".to_owned())).unwrap().unwrap()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cosell::command().debug_assert();
    }

    #[test]
    fn a_deal_is_found_in_whatever_names_it() {
        let of = |text: &str| end_of(text).unwrap();
        assert_eq!(of(GUID), ("referral", GUID.to_owned()));
        assert_eq!(of(&format!("opportunity/{GUID}")), ("record", format!("opportunity/{GUID}")));
        let page = format!("https://partner.microsoft.com/referrals/v2/inbox?id={GUID}");
        assert_eq!(of(&page), ("referral", GUID.to_owned()));
        let page =
            format!("https://contoso.crm.dynamics.com/main.aspx?etn=lead&id={GUID}&pagetype=entityrecord");
        assert_eq!(of(&page), ("record", format!("lead/{GUID}")));
        let app = "5f1c2b7e-9a40-4c0e-8f3d-2b6a7d1e9c55";
        let page =
            format!("https://o.crm.dynamics.com/main.aspx?appid={app}&etn=opportunity&id=%7B{GUID}%7D&x=y");
        assert_eq!(of(&page), ("record", format!("opportunity/{GUID}")), "not the app's");
        let page = "https://contoso.lightning.force.com/lightning/r/Opportunity/006Qy00000kLmNoIAK/view";
        assert_eq!(of(page), ("record", "opportunity/006Qy00000kLmNoIAK".to_owned()));
        assert_eq!(of("00QQy00000AbCdE"), ("record", "lead/00QQy00000AbCdE".to_owned()));
        for nothing in ["", "the deal with Kestrel", "12345", "opportunity/", "0061234"] {
            assert_eq!(end_of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn each_command_is_the_admin_functions() {
        assert_eq!(event("doctor"), json!({ "command": "doctor" }));
        let explain = json!({ "command": "explain", "referral": GUID, "sides": "yes" });
        assert_eq!(event(&format!("--local explain {GUID}")), explain);
        assert_eq!(event("deals --state awaiting_microsoft")["state"], "awaiting_microsoft");
        assert_eq!(event("backfill")["action"], "status", "looking is the default");
        let set = json!({ "command": "map", "action": "set", "map": "[switches]\n" });
        assert_eq!(event("map set mine.toml"), set);
        assert_eq!(event("preview --all"), json!({ "command": "preview", "all": "yes" }));
    }

    /// The page's copied texts, by its own rule (`commandText` in app.js).
    #[test]
    fn what_the_page_copies_is_understood() {
        for words in [
            "explain GUID",
            "look GUID",
            "relink GUID",
            "disconnect GUID",
            "retry --filter GUID",
            "redrive",
            "doctor",
            "selftest",
            "watch",
            "backfill start",
            "backfill stop",
            "map set -",
            "map rollback 2",
            "explain opportunity/GUID",
        ] {
            let words = words.replace("GUID", GUID);
            let parsed = Cosell::try_parse_from(["cosell", "--local"].into_iter().chain(words.split(' ')));
            assert!(
                parsed.is_ok_and(|parsed| parsed.command.event(|_| Ok(String::new())).is_ok()),
                "{words}"
            );
        }
    }

    #[test]
    fn what_changes_something_asks_first() {
        let asks = |words: &str| {
            let parsed = Cosell::try_parse_from(["cosell"].into_iter().chain(words.split(' '))).unwrap();
            parsed.command.question().is_some()
        };
        for words in ["redrive", "unregister", "rebase start", "map rollback", "retry", "backfill start"] {
            assert!(asks(words), "{words}");
        }
        for words in ["doctor", "deals", "backfill", "map show", "overview", "preview --all"] {
            assert!(!asks(words), "{words}");
        }
    }
}

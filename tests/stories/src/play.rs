//! Plays a story: its acts one after the other, then fair weather, the witnesses, an hour, a day, and the judge.

use crate::{
    judge,
    organisation::fair,
    stage::{Stage, Violation},
    story::{Act, Edit, Story, What},
    story::{Offer, Sale},
    values::{Customer, Day, Money, Person, Text},
};
use mapping::CrmKind;
use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing_subscriber::{filter::LevelFilter, filter::Targets, fmt, layer::SubscriberExt};

/// No story takes longer, by the machine's clock, unless something turns in circles.
const PATIENCE: Duration = Duration::from_secs(180);

/// What came of a story.
#[derive(Debug, Default)]
pub struct Outcome {
    pub violations: Vec<Violation>,
    /// What happened, line by line.
    pub trace: Vec<String>,
}

/// What the functions logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Plays it to its end in a world of its own.
pub fn play(story: &Story, crm: CrmKind) -> Outcome {
    let lines = Lines::default();
    let told = lines.clone();
    let ours = Targets::new().with_default(LevelFilter::INFO).with_target("dynoxide", LevelFilter::OFF);
    let layer = fmt::layer().json().without_time().with_writer(move || told.clone());
    let subscriber = tracing_subscriber::registry().with(ours).with(layer);
    let _logging = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let logged = || String::from_utf8_lossy(&lines.0.lock().expect("lines")).into_owned();
    let played = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { tokio::time::timeout(PATIENCE, Box::pin(whole(story, crm, &logged))).await })
    }));
    match played {
        Ok(Ok(Ok(outcome))) => outcome,
        Ok(Ok(Err(failed))) => broken("harness", format!("{failed:#}")),
        Ok(Err(_)) => broken("never-ends", format!("it was not over after {} s", PATIENCE.as_secs())),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            broken("panic", words.unwrap_or_default())
        }
    }
}

fn broken(kind: &str, words: String) -> Outcome {
    Outcome { violations: vec![Violation { kind: kind.to_owned(), words }], trace: vec![] }
}

async fn whole(story: &Story, crm: CrmKind, logged: &dyn Fn() -> String) -> anyhow::Result<Outcome> {
    let mut stage = Stage::open(story, crm).await?;
    for (n, act) in story.acts.iter().enumerate() {
        stage.tell(format!("{n}: {:?}, then {:?}", act.what, act.then));
        perform(&mut stage, act).await?;
        stage.then(act.then).await?;
    }
    fair(&mut stage);
    stage.consent_again();
    stage.tell("the last act is over; fair weather");
    ending(&mut stage, story).await?;
    judge::logs(&stage, &logged());
    let outcome =
        Outcome { violations: stage.violations.borrow().clone(), trace: stage.trace.borrow().clone() };
    Ok(outcome)
}

/// From the last act to the verdict.
async fn ending(stage: &mut Stage, story: &Story) -> anyhow::Result<()> {
    if !answers_again(stage).await? {
        return Ok(());
    }
    if !witnesses(stage, story, 1).await? {
        return Ok(());
    }
    judge::hour(stage).await?;
    judge::soon(stage, story).await;
    stage.world.advance(25 * 3600);
    for _ in 0..10 {
        stage.minute().await?;
    }
    judge::judge(stage, story).await?;
    if stage.violations.borrow().is_empty() {
        witnesses(stage, story, 2).await?;
    }
    Ok(())
}

/// Ticks until no system is held any more. A hold ends by itself within half an hour.
async fn answers_again(stage: &mut Stage) -> anyhow::Result<bool> {
    for _ in 0..35 {
        if stage.world.held_until().await?.is_none() {
            return Ok(true);
        }
        stage.minute().await?;
    }
    let until = stage.world.held_until().await?;
    let doctor = stage.command(serde_json::json!({ "command": "doctor" })).await;
    let faults = doctor["lines"].as_array().into_iter().flatten().filter(|line| line["level"] == "fault");
    let first = faults.filter_map(|line| line["text"].as_str()).next().unwrap_or_default().to_owned();
    let days = until.is_some_and(|until| until > stage.world.now() + jiff::SignedDuration::from_hours(3));
    stage.wrong(
        if days { "held-for-days".to_owned() } else { format!("held-too-long:{}", judge::slug(&first)) },
        format!("both systems answer, and one is left alone until {until:?}: {first}"),
    );
    Ok(false)
}

/// One ordinary deal each way, which must arrive within two ticks.
async fn witnesses(stage: &mut Stage, story: &Story, number: u16) -> anyhow::Result<bool> {
    if stage.closed_door || judge::keeps_witnesses_out(stage) {
        return Ok(true);
    }
    let customer = |country: &str| Customer {
        name: Text::plain(60_000 + number),
        country: Some(country.to_owned()),
        postal_code: Some("4057".to_owned()),
        state: None,
        line2: None,
    };
    let money = Money { amount: Some(70_000.5), currency: Some("EUR".to_owned()) };
    let day = Day::Picked { month: 6, day: 15, east: 0 };
    let (name, notes) = (Text::plain(61_000 + number), Text::plain(62_000 + number));
    let offer = Offer {
        name: name.clone(),
        notes: Some(notes.clone()),
        value: money.clone(),
        day: day.clone(),
        customer: customer("CH"),
        people: vec![Person::plain(200)],
        solutions: 1,
        help: None,
        intent: None,
        team: None,
    };
    let sale = Sale {
        name,
        notes: Some(notes),
        value: money,
        day,
        customer: customer("Switzerland"),
        person: Person::plain(201),
        solutions: 1,
        help: false,
        visible: true,
        sync: true,
    };
    stage.tell("two witnesses come");
    stage.refer(&offer, false);
    let inbound = stage.deals.len() - 1;
    let referral = stage.deals[inbound].referral.clone().unwrap_or_default();
    let before = stage.deals.len();
    stage.sale(&sale);
    if stage.deals.len() == before {
        return Ok(true);
    }
    for _ in 0..2 {
        stage.minute().await?;
    }
    let reads = stage.world.partner_center.count(|log| log.method == "GET" && log.path.ends_with(&referral));
    if reads > judge::most_reads(story) {
        stage.wrong(
            format!("reads-of-one-event:{}", judge::circumstances(story)),
            format!("{reads} reads of one new referral"),
        );
    }
    let mut arrived = true;
    if stage.deals[inbound].record.is_none() {
        stage.wrong(
            format!("witness-inbound:{number}:{}", judge::circumstances(story)),
            format!(
                "an ordinary referral has no record after two ticks: {}",
                judge::why(stage, inbound).await
            ),
        );
        arrived = false;
    }
    if stage.deals[before].referral.is_none() {
        stage.wrong(
            format!("witness-outbound:{number}:{}", judge::circumstances(story)),
            format!("an ordinary deal has no referral after two ticks: {}", judge::why(stage, before).await),
        );
        arrived = false;
    }
    // They are no part of the story that is judged.
    if arrived {
        stage.deals[inbound].kept_out.insert("witness");
        stage.deals[before].kept_out.insert("witness");
    }
    Ok(arrived)
}

async fn perform(stage: &mut Stage, act: &Act) -> anyhow::Result<()> {
    match &act.what {
        What::Sell(sale) => stage.sale(sale),
        What::EditRecord(deal, edit) => stage.edit_record(*deal, edit),
        What::Share(deal, on) => stage.share(*deal, *on),
        What::Show(deal) => stage.set(*deal, serde_json::json!({ "visible": true })),
        What::AskForHelp(deal) => {
            stage.set(*deal, serde_json::json!({ "help": "ProofOfConceptOrDemo", "visible": true }));
        }
        What::Close(deal, won, edit) => stage.close(*deal, *won, edit.as_ref()),
        What::Reopen(deal) => stage.reopen(*deal),
        What::TakeUp(deal) => stage.take_up(*deal),
        What::Delete(deal) => stage.delete(*deal),
        What::Undelete(deal) => stage.undelete(*deal),
        What::AddSolutions(deal, first, count) => stage.add_solutions(*deal, *first, *count),
        What::RemoveSolution(deal) => stage.remove_solution(*deal),
        What::MoveSolution(deal, to) => stage.move_solution(*deal, Some(*to)),
        What::EmptySolution(deal) => stage.move_solution(*deal, None),
        What::SetContact(deal, person) => stage.set_contact(*deal, person),
        What::CorrectPhone(deal) => stage.correct_phone(*deal),
        What::GiveTo(deal) => stage.give_to(*deal),
        What::JoinTeam(deal) => stage.join_team(*deal),
        What::LeaveTeam(deal) => stage.leave_team(*deal),
        What::MergeAccounts(one, two) => stage.merge_accounts(*one, *two),
        What::MergeLeads(one, two) => stage.merge_leads(*one, *two),
        What::QualifyLead(deal) => stage.qualify_lead(*deal),
        What::DropLead(deal) => stage.drop_lead(*deal),
        What::NameReferral(deal, of) => stage.name_referral(*deal, *of),
        What::EditReferral(deal, edit) => stage.edit_referral(*deal, edit),
        What::People(deal, people) => stage.people(*deal, people),
        What::Solutions(deal, first, count) => stage.solve(*deal, *first, *count),
        What::Answer(deal, answer) => stage.answer(*deal, *answer),
        What::NewDeal(offer) => stage.new_deal(offer),
        What::NameRecord(deal, of) => stage.name_record(*deal, *of),
        What::Refer(offer) => stage.refer(offer, false),
        What::ReferLead(offer) => stage.refer(offer, true),
        What::Microsoft(deal, answer) => stage.microsoft(*deal, *answer),
        What::Convert(deal) => stage.convert(*deal),
        What::OddHalf(deal) => stage.odd_half(*deal),
        What::Import { rows, complete, wide } => stage.import(*rows, *complete, *wide),
        What::EditAll(edit) => stage.edit_all(edit),
        What::ImportReferrals(rows) => stage.import_referrals(*rows),
        What::Rule(field) => stage.rule(*field),
        What::ContactRule => stage.contact_rule(),
        What::Wait => {}
        What::ClearRules => stage.clear_rules(),
        What::Products(deal) => stage.products(*deal),
        What::HideLeads => stage.hide_leads(),
        What::Mishap(system, mishap) => stage.mishap(*system, *mishap),
        What::LoseWebhooks => {
            stage.world.partner_center.system().lose();
        }
        What::Garbage(hint) => stage.garbage(*hint),
        What::Expire => stage.expire(),
        What::PasteSecret(paste) => stage.paste_secret(*paste),
        What::RevokeConsent(again) => stage.revoke_consent(*again),
        other => Box::pin(operate(stage, other)).await?,
    }
    Ok(())
}

/// What takes calls of the admin function, or time.
async fn operate(stage: &mut Stage, what: &What) -> anyhow::Result<()> {
    let command = |name: &str| serde_json::json!({ "command": name });
    match what {
        What::Map(overrides) => stage.set_map(overrides).await,
        What::Rollback => stage.rollback().await,
        What::Relink(deal, to) => stage.relink(*deal, *to).await,
        What::Disconnect(deal) => stage.disconnect(*deal).await,
        What::Retry => {
            stage.command(command("retry")).await;
        }
        What::Backfill => {
            stage.command(serde_json::json!({ "command": "backfill", "action": "start" })).await;
        }
        What::Rebase => {
            stage.command(serde_json::json!({ "command": "rebase", "action": "start" })).await;
        }
        What::Upgrade => stage.upgrade().await,
        What::Quarrel(deal, edit, times) => {
            for n in 0..*times {
                let edit = match edit.clone() {
                    Edit::Notes(text) => Edit::Notes(Text { mark: text.mark ^ (u16::from(n) << 1), ..text }),
                    other => other,
                };
                stage.quarrel(*deal, &edit);
                stage.minute().await?;
            }
        }
        What::AskWhatWouldGo => stage.ask_what_would_go().await,
        What::Knock(how) => crate::outsider::knock(stage, *how).await?,
        What::Down(system, minutes) => stage.down(*system, *minutes).await?,
        _ => {}
    }
    Ok(())
}

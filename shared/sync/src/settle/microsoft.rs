//! Microsoft's half of an engagement never gets a record of its own and never changes our status. Its messages are
//! shown in the CRM.

use super::look::Look;
use crate::{
    ports::{Links, Ports, Referrals},
    rows::{aliases::alias_of_sibling, work::Work},
    state::{failure::Failure, note::Note, table::Key},
};
use mapping::{Referral, one_line};

/// How many characters of a message are kept: the link holds them.
const SAID: usize = 4_000;
/// The most notes that may be owed at a time.
const OWED: usize = 10;

/// Reads both halves of the engagement in one call.
pub(super) async fn look<P: Ports>(work: &mut Work<'_, P>, look: &mut Look) -> Result<(), Failure> {
    look.engagement = false;
    let Some(engagement) = work.link.engagement.clone() else { return Ok(()) };
    let halves = work.run.ports.referrals().engagement(&engagement).await?;
    if let Some(half) = halves.iter().find(|half| half.is_microsoft()) {
        learn(work, half).await?;
    }
    let own = halves.into_iter().find(|half| *half.id() == work.link.referral);
    look.body = own.or(look.body.take());
    Ok(())
}

async fn learn<P: Ports>(work: &mut Work<'_, P>, half: &Referral) -> Result<(), Failure> {
    if work.link.microsoft.is_none() {
        let record = work.link.record.as_ref().map(Key::intent);
        if let Some(key) = record
            && work.run.ports.links().read(&[key]).await?.pop().flatten().is_some()
        {
            // We are inviting Microsoft: the intent's holder saves its half.
            return Ok(());
        }
        work.besides.push(alias_of_sibling(half.id(), &work.link.referral));
        work.link.microsoft = Some(half.id().clone());
        if half.is_new() {
            work.note("microsoft", "Microsoft was asked for help in Partner Center", true);
        }
    }
    let said = work.run.map.microsoft_said(half);
    work.link.microsoft_crm_id = said.crm_id.or(work.link.microsoft_crm_id.take());
    let before = work.link.microsoft_said.as_ref().map(|said| one_line(said, SAID));
    if let Some(words) = said.words.map(|words| one_line(&words, SAID))
        && before.as_ref() != Some(&words)
    {
        work.note("microsoft", words.clone(), true);
        if work.run.map.switches().microsoft_note && work.link.notes.len() < OWED {
            work.link.notes.push(Note { half: half.id().clone(), text: words.clone() });
        }
        work.link.microsoft_said = Some(words);
    }
    Ok(())
}

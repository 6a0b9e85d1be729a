//! The end of a create: its result is saved in the link, or its record was deleted meanwhile.

use super::{conclude, linked, look_up::look_up_own};
use crate::{
    planted::{self, Bug},
    ports::{Links, Ports, Seen},
    rows::{
        aliases::{alias_of_sibling, links_back},
        held::Held,
        parking::{Aside, park_besides},
        referrals::look_up,
        run::{Ended, Run},
        stop::{Outcome, Stop},
        work::{WHOLE, Work},
    },
    settle::{Look, help_was_asked, settle, settle_once},
    state::{
        audit::Line,
        failure::Failure,
        image::{digest, image},
        intent::{Intent, Step},
        link::{Link, State},
        table::{Change, Expect, Item, Key, Row},
    },
};
use mapping::{Referral, ReferralId, names::HELP};

/// Our own half is known: saves link, alias and the intent's next step in one transaction. `false`: other runs saved
/// the intent or the link each time.
pub(super) async fn link_up<P: Ports>(
    held: &mut Held<'_, P>,
    referral: &Referral,
    seen: &Seen,
) -> Result<bool, Failure> {
    let run = held.run;
    let mut link = Link::new(referral.id().clone(), Some(seen.record.id.clone()), State::Linked);
    link.engagement = referral.engagement().cloned();
    // The base: what was sent and what it was made from. A unit that goes only to the CRM has no base yet.
    let (pc, crm) = (run.map.referral_fields(referral), run.map.record_fields(&seen.record));
    for unit in run.map.units().filter(|u| u.direction != mapping::Direction::ToCrm) {
        if let (Some(p), Some(c)) = (pc.get(&unit.name), crm.get(&unit.name))
            && unit.name != HELP
            && run.map.equal(&unit.name, p, c)
        {
            link.partner_center.images.insert(unit.name.clone(), image(p));
            link.crm.images.insert(unit.name.clone(), image(c));
        }
    }
    link.note_readings(run.map);
    held.intent.referral = Some(referral.id().clone());
    held.intent.engagement = referral.engagement().cloned();
    // A webhook's run may note the referral's id in the intent between read and save: then the save is repeated over
    // the new revision.
    let waits = Key::parked(&seen.record.id.to_string());
    for _ in 0..3 {
        let mut changes = links_back(&link, &seen.record.id);
        // The record stays parked until the intent ends.
        changes.retain(|change| change.key != waits || planted::is(Bug::IntentForgotten));
        let put = Item::Link(Box::new(link.clone()));
        changes.push(Change::put(Key::link(referral.id()), Expect::Absent, put));
        let before = held.intent.clone();
        held.intent = Intent { step: Step::Microsoft, unknown: None, n: 0, ..before.clone() };
        match held.save(changes).await {
            Ok(true) => return Ok(true),
            Ok(false) => held.intent.step = Step::Own,
            Err(failure) => {
                // The next save must hold only what is certain: the referral's id, not that it is linked.
                held.intent = Intent { unknown: None, ..before };
                return Err(failure);
            }
        }
    }
    // Saves at least the id, so that no run POSTs again.
    held.save(vec![]).await?;
    Ok(false)
}

/// Ends an intent: saves its result in the link and deletes the intent in one save, then settles the link.
pub(super) async fn end<P: Ports>(
    held: &mut Held<'_, P>,
    own: Option<Referral>,
    sibling: Option<ReferralId>,
    seen: Seen,
) -> Outcome {
    let run = held.run;
    let Some(id) = held.intent.referral.clone() else {
        return Ok(Ended::later(10, "its referral is not known yet"));
    };
    // The seller may have set Sync to No before Microsoft was invited; when it is Yes again, the invitation follows.
    let invited = sibling.is_some() || held.intent.cosell && planted::is(Bug::NobodyInvited);
    let text = if invited {
        "co-sell engagement created in Partner Center"
    } else {
        "referral created in Partner Center"
    };
    // A run that continues another run's intent has not read the own half.
    let own = match own {
        None if run.map.switches().registration_hints => look_up(run, &id).await?,
        own => own,
    };
    let ahead = own.as_ref().and_then(|own| run.map.registration_ahead(own));
    let text = ahead.map_or_else(|| text.to_owned(), |ahead| format!("{text}; {ahead}"));
    let mut look = Look { referral: own.is_some(), record: true, body: own, ..Look::default() };
    for _ in 0..3 {
        let mut rows = run.ports.links().read(&[Key::link(&id), held.key()]).await?.into_iter();
        let Some(Row { rev, item: Item::Link(link), .. }) = rows.next().flatten() else {
            held.release().await?;
            return Ok(Ended::later(2, "its link is not there yet"));
        };
        if rows.next().flatten().is_none_or(|intent| intent.rev != held.rev) {
            // The intent has ended, or another run holds it.
            return Ok(conclude(run, settle(run, &id, None, look).await).await?);
        }
        let mut work = Work::loaded(run, *link, rev);
        look.row = untouched(rev, &seen);
        work.link.microsoft = sibling.clone();
        work.besides.push(Change::delete(held.key(), Expect::Rev(held.rev)));
        work.besides.push(Change::delete(Key::parked(&held.intent.record.to_string()), Expect::Any));
        work.besides.extend(sibling.as_ref().map(|half| alias_of_sibling(half, &id)));
        if invited {
            help_was_asked(&mut work, &held.intent.request);
        } else if held.intent.cosell {
            work.link.awaiting.insert(HELP.to_owned());
        }
        work.note("created", text.clone(), true);
        work.heal(WHOLE);
        match Box::pin(settle_once(work, &mut look)).await {
            Err(Stop::Overtaken) => look = look.anew(),
            outcome => return Ok(conclude(run, outcome).await?),
        }
    }
    held.release().await?;
    Ok(Ended::later(2, "others are saving its link"))
}

/// The record as it was read before its link was made, if it may still be used. The version does not cover its lists,
/// but as long as no run has saved the link again, no run of ours has written them.
pub(super) fn untouched(rev: u64, seen: &Seen) -> Option<Seen> {
    (rev == 1).then(|| seen.clone())
}

/// The record was deleted while its engagement was half made: nothing more is created. A referral that exists in
/// Partner Center keeps its alias to the record, so that a late read of the record creates no second one.
pub(super) async fn end_with_the_record<P: Ports>(run: &Run<'_, P>, intent: Intent, rev: u64) -> Outcome {
    let link = linked(run, &intent.record).await?;
    let mut held = Held { run, intent, rev, about_to_post: false };
    if link.is_none() && held.intent.referral.is_none() && held.intent.unknown.is_some() {
        held.intent.claim_until = run.deadline();
        if !held.save(vec![]).await? {
            return Ok(Ended::later(2, "others are working on it"));
        }
        if let Some(referral) = look_up_own(&mut held).await? {
            held.intent.referral = Some(referral.id().clone());
        }
    }
    let record = &held.intent.record;
    let words = "the record was deleted while its referral was being created";
    let line = Line { at: run.now(), decision: "detached".into(), text: words.into() };
    let key = Key::audit(&format!("RECORD#{record}"), line.at, held.rev, 0);
    let kept = run.now() + run.settings.audit_kept;
    let mut end = vec![
        Change::delete(held.key(), Expect::Rev(held.rev)),
        Change::delete(Key::parked(&record.to_string()), Expect::Any),
        Change::put(key, Expect::Any, Item::Audit(line)).until(kept),
    ];
    if let (None, Some(referral)) = (&link, &held.intent.referral) {
        // Our own half exists and belongs to no record any more: it is parked, so that an administrator sees it.
        let mut detached = Link::new(referral.clone(), Some(record.clone()), State::Detached);
        detached.engagement = held.intent.engagement.clone();
        detached.gone = Some(run.now());
        end.push(Change::put(Key::link(referral), Expect::Absent, Item::Link(Box::new(detached))));
        end.push(Change::put(
            Key::record(record),
            Expect::Absent,
            Item::Alias { referral: referral.clone() },
        ));
        let (what, print) = (referral.as_str(), digest(words));
        return park_besides(run, Aside::new(what, words, &print), end).await;
    }
    if !run.ports.links().commit(end).await? {
        return Ok(Ended::later(2, "others are working on it"));
    }
    match link {
        Some(link) => settle(run, &link.referral, None, Look { record: true, ..Look::default() }).await,
        None => Ok(Ended::done("detached", words)),
    }
}

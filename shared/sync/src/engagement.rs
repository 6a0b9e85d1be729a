//! Creating a referral (for co-sell: both halves of an engagement) for a record that has none. Cannot be undone, so
//! every step is written down before it is taken, and an unknown outcome is looked up, never repeated blindly.

use crate::{
    audit::{Journal, Line},
    deal,
    failure::{Failure, Refused, Written},
    help,
    identity::{adopt, alias_of_sibling, links_back, park, park_besides, parked_row},
    intent::{Held, Intent, Step, Unknown},
    link::{Link, State, digest, image},
    planted::{self, Bug},
    ports::{Crm, Found, Links, Ports, Referrals, Seen},
    run::{Ended, Run, Story},
    settle::{Look, settle, settle_on, settle_once},
    table::{Change, Expect, Item, Key, Row},
    work::{AUDIT_LENGTH, Overtaken, Work},
};
use jiff::SignedDuration;
use mapping::{
    DealKind, Fields, Mark, MicrosoftHalf, RecordId, RecordKind, Referral, ReferralId, Trim, names::STATUS,
};

/// An unknown outcome is looked up so often ...
const LOOK_UPS: u32 = 3;
/// ... over at least this long, before a second POST.
const LOOKED_UP_FOR: SignedDuration = SignedDuration::from_mins(10);
/// The look-up's list begins this long before the intent.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);
/// Between two look-ups, in seconds: three of them span the ten minutes.
const LOOK_UP_PAUSE: i64 = 310;

/// A record without a link. `intent`: its row, as just read.
pub async fn create_engagement<P: Ports>(run: &Run<'_, P>, record: &RecordId, intent: Option<Row>) -> Story {
    let now = run.now();
    let known = match intent {
        Some(Row { rev, item: Item::Intent(intent), .. }) => Some((*intent, rev)),
        _ => None,
    };
    if let Some((intent, _)) =
        known.as_ref().filter(|(intent, _)| now < intent.claim_until && !planted::is(Bug::TwoHolders))
    {
        let after = intent.claim_until.duration_since(now) + SignedDuration::from_secs(1);
        return Ok(Ended::Later { after, why: "its referral is being created".into() });
    }
    let Some(seen) = run.ports.crm().fetch(record).await? else {
        return match known {
            Some((intent, rev)) => end_with_the_record(run, intent, rev).await,
            None => Ok(Ended::done("skipped", "the record is gone")),
        };
    };
    let Some((mut intent, rev)) = known else { return Box::pin(begin(run, seen)).await };
    intent.claim_until = run.deadline();
    if let Some(link) = linked(run, record).await? {
        // Linked already: what is left is Microsoft's half, if anything.
        intent.step = Step::Microsoft;
        intent.referral = Some(link.referral);
        intent.engagement = intent.engagement.or(link.engagement);
    } else {
        intent.step = Step::Own;
    }
    let mut held = Held { run, intent, rev, about_to_post: false };
    if !held.save(vec![]).await? {
        return Ok(Ended::later(2, "somebody else goes on with its referral"));
    }
    go_on_or_release(held, seen).await
}

/// The link of a record, by its alias.
async fn linked<P: Ports>(run: &Run<'_, P>, record: &RecordId) -> Result<Option<Link>, Failure> {
    let alias = run.ports.links().read(&[Key::record(record)]).await?.pop().flatten();
    let Some(Row { item: Item::Alias { referral }, .. }) = alias else { return Ok(None) };
    Ok(match run.ports.links().read(&[Key::link(&referral)]).await?.pop().flatten() {
        Some(Row { item: Item::Link(link), .. }) => Some(*link),
        _ => None,
    })
}

/// The record was deleted while its engagement was half made: nothing more is created. What is there in Partner Center
/// stays the record's own, so that a late read of it creates no second one.
async fn end_with_the_record<P: Ports>(run: &Run<'_, P>, intent: Intent, rev: u64) -> Story {
    let link = linked(run, &intent.record).await?;
    let mut held = Held { run, intent, rev, about_to_post: false };
    if link.is_none() && held.intent.referral.is_none() && held.intent.unknown.is_some() {
        held.intent.claim_until = run.deadline();
        if !held.save(vec![]).await? {
            return Ok(Ended::later(2, "others are working on it"));
        }
        match look_up_own(&mut held).await? {
            LookedUp::Found(referral) => held.intent.referral = Some(referral.id().clone()),
            LookedUp::Wait(ended) => return Ok(ended),
            LookedUp::Absent => {}
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
        // Its own half is there and belongs to nothing any more: somebody has to see it.
        let mut detached = Link::new(referral.clone(), Some(record.clone()), State::Detached);
        detached.engagement = held.intent.engagement.clone();
        detached.gone = Some(run.now());
        end.push(Change::put(Key::link(referral), Expect::Absent, Item::Link(Box::new(detached))));
        end.push(Change::put(
            Key::record(record),
            Expect::Absent,
            Item::Alias { referral: referral.clone() },
        ));
        return park_besides(run, referral.as_str(), words, &digest(words), end).await;
    }
    if !run.ports.links().commit(end).await? {
        return Ok(Ended::later(2, "others are working on it"));
    }
    match link {
        Some(link) => settle(run, &link.referral, None, Look { record: true, ..Look::default() }).await,
        None => Ok(Ended::done("detached", words)),
    }
}

/// A record that may want a referral, and has no intent yet.
async fn begin<P: Ports>(run: &Run<'_, P>, seen: Seen) -> Story {
    let record = seen.record.id.clone();
    if run.map.of(record.kind).wants_referral(&seen.record) != Some(true) {
        return Ok(Ended::done("skipped", "Sync with Partner Center is not set to Yes"));
    }
    // What was made of a linked lead has its referral already: the link moves.
    if let Some(lead) = &seen.lead
        && let Some(link) = linked(run, lead).await?
    {
        let look = Look { referral: true, record: true, ..Look::default() };
        return Box::pin(settle(run, &link.referral, None, look)).await;
    }
    if let Some(id) = run.map.of(record.kind).record_referral_id(&seen.record) {
        return return_to(run, &id, seen).await;
    }
    if record.kind == RecordKind::Lead {
        return Ok(Ended::done("skipped", "a lead that did not come from Partner Center"));
    }
    let status = run.map.record_field(STATUS, &seen.record);
    if status.is_some_and(|status| deal::is_closed_record(run.map, &status)) {
        return Ok(Ended::done("skipped", "the record is closed"));
    }
    if !run.settings.writes {
        return Ok(Ended::done("skipped", "this stack does not write to Partner Center"));
    }
    let kind = match run.map.deal_kind(&seen.record) {
        Ok(kind) => kind,
        Err(refusal) => return lacking(run, &seen, &format!("{}: {}", refusal.unit, refusal.text)).await,
    };
    let request = match run.map.new_referral(&seen.record) {
        Ok(request) => request.to_string(),
        Err(missing) => {
            let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
            return lacking(run, &seen, &format!("not sent to Partner Center: {}", missing.join("; "))).await;
        }
    };
    let now = run.now();
    let parked = parked_row(run, &record.to_string()).await?;
    if let Some(parked) = parked.as_ref().filter(|parked| parked.holds(&digest(&request), now)) {
        return Ok(Ended::done("parked", parked.reason.clone()));
    }
    let intent = Intent {
        record,
        claim_until: run.deadline(),
        step: Step::Own,
        cosell: matches!(kind, DealKind::CoSell { .. }),
        request,
        n: 0,
        began: now,
        referral: None,
        engagement: None,
        microsoft: None,
        unknown: Some(Unknown { since: now, look_ups: 0 }).filter(|_| !planted::is(Bug::PostNotWrittenAhead)),
    };
    let mut begun = intent.begun(parked);
    // Whoever looked before this intent was there may have linked the record meanwhile.
    if !planted::is(Bug::IntentNotAsked) {
        begun.push(Change::delete(Key::record(&intent.record), Expect::Absent));
    }
    if !run.ports.links().commit(begun).await? && !planted::is(Bug::TwoHolders) {
        return Ok(Ended::later(2, "somebody else is creating its referral, or has linked it"));
    }
    go_on_or_release(Held { run, intent, rev: 1, about_to_post: true }, seen).await
}

/// A linked deal into which Microsoft is invited, as its intent was just written down.
pub(crate) async fn invite<P: Ports>(run: &Run<'_, P>, intent: Intent, rev: u64, seen: Seen) -> Story {
    go_on_or_release(Held { run, intent, rev, about_to_post: false }, seen).await
}

/// Goes on; a failure outside of a POST lets the next one go on at once.
async fn go_on_or_release<P: Ports>(mut held: Held<'_, P>, seen: Seen) -> Story {
    let result = Box::pin(go_on(&mut held, seen)).await;
    if result.is_err() && (held.intent.unknown.is_none() || held.about_to_post) {
        held.intent.unknown = None;
        let _ = held.release().await;
    }
    result
}

/// A record that carries a Referral Identifier, but no link: adopt the referral if it agrees.
async fn return_to<P: Ports>(run: &Run<'_, P>, id: &ReferralId, seen: Seen) -> Story {
    let record = &seen.record.id;
    let words = match run.ports.referrals().fetch(id).await? {
        Found::Referral(referral) => {
            let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
            if !referral.belongs_to(&run.settings.organization) {
                format!("its Referral Identifier `{id}` is another organisation's")
            } else if names.is_none_or(|named| named == *record) {
                // Empty, not shaped like a record id, or this one.
                return Box::pin(adopt(run, *referral, seen)).await;
            } else {
                format!("its Referral Identifier `{id}` belongs to another record")
            }
        }
        Found::Missing | Found::Forbidden => {
            format!("its Referral Identifier `{id}` is not known in Partner Center")
        }
    };
    park(run, &record.to_string(), &words, &digest(&seen.version.token)).await
}

/// Lacks what the other side needs: parked naming everything at once, and the seller sees it in Audit. Heals by
/// itself when the field arrives.
async fn lacking<P: Ports>(run: &Run<'_, P>, seen: &Seen, words: &str) -> Story {
    let print = digest(&format!("{}{words}", run.map.hash()));
    park_and_tell(run, seen, words, &print, vec![]).await
}

/// Sets a record aside; the seller is told once for the same reason and inputs.
async fn park_and_tell<P: Ports>(
    run: &Run<'_, P>,
    seen: &Seen,
    words: &str,
    print: &str,
    besides: Vec<Change>,
) -> Story {
    let what = seen.record.id.to_string();
    let before = parked_row(run, &what).await?;
    let told = before.is_some_and(|parked| parked.fingerprint == print && parked.reason == words);
    // Told first: what is set aside counts as told.
    if !told && let Some(again) = tell(run, seen, words).await? {
        return Ok(again);
    }
    park_besides(run, &what, words, print, besides).await
}

/// Shows one line in the Audit field of a record that has no link; what to do if that has to be tried again. The CRM
/// may refuse it: the parked row still says it.
async fn tell<P: Ports>(run: &Run<'_, P>, seen: &Seen, words: &str) -> Result<Option<Ended>, Failure> {
    let mut journal = Journal::default();
    journal.note(Line { at: run.now(), decision: "parked".into(), text: words.to_owned() }, true);
    let trim = Trim {
        mark: Some(Mark::Failed),
        name: run.map.shown_name(&seen.record).map(str::to_owned),
        audit: journal.to_show(AUDIT_LENGTH),
        ..Trim::default()
    };
    let Ok(patch) = run.map.record_patch(&Fields::new(), &trim) else { return Ok(None) };
    if !run.may_write() {
        return Ok(Some(Ended::later(0, "this run has no time left to tell the seller")));
    }
    match run.ports.crm().patch(&seen.record.id, &seen.version, &patch).await {
        Written::Later(failure) => Err(failure),
        Written::Lost | Written::Unknown(_) => Ok(Some(Ended::later(10, "the seller was not told yet"))),
        _ => Ok(None),
    }
}

/// Step by step, wherever it stands.
async fn go_on<P: Ports>(held: &mut Held<'_, P>, seen: Seen) -> Story {
    let run = held.run;
    let mut own: Option<Referral> = None;
    if held.intent.step == Step::Own {
        if held.intent.referral.is_none() && held.intent.unknown.is_some() && !held.about_to_post {
            match look_up_own(held).await? {
                LookedUp::Found(referral) => own = Some(*referral),
                LookedUp::Wait(ended) => return Ok(ended),
                LookedUp::Absent => {}
            }
        }
        if held.intent.referral.is_none() && own.is_none() {
            if run.map.wants_referral(&seen.record) == Some(false) && !planted::is(Bug::IntentUnstoppable) {
                let end = vec![
                    Change::delete(held.key(), Expect::Rev(held.rev)),
                    Change::delete(Key::parked(&seen.record.id.to_string()), Expect::Any),
                ];
                return Ok(match run.ports.links().commit(end).await? {
                    true => {
                        Ended::done("skipped", "Sync with Partner Center was set to No before it was sent")
                    }
                    false => Ended::later(2, "its own webhook has just arrived"),
                });
            }
            match Box::pin(post(held, None)).await? {
                Posted::Referral(referral) => own = Some(*referral),
                Posted::Ended(ended) => return Ok(ended),
                Posted::Refused(words) => {
                    let end = vec![Change::delete(held.key(), Expect::Rev(held.rev))];
                    let print = digest(&held.intent.request);
                    return park_and_tell(run, &seen, &words, &print, end).await;
                }
            }
        }
        if own.is_none()
            && let Some(id) = held.intent.referral.clone()
        {
            own = match run.ports.referrals().fetch(&id).await? {
                Found::Referral(referral) => Some(*referral),
                Found::Missing | Found::Forbidden => {
                    held.release().await?;
                    return Ok(Ended::later(10, "our new referral cannot be read yet"));
                }
            };
        }
        let Some(referral) = &own else { return Ok(Ended::later(10, "our new referral is not known yet")) };
        if !link_up(held, referral, &seen).await? {
            return Ok(Ended::later(2, "others are saving its link"));
        }
    }
    let mut sibling = None;
    // A seller who says No before Microsoft is invited invites nobody.
    let stopped = run.map.wants_referral(&seen.record) == Some(false) && held.intent.unknown.is_none();
    if held.intent.cosell && (!stopped || planted::is(Bug::IntentUnstoppable)) {
        match Box::pin(invite_microsoft(held, &seen)).await? {
            Invited::Half(id) => sibling = Some(id),
            Invited::Ended(ended) => return Ok(ended),
            Invited::Refused(words) => return Box::pin(keep_own(held, &seen, &words)).await,
            Invited::Parked => {
                held.release().await?;
                let Some(id) = &held.intent.referral else {
                    return Ok(Ended::later(10, "its referral is not known yet"));
                };
                return Box::pin(settle(run, id, None, Look { record: true, ..Look::default() })).await;
            }
        }
    }
    Box::pin(end(held, own, sibling, seen)).await
}

/// The end of an intent: the link knows what came of it and the intent goes, in one save. The rest is the link's story.
async fn end<P: Ports>(
    held: &mut Held<'_, P>,
    own: Option<Referral>,
    sibling: Option<ReferralId>,
    seen: Seen,
) -> Story {
    let run = held.run;
    let Some(id) = held.intent.referral.clone() else {
        return Ok(Ended::later(10, "its referral is not known yet"));
    };
    let text = if held.intent.cosell {
        "co-sell engagement created in Partner Center"
    } else {
        "referral created in Partner Center"
    };
    let mut look = Look { referral: own.is_some(), record: true, body: own, ..Look::default() };
    for _ in 0..3 {
        let mut rows = run.ports.links().read(&[Key::link(&id), held.key()]).await?.into_iter();
        let Some(Row { rev, item: Item::Link(link), .. }) = rows.next().flatten() else {
            held.release().await?;
            return Ok(Ended::later(2, "its link is not there yet"));
        };
        if rows.next().flatten().is_none_or(|intent| intent.rev != held.rev) {
            // Ended, or somebody else's by now.
            return settle(run, &id, None, look).await;
        }
        let mut work = Work::loaded(run, *link, rev);
        look.row = untouched(rev, &seen);
        work.link.microsoft = sibling.clone();
        work.besides.push(Change::delete(held.key(), Expect::Rev(held.rev)));
        work.besides.push(Change::delete(Key::parked(&held.intent.record.to_string()), Expect::Any));
        work.besides.extend(sibling.as_ref().map(|half| alias_of_sibling(half, &id)));
        if held.intent.cosell {
            help::sent(&mut work, &held.intent.request);
        }
        work.note("created", text, true);
        work.heal(crate::work::WHOLE);
        match Box::pin(settle_once(work, &mut look)).await? {
            Ok(ended) => return Ok(ended),
            Err(Overtaken) => look = look.anew(),
        }
    }
    held.release().await?;
    Ok(Ended::later(2, "others are saving its link"))
}

/// The own half is known: link, alias and the intent's next step in one transaction.
async fn link_up<P: Ports>(
    held: &mut Held<'_, P>,
    referral: &Referral,
    seen: &Seen,
) -> Result<bool, Failure> {
    let run = held.run;
    let mut link = Link::new(referral.id().clone(), Some(seen.record.id.clone()), State::Linked);
    link.engagement = referral.engagement().cloned();
    // The base: what was sent and what it was made from. What Partner Center tells the CRM has none yet.
    let (pc, crm) = (run.map.referral_fields(referral), run.map.record_fields(&seen.record));
    for unit in run.map.units().filter(|u| u.direction != mapping::Direction::ToCrm) {
        if let (Some(p), Some(c)) = (pc.get(&unit.name), crm.get(&unit.name))
            && run.map.equal(&unit.name, p, c)
        {
            link.partner_center.images.insert(unit.name.clone(), image(p));
            link.crm.images.insert(unit.name.clone(), image(c));
        }
    }
    held.intent.referral = Some(referral.id().clone());
    held.intent.engagement = referral.engagement().cloned();
    // A webhook may note our id in the intent between read and save: then once more over its revision.
    let waits = Key::parked(&seen.record.id.to_string());
    for _ in 0..3 {
        let mut changes = links_back(&link, &seen.record.id);
        // An intent is set aside until its own end.
        changes.retain(|change| change.key != waits || planted::is(Bug::IntentForgotten));
        let put = Item::Link(Box::new(link.clone()));
        changes.push(Change::put(Key::link(referral.id()), Expect::Absent, put));
        let before = held.intent.clone();
        held.intent = Intent { step: Step::Microsoft, unknown: None, n: 0, ..before.clone() };
        match held.save(changes).await {
            Ok(true) => return Ok(true),
            Ok(false) => held.intent.step = Step::Own,
            Err(failure) => {
                // What is saved next says what is known: the id, not the link.
                held.intent = Intent { unknown: None, ..before };
                return Err(failure);
            }
        }
    }
    // The id at least, so that nobody posts again.
    held.save(vec![]).await?;
    Ok(false)
}

enum Posted {
    Referral(Box<Referral>),
    Ended(Ended),
    Refused(String),
}

/// One POST of the present step by the claim's holder.
async fn post<P: Ports>(held: &mut Held<'_, P>, body: Option<String>) -> Result<Posted, Failure> {
    let run = held.run;
    if !run.may_write() {
        held.release().await?;
        return Ok(Posted::Ended(Ended::later(0, "this run has no time left for a create")));
    }
    let body = body.unwrap_or_else(|| held.intent.request.clone());
    if !held.about_to_post {
        let unknown = Unknown { since: run.now(), look_ups: 0 };
        held.intent.unknown = Some(unknown).filter(|_| !planted::is(Bug::PostNotWrittenAhead));
        if !held.save(vec![]).await? {
            return Ok(Posted::Ended(Ended::later(2, "somebody else saved its intent")));
        }
    }
    held.about_to_post = false;
    let outcome = run.ports.referrals().create(&body, &held.intent.request_id()).await;
    if !matches!(outcome, Written::Unknown(_)) {
        held.intent.unknown = None;
    }
    match outcome {
        Written::Done(referral) => Ok(Posted::Referral(Box::new(referral))),
        Written::Later(failure) => {
            held.intent.n += 1;
            held.release().await?;
            Err(failure)
        }
        Written::Refused(Refused { field, text }) => {
            held.intent.n += 1;
            Ok(Posted::Refused(match field {
                Some(field) => format!("Partner Center refused it: `{field}`: {text}"),
                None => format!("Partner Center refused it: {text}"),
            }))
        }
        Written::Lost | Written::Exists => {
            held.intent.n += 1;
            held.release().await?;
            Ok(Posted::Ended(Ended::later(5, "Partner Center met a conflict while creating it")))
        }
        Written::Unknown(failure) => {
            let after = held.intent.claim_until.duration_since(run.now()) + SignedDuration::from_secs(1);
            let why = format!("it is not known whether the referral was created: {failure}");
            Ok(Posted::Ended(Ended::Later { after, why }))
        }
    }
}

enum LookedUp {
    Found(Box<Referral>),
    Absent,
    Wait(Ended),
}

/// Looks for our own half after an unknown outcome: own organisation, our record's id, all pages.
async fn look_up_own<P: Ports>(held: &mut Held<'_, P>) -> Result<LookedUp, Failure> {
    let run = held.run;
    let mut cursor: Option<String> = None;
    loop {
        let page =
            run.ports.referrals().changed_since(held.intent.began - LOOK_BACK, cursor.as_deref()).await?;
        for referral in page.referrals {
            let names = referral.external_reference().and_then(|text| run.map.shaped_like_record_id(text));
            if referral.belongs_to(&run.settings.organization) && names.as_ref() == Some(&held.intent.record)
            {
                return Ok(LookedUp::Found(Box::new(referral)));
            }
        }
        cursor = page.next.filter(|_| !planted::is(Bug::LookUpOnePage));
        if cursor.is_none() {
            break;
        }
    }
    in_vain(held).await
}

/// One more look-up found nothing.
async fn in_vain<P: Ports>(held: &mut Held<'_, P>) -> Result<LookedUp, Failure> {
    let now = held.run.now();
    let Some(unknown) = &mut held.intent.unknown else { return Ok(LookedUp::Absent) };
    unknown.look_ups += 1;
    let enough = unknown.look_ups >= LOOK_UPS && now.duration_since(unknown.since) >= LOOKED_UP_FOR;
    if enough || planted::is(Bug::SecondPostEarly) {
        held.intent.unknown = None;
        held.intent.n += 1;
        if !held.save(vec![]).await? {
            return Ok(LookedUp::Wait(Ended::later(2, "its own webhook has just arrived")));
        }
        return Ok(LookedUp::Absent);
    }
    held.release().await?;
    Ok(LookedUp::Wait(Ended::later(LOOK_UP_PAUSE, "looking whether the referral was created")))
}

enum Invited {
    Half(ReferralId),
    /// Refused before, for the same request: its time has not come.
    Parked,
    Ended(Ended),
    Refused(String),
}

/// Microsoft's half: there already (some tenants get it by itself, see `[vendor]`), or POSTed once.
async fn invite_microsoft<P: Ports>(held: &mut Held<'_, P>, seen: &Seen) -> Result<Invited, Failure> {
    let run = held.run;
    if let Some(half) = &held.intent.microsoft {
        return Ok(Invited::Half(half.clone()));
    }
    let how = run.map.vendor().microsoft_half;
    let Some(engagement) = held.intent.engagement.clone() else {
        return Ok(Invited::Refused("Partner Center named no engagement to invite Microsoft into".into()));
    };
    let halves = run.ports.referrals().engagement(&engagement).await?;
    if let Some(half) = halves.iter().find(|r| r.is_microsoft()) {
        return Ok(Invited::Half(half.id().clone()));
    }
    let shows_ours = |r: &&Referral| r.belongs_to(&run.settings.organization);
    let own_half = halves.iter().find(shows_ours);
    if own_half.is_none() && !planted::is(Bug::OldListBelieved) {
        // A list without our own half is older than it, and says nothing about Microsoft's.
        held.release().await?;
        return Ok(Invited::Ended(Ended::later(10, "the engagement does not show our own half yet")));
    }
    let own_name = own_half.and_then(|half| half.body()["organizationName"].as_str()).unwrap_or_default();
    if how == MicrosoftHalf::Appears {
        held.release().await?;
        return Ok(Invited::Ended(Ended::later(30, "Microsoft's half has not appeared yet")));
    }
    if held.intent.unknown.is_some()
        && let LookedUp::Wait(ended) = in_vain(held).await?
    {
        return Ok(Invited::Ended(ended));
    }
    // After a refusal from what the record shows now: what was missing may be there. The help asked for stays.
    if held.intent.n > 0
        && matches!(run.map.deal_kind(&seen.record), Ok(DealKind::CoSell { .. }))
        && let Ok(request) = run.map.new_referral(&seen.record)
    {
        held.intent.request = request.to_string();
    }
    if held.intent.n > 0
        && let Some(parked) = parked_row(run, &held.intent.record.to_string()).await?
        && parked.holds(&digest(&held.intent.request), run.now())
    {
        return Ok(Invited::Parked);
    }
    let own: serde_json::Value = serde_json::from_str(&held.intent.request).unwrap_or_default();
    let organization = (run.settings.organization.as_str(), own_name);
    let body = run.map.microsoft_half(&own, &engagement, organization).to_string();
    Ok(match post(held, Some(body)).await? {
        Posted::Referral(half) => {
            // Known from here on, whatever the save that ends the intent comes to.
            held.intent.microsoft = Some(half.id().clone()).filter(|_| !planted::is(Bug::HalfNotRemembered));
            Invited::Half(half.id().clone())
        }
        Posted::Ended(ended) => Invited::Ended(ended),
        Posted::Refused(words) => Invited::Refused(words),
    })
}

/// A record that was read before its link: its lists have no version that tells whether they were written since. They
/// were not while nobody has saved the link.
fn untouched(rev: u64, seen: &Seen) -> Option<Seen> {
    (rev == 1).then(|| seen.clone())
}

/// Microsoft's half was refused: the own one stays, the seller sees why, and the same engagement is completed later.
async fn keep_own<P: Ports>(held: &mut Held<'_, P>, seen: &Seen, words: &str) -> Story {
    let run = held.run;
    held.release().await?;
    let what = held.intent.record.to_string();
    let told = parked_row(run, &what).await?.is_some_and(|parked| parked.reason == words);
    let row = match &held.intent.referral {
        Some(id) => run.ports.links().read(&[Key::link(id)]).await?.pop().flatten(),
        None => None,
    };
    if let Some(Row { rev, item: Item::Link(link), .. }) = row
        && link.claim.is_none()
    {
        let mut work = Work::loaded(run, *link, rev);
        if !told {
            work.note("refused", words, true);
        }
        let row = untouched(rev, seen);
        settle_on(work, Look { referral: true, record: true, row, ..Look::default() }).await?;
    }
    park(run, &what, words, &digest(&held.intent.request)).await
}

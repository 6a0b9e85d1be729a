//! Sends one request of a link: claims it before it is sent, and saves what its answer shows.

use super::{
    ROUNDS,
    answer::done,
    outcome::park_refused,
    pass::Pass,
    sides::Sides,
    write::{What, Write},
};
use crate::{
    planted::{self, Bug},
    ports::{Crm, Ports, Referrals, Seen},
    rows::{hold::not_known, run::Ended, stop::Stop, work::Work},
    state::{
        failure::{Refused, Written},
        link::{Claim, LOST_RACES_AN_HOUR},
        version::Version,
    },
};
use mapping::{Fields, RecordId, Referral, Refusal, Side, Trim};

/// The most writes of one run: each side's values, the steps of a status, an action, the Audit field.
const WRITES: u32 = 8;

/// Claims a write, which binds every run until the claim's deadline. Returns the version that the write is conditional
/// on; `None`: the side has to be read first.
pub(super) async fn claim<P: Ports>(
    work: &mut Work<'_, P>,
    pass: &mut Pass,
    write: &Write,
) -> Result<Option<Version>, Stop> {
    if pass.written >= WRITES || !work.run.may_write() {
        let ended = Ended::later(0, "this run has no time left for another write");
        return Err(work.end(ended).await);
    }
    let base = pass.sides.version(write.side).or_else(|| work.link.side(write.side).settled.clone());
    let read = !write.is_action() || pass.sides.crm_fetched || planted::is(Bug::ActionUnread);
    let Some(base) = base.filter(|_| read) else {
        // A condition needs a version; an action takes none, so the state is read just before.
        pass.sides.force(write.side);
        return Ok(None);
    };
    if !work.brake_allows(&write.name()) {
        return Err(work.end(Ended::done("parked", "oscillates")).await);
    }
    // The loser of a conflict was noted when the write was chosen. This save holds that audit line too, before the
    // value is overwritten.
    let (units, deadline) = (write.units.clone(), work.run.deadline());
    let claim = Claim { side: write.side, units, base: Some(base.clone()), deadline };
    work.link.claim = Some(claim).filter(|_| !planted::is(Bug::NoClaim));
    work.save().await?;
    Ok(Some(base))
}

/// Sends the one request under the claim and saves what its answer means for the link.
pub(super) async fn send_and_record<P: Ports>(
    work: &mut Work<'_, P>,
    pass: &mut Pass,
    write: Write,
    base: Version,
) -> Result<(), Stop> {
    pass.written += 1;
    let written = write.send(work, &base, &pass.sides, &pass.record).await;
    if !matches!(written, Written::Unknown(_)) || planted::is(Bug::UnknownIsLater) {
        work.link.claim = None;
    }
    match written {
        Written::Lost if planted::is(Bug::LostIsDone) => {
            done(work, &write, base, write.unseen(), &mut pass.sides);
        }
        Written::Done(answer) => done(work, &write, base, answer, &mut pass.sides),
        Written::Lost | Written::Exists => lost(work, pass, &write, &base).await?,
        Written::Refused(refused) => park_refused(work, &write, refused),
        Written::Unknown(failure) if !planted::is(Bug::UnknownIsLater) => {
            return Err(not_known(&work.run, "the write happened", failure).await?.into());
        }
        Written::Later(failure) | Written::Unknown(failure) => {
            work.save().await?;
            return Err(failure.into());
        }
    }
    Ok(())
}

/// The condition did not hold: the version that we had is old.
async fn lost<P: Ports>(
    work: &mut Work<'_, P>,
    pass: &mut Pass,
    write: &Write,
    base: &Version,
) -> Result<(), Stop> {
    let now = work.run.now();
    let memory = work.link.side_mut(write.side);
    memory.settled = None;
    memory.wrote_over(base, now);
    pass.lost += 1;
    if work.link.lost_races.add(now) > LOST_RACES_AN_HOUR {
        work.brake(&write.name());
        return Err(work.end(Ended::done("parked", "oscillates")).await);
    }
    if pass.lost >= ROUNDS {
        return Err(work.end(Ended::later(5, "the other side keeps changing")).await);
    }
    pass.sides.force(write.side);
    Ok(())
}

/// What the answer to a write shows, by side.
pub(super) enum Answer {
    Referral(Option<Referral>),
    Record(Option<Seen>),
}

impl Write {
    /// The version that the request is conditional on.
    fn condition(&self, base: &Version) -> Version {
        let token = match self.side {
            Side::Crm if planted::is(Bug::UpdateMayCreate) => "",
            Side::Crm if planted::is(Bug::Unconditional) => "*",
            _ => &base.token,
        };
        Version { token: token.to_owned(), ..base.clone() }
    }

    /// An answer that shows no state.
    pub(super) fn unseen(&self) -> Answer {
        match self.side {
            Side::PartnerCenter => Answer::Referral(None),
            Side::Crm => Answer::Record(None),
        }
    }

    /// Sends the request that was claimed, once.
    pub(super) async fn send<P: Ports>(
        &self,
        work: &Work<'_, P>,
        base: &Version,
        sides: &Sides,
        record: &RecordId,
    ) -> Written<Answer> {
        let run = &work.run;
        let base = &self.condition(base);
        let values: Fields = self.changes.iter().map(|(unit, c)| (unit.clone(), c.value.clone())).collect();
        let unfit =
            |refusal: Refusal| Written::Refused(Refused { field: Some(refusal.unit), text: refusal.text });
        match (self.side, &self.what) {
            (Side::PartnerCenter, _) => {
                let current = sides.partner_center.as_ref().map(|read| &read.shown);
                let current = current.filter(|_| {
                    self.name() != "external_reference" || !planted::is(Bug::ForeignReferenceReplaced)
                });
                match work.map().referral_patch(current, &values) {
                    Ok(mut operations) => {
                        if planted::is(Bug::ListSentBare) {
                            operations = planted::bare(operations);
                        }
                        let referral = &work.link.referral;
                        let patched = run.ports.referrals().patch(referral, &base.token, &operations).await;
                        patched.map(Answer::Referral)
                    }
                    Err(refusal) => unfit(refusal),
                }
            }
            (Side::Crm, What::Act(action)) => run.ports.crm().act(record, action).await.map(Answer::Record),
            (Side::Crm, What::Patch { audit, mark, name }) => {
                let present = sides.crm.as_ref().map(|read| read.fields.clone()).unwrap_or_default();
                let trim = Trim { mark: Some(*mark), name: name.clone(), audit: audit.clone(), present };
                match work.map().record_patch(&values, &trim) {
                    Ok(patch) => run.ports.crm().patch(record, base, &patch).await.map(Answer::Record),
                    Err(refusal) => unfit(refusal),
                }
            }
        }
    }
}

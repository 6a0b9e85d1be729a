//! Reads a referral as Partner Center shows it to us, and identifies its state.

use crate::{
    planted::{self, Bug},
    ports::{Found, Ports, Referrals},
    rows::run::Run,
    state::{
        failure::{Class, Failure, System},
        image::digest,
    },
};
use jiff::SignedDuration;
use mapping::{Referral, ReferralId};

/// Reads one referral. After a 403 the list is read once: if that is refused too, our user has lost its role.
pub(crate) async fn look_up<P: Ports>(
    run: &Run<'_, P>,
    id: &ReferralId,
) -> Result<Option<Referral>, Failure> {
    match run.ports.referrals().fetch(id).await? {
        Found::Referral(referral) => Ok(Some(*referral)),
        Found::Missing => Ok(None),
        Found::Forbidden if planted::is(Bug::ForbiddenDropped) => Ok(None),
        Found::Forbidden => {
            let since = run.now() - SignedDuration::from_hours(1);
            match run.ports.referrals().changed_since(since, None).await {
                Ok(page) => Ok(page.referrals.into_iter().find(|r| r.id() == id)),
                Err(refused) if !refused.is_retryable() => Err(Failure {
                    class: Class::Retryable { after: None },
                    wide: true,
                    system: System::PartnerCenter,
                    ..refused
                }),
                Err(failure) => Err(failure),
            }
        }
    }
}

/// The fingerprint of a referral's state, for parking it.
pub(crate) fn referral_print(referral: &Referral) -> String {
    digest(&format!("{}{}", referral.etag().unwrap_or_default(), referral.updated()))
}

//! Planted bugs: the protocol with one of its sentences broken, so that the model can show that it would notice. Only
//! the feature `planted` can turn one on; without it every switch is off at compile time and costs nothing.

use mapping::Value;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A sentence of the protocol, broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $doc])* $name,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Bug] = &[$(Bug::$name,)*];

            /// The sentence.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Bug::$name => concat!($($doc,)*).trim_ascii(),)*
                }
            }
        }
    };
}

bugs! {
    /// A write leaves without a claim.
    NoClaim,
    /// A claim is taken over before its deadline.
    ClaimTakenOver,
    /// That the value is there proves that a dead write happened.
    ValueIsProof,
    /// After a dead write the base is still what was agreed before it.
    DeadWriteForgotten,
    /// The record's version acquits a dead write of a list.
    ListVersionTrusted,
    /// The loser of a conflict is recorded after the write.
    ConflictToldLate,
    /// Without a base the owner's value stands and nobody is told.
    ConflictWithoutBase,
    /// The newest version seen is the settled one.
    SeenIsSettled,
    /// A version is settled although something is outstanding.
    SettledOutstanding,
    /// A read older than the newest seen is believed.
    OlderBelieved,
    /// A read older than what the feed showed is believed.
    OlderThanFeed,
    /// A link that could not be saved is taken for one that is gone.
    AdoptionGivenUp,
    /// What the sweep listed is given up like what a webhook said.
    ListedGivenUp,
    /// What was read is not remembered as seen.
    SeenForgotten,
    /// One agreed value instead of an image per side.
    OneAgreedValue,
    /// A change that waits and is not seen in a page's row is forgotten.
    WaitingForgotten,
    /// Elements that somebody added meanwhile become the image of a list we wrote.
    AnswerSwallowsLists,
    /// An answer without lists replaces what was read of them.
    AnswerHidesLists,
    /// Everything that a write's answer shows becomes the image, not only what was written.
    AnswerSwallowsEdits,
    /// An unknown outcome drops the claim, as if nothing had happened.
    UnknownIsLater,
    /// A lost race counts as written.
    LostIsDone,
    /// An update goes out with `If-Match: *`.
    Unconditional,
    /// An update goes out without `If-Match`, and creates what is gone.
    UpdateMayCreate,
    /// An action goes out on what a page showed.
    ActionUnread,
    /// A record that one read does not show counts as deleted.
    GoneAtFirstSight,
    /// A late read of a record that is gone revives its link.
    RevivedByOldRead,
    /// A record that was deleted is made again.
    DeletedMadeAgain,
    /// Sync set to No stops nothing.
    StopIgnored,
    /// A stopped link goes on from a page's row.
    ResumedFromRow,
    /// An intent goes on although Sync was set to No.
    IntentUnstoppable,
    /// A deal into which nobody was invited counts as asked.
    NobodyInvited,
    /// An intent that nobody ends is not taken up again.
    IntentForgotten,
    /// Value and currency are merged apart.
    MembersApart,
    /// Lists are merged whole.
    ListsWhole,
    /// A list is sent with no more than the map names of its elements.
    ListSentBare,
    /// Edits do not wait for acceptance.
    EditsBeforeAcceptance,
    /// A status that is parked does not keep back what goes with it.
    StatusLeftBehind,
    /// A terminal move does not wait for what is parked.
    TerminalMoveNotWaiting,
    /// The first step of a two-step move sets the image of the last.
    StepIsTheEnd,
    /// An empty field of a closed referral is taken for cleared.
    HiddenIsEmpty,
    /// A foreign `externalReferenceId` is overwritten.
    ForeignReferenceReplaced,
    /// Our own new referral is taken for a stranger's.
    OwnReferralIsStranger,
    /// Another organisation's referral becomes a record.
    SiblingIsOurs,
    /// A stamp of whole seconds is a condition although a change in the same second may follow.
    FreshIsCondition,
    /// A referral that cannot be read is dropped quietly.
    ForbiddenDropped,
    /// A tombstone stops more than webhook hints.
    TombstoneStopsSweep,
    /// A record's way back is overwritten.
    OneRecordTwoReferrals,
    /// A create into the CRM is an upsert.
    Upsert,
    /// A create whose outcome is unknown is not looked for.
    CreateNotLookedFor,
    /// A second POST follows after one look-up in vain.
    SecondPostEarly,
    /// A look-up reads one page.
    LookUpOnePage,
    /// Two hold one intent.
    TwoHolders,
    /// A POST is not written down before it leaves.
    PostNotWrittenAhead,
    /// Nobody looks whether the record was linked before its intent was there.
    IntentNotAsked,
    /// Microsoft's half is not remembered when its POST is answered.
    HalfNotRemembered,
    /// A list of the engagement older than our own half is believed.
    OldListBelieved,
    /// A referral that a page shows older than its hint, or than it was seen, is believed.
    OldPageBelieved,
    /// A half-made engagement is left where its own half is linked.
    HalfMadeLeft,
    /// `related-*` events are dropped by time.
    RelatedDroppedByTime,
    /// One record that fails stops its page.
    OneRecordStopsPage,
    /// A row that fails is left behind when its page is done.
    FailedRowForgotten,
    /// A row that must be looked at again is left behind.
    LaterRowForgotten,
    /// A row of a claimed link is skipped.
    ClaimedRowSkipped,
    /// A deletion that the feed tells is not looked at.
    GoneRowForgotten,
    /// A page is done before its hints are stored.
    AcknowledgedBeforeStored,
    /// A watermark is saved over another's.
    MarkOverAnothers,
    /// What changed while a delta expired is not looked for.
    ExpiryForgets,
    /// Nobody looks at the engagements once a day.
    NoDailyRound,
    /// The sweep does not overlap.
    NoSweepOverlap,
    /// What is parked is not tried again by time.
    ParkedForgotten,
    /// One parked field holds the others back.
    ParkedStopsAll,
    /// A lead that was qualified keeps the link.
    LeadNotFollowed,
    /// Of a lead that is qualified already an opportunity is made once more.
    QualifiedAgain,
    /// That a qualified lead shows no opportunity is believed at once.
    NoDealBelieved,
    /// A lead whose create got no answer is not looked for once its referral is accepted.
    LeadNotLookedFor,
    /// What a seller changed of a lead before it was accepted is taken for agreed.
    LeadEditsSwallowed,
    /// What was made of a linked lead gets a referral of its own.
    DealGetsOwnReferral,
    /// What one rule read counts as what another one read.
    ReadingsIgnored,
    /// Where a rule is new, an empty side that decides clears the other one.
    NewRuleClears,
    /// One side's word links a referral and a record.
    OneWordLinks,
    /// What the Audit field shows is not remembered.
    AuditNotRemembered,
    /// An audit line changes the fingerprint of what is parked.
    AuditInFingerprint,
    /// A note is written without a claim.
    NoteUnclaimed,
    /// What is to be noted is forgotten before the CRM has answered.
    NoteNotOwed,
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants one bug, or none, in whatever this thread does from here on.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this bug is planted.
#[cfg(feature = "planted")]
pub fn is(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// No bug is ever planted.
#[cfg(not(feature = "planted"))]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

/// [`Bug::ListSentBare`]: what no map names of an element is left out.
pub(crate) fn bare(mut operations: Vec<serde_json::Value>) -> Vec<serde_json::Value> {
    let elements = operations.iter_mut().filter_map(|o| o["value"].as_array_mut()).flatten();
    for element in elements.filter_map(serde_json::Value::as_object_mut) {
        element.remove("price");
    }
    operations
}

/// [`Bug::MembersApart`]: members that the source did not change stay as the target has them.
pub(crate) fn apart(wanted: Value, source: &Value, base: Option<&Value>, target: Option<&Value>) -> Value {
    let (Value::Map(mut wanted), Value::Map(source), Some(Value::Map(base)), Some(Value::Map(target))) =
        (wanted.clone(), source, base, target)
    else {
        return wanted;
    };
    for (name, kept) in target {
        if source.get(name) == base.get(name) {
            wanted.insert(name.clone(), kept.clone());
        }
    }
    Value::Map(wanted)
}

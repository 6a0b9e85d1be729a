//! Planted bugs: each breaks one rule of the protocol, so that the model can prove that it notices. Only the feature
//! `planted` can turn one on; without it every switch is off at compile time and costs nothing.

use mapping::Value;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// A bug that breaks one rule of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {
            $($(#[doc = $doc])* $name,)*
        }

        impl Bug {
            /// Every bug, each of them once.
            pub const ALL: &[Bug] = &[$(Bug::$name,)*];

            /// What the bug does, in one sentence.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Bug::$name => concat!($($doc,)*).trim_ascii(),)*
                }
            }
        }
    };
}

bugs! {
    /// A write is sent without a claim.
    NoClaim,
    /// A claim is taken over before its deadline.
    ClaimTakenOver,
    /// A claimed write counts as done because the side shows its value.
    ValueIsProof,
    /// After a write whose outcome is unknown, the base is still what was agreed before it.
    DeadWriteForgotten,
    /// An unchanged version of the record counts as proof that a claimed write of a list did not happen.
    ListVersionTrusted,
    /// The loser of a conflict is recorded after the write.
    ConflictToldLate,
    /// Without a base the owner's value stands and the audit does not mention the loser.
    ConflictWithoutBase,
    /// The newest version seen becomes the settled one.
    SeenIsSettled,
    /// A version is settled although something is outstanding.
    SettledOutstanding,
    /// A read older than the newest seen is believed.
    OlderBelieved,
    /// A read older than what the feed showed is believed.
    OlderThanFeed,
    /// A new link that could not be saved counts as one that is gone.
    AdoptionGivenUp,
    /// A referral that the sweep listed is given up as if a webhook had named it.
    ListedGivenUp,
    /// A read does not enter the seen versions.
    SeenForgotten,
    /// Both sides get one agreed value instead of an image each.
    OneAgreedValue,
    /// A waiting change that a page's row does not show is forgotten.
    WaitingForgotten,
    /// Elements that a user added meanwhile become part of the image of a list that we wrote.
    AnswerSwallowsLists,
    /// An answer without lists discards the lists that were read before.
    AnswerHidesLists,
    /// Everything that a write's answer shows becomes the image, not only what was written.
    AnswerSwallowsEdits,
    /// An unknown outcome drops the claim, as if nothing had happened.
    UnknownIsLater,
    /// A lost race counts as written.
    LostIsDone,
    /// An update is sent with `If-Match: *`.
    Unconditional,
    /// An update is sent without `If-Match`, and creates a row that is gone.
    UpdateMayCreate,
    /// An action is sent after a page's row, without a read by id.
    ActionUnread,
    /// A record that one read does not show counts as deleted.
    GoneAtFirstSight,
    /// A late read of a record that is gone revives its link.
    RevivedByOldRead,
    /// A record that was deleted is made again.
    DeletedMadeAgain,
    /// Sync set to No stops nothing.
    StopIgnored,
    /// A stopped link is resumed from a page's row.
    ResumedFromRow,
    /// An intent continues although Sync was set to No.
    IntentUnstoppable,
    /// A deal counts as asked for help although Microsoft was not invited.
    NobodyInvited,
    /// An intent whose run ended early is not taken up by another run.
    IntentForgotten,
    /// The members of a group (value and currency) are merged one by one.
    MembersApart,
    /// Lists are merged whole.
    ListsWhole,
    /// A list is sent without what no map names of its elements.
    ListSentBare,
    /// Edits do not wait for acceptance.
    EditsBeforeAcceptance,
    /// Edits of a new referral are sent although the acceptance they would go with is parked.
    StatusLeftBehind,
    /// A terminal move does not wait for what is parked.
    TerminalMoveNotWaiting,
    /// The first step of a two-step move sets the image of the last.
    StepIsTheEnd,
    /// An empty field of a closed referral counts as cleared.
    HiddenIsEmpty,
    /// A foreign `externalReferenceId` is overwritten.
    ForeignReferenceReplaced,
    /// Our own new referral is treated as one that names no record.
    OwnReferralIsStranger,
    /// Another organisation's referral becomes a record.
    SiblingIsOurs,
    /// A stamp of whole seconds is used as a condition although another change may follow in the same second.
    FreshIsCondition,
    /// A referral that may not be read is dropped.
    ForbiddenDropped,
    /// A tombstone stops more than webhook hints.
    TombstoneStopsSweep,
    /// A record's alias is overwritten.
    OneRecordTwoReferrals,
    /// A create into the CRM is an upsert.
    Upsert,
    /// After a create with an unknown outcome, no run looks for the record.
    CreateNotLookedFor,
    /// A second POST follows after one look-up that found nothing.
    SecondPostEarly,
    /// A look-up reads one page.
    LookUpOnePage,
    /// Two runs hold one intent.
    TwoHolders,
    /// A POST is not saved before it is sent.
    PostNotWrittenAhead,
    /// An intent is saved without the condition that its record has no link.
    IntentNotAsked,
    /// The id of Microsoft's half is not saved when its POST is answered.
    HalfNotRemembered,
    /// A list of the engagement older than our own half is believed.
    OldListBelieved,
    /// A referral that a page shows older than its hint, or than it was seen, is believed.
    OldPageBelieved,
    /// A half-made engagement is not completed if its own half is linked.
    HalfMadeLeft,
    /// `related-*` events are dropped by time.
    RelatedDroppedByTime,
    /// One record that fails stops its page.
    OneRecordStopsPage,
    /// A row that fails is forgotten when its page is done.
    FailedRowForgotten,
    /// A row that cannot be finished now is forgotten when its page is done.
    LaterRowForgotten,
    /// A row of a claimed link is skipped.
    ClaimedRowSkipped,
    /// A deletion that the feed reports is ignored.
    GoneRowForgotten,
    /// A page is done before its hints are stored.
    AcknowledgedBeforeStored,
    /// A watermark is saved over one that another run saved.
    MarkOverAnothers,
    /// Changes between the last position and an expired delta link are not looked for.
    ExpiryForgets,
    /// The daily round over the engagements does not happen.
    NoDailyRound,
    /// The sweep does not overlap.
    NoSweepOverlap,
    /// What is parked is not tried again by time.
    ParkedForgotten,
    /// One parked field holds the others back.
    ParkedStopsAll,
    /// The link of a qualified lead does not move to its opportunity.
    LeadNotFollowed,
    /// A lead that is qualified already gets a second opportunity.
    QualifiedAgain,
    /// One read that shows no opportunity of a qualified lead is believed.
    NoDealBelieved,
    /// A lead whose create got no answer is not looked for after its referral was accepted.
    LeadNotLookedFor,
    /// A seller's edits of a lead before its acceptance count as agreed.
    LeadEditsSwallowed,
    /// An opportunity that was made of a linked lead gets a referral of its own.
    DealGetsOwnReferral,
    /// An image of one rule is used as the base of another.
    ReadingsIgnored,
    /// Where a rule is new, the empty value of the owning side clears the other side.
    NewRuleClears,
    /// A referral and a record are linked although only one of them names the other.
    OneWordLinks,
    /// The text that was written to the Audit field is not remembered.
    AuditNotRemembered,
    /// An audit line changes the fingerprint of what is parked.
    AuditInFingerprint,
    /// A note is written without a claim.
    NoteUnclaimed,
    /// A note is no longer owed before the CRM has answered.
    NoteNotOwed,
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants one bug, or none, for whatever this thread does from here on.
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

/// [`Bug::ListSentBare`]: removes from a list's elements what no map names.
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

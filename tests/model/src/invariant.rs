//! What must hold, by name. Each of them is tripped by at least one planted bug: a check that cannot fail is worse than
//! none.

use std::fmt;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])* $name:ident $word:literal,)*) => {
        /// A sentence that must hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $($(#[doc = $doc])* $name,)*
        }

        impl Invariant {
            pub const ALL: &[Invariant] = &[$(Invariant::$name,)*];

            /// Its name in what a run prints.
            pub fn word(self) -> &'static str {
                match self { $(Invariant::$name => $word,)* }
            }

            /// Its doc comment, for what a run prints.
            pub fn sentence(self) -> &'static str {
                match self { $(Invariant::$name => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

invariants! {
    /// No edit of a person is overwritten before the other side has seen it, unless an audit line says so first.
    Unseen "unseen edit",
    /// Nothing is written that the other side never showed.
    Sourced "source",
    /// What we made both sides show is not undone by us.
    Undone "undone",
    /// No stage moves back by our doing.
    Forward "stage",
    /// Nothing changes that no map names.
    Mapped "mapped",
    /// A referral that nobody has accepted takes no edits.
    Accepted "acceptance",
    /// Where a rule is new nothing is cleared that nobody emptied.
    NewRule "new rule",
    /// One side's word links nothing: both name each other, or they are about one customer.
    Consent "consent",
    /// Somebody else's `externalReferenceId` stays.
    Reference "reference",
    /// Nothing is written while Sync is set to No.
    Sync "sync",
    /// What was deleted stays deleted.
    Deleted "deleted",
    /// One own referral of a record.
    OneReferral "one referral",
    /// One Microsoft half of an engagement.
    OneHalf "one half",
    /// One record of a referral, one link of a record.
    OneRecord "one record",
    /// At the end both sides show the same, or the table says why not.
    Agreed "agreed",
    /// At the end a link knows whether its record is there.
    Life "life",
    /// At the end every deal has its other half, or the table says why not.
    Linked "linked",
    /// At the end nothing is half done: no claim, intent, message, hold or parked item without a reason.
    Done "done",
    /// What Microsoft says is noted at the record, once.
    Noted "noted",
    /// A watermark is saved only over the one that was read.
    Mark "mark",
    /// Everything comes to rest, and then nothing is written any more.
    Rest "rest",
    /// So many calls for so many things that happened, not more.
    Thrift "thrift",
}

/// A sentence that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    /// What was seen instead, with the ids and values concerned.
    pub words: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant.word(), self.words)
    }
}

//! Why a story goes no further than where it is.

use crate::{
    rows::{held::Begun, run::Ended},
    state::failure::Failure,
};

/// What ends a story early; `?` carries it to whoever began the story.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A call failed.
    Failed(Failure),
    /// Another run saved this row first: reload and start over.
    Overtaken,
    /// This is how it ended; what was learnt is saved.
    Ended(Ended),
    /// It ended, and Microsoft is to be invited by an intent that was saved with the link.
    Invites(Box<Begun>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failed(failure)
    }
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Stop::Ended(ended)
    }
}

/// How a story, or a part of one, came out.
pub(crate) type Outcome = Result<Ended, Stop>;

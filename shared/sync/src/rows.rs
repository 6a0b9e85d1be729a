//! What every story does with the table: its run, the link it works on, an intent it holds, parking, and the aliases
//! that lead to a link.

pub(crate) mod aliases;
pub(crate) mod held;
pub mod hold;
pub(crate) mod late;
pub(crate) mod parking;
pub(crate) mod referrals;
pub mod run;
pub(crate) mod stop;
pub(crate) mod telling;
pub(crate) mod work;

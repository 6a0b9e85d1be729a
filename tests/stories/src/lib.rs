//! Random stories of a small company, played to the real functions, the real clients and the simulators of the outside
//! systems in one process, on a clock that only the story moves; and a judge who knows the field map and what the
//! simulators hold, never our table.
//!
//! [`generate`] draws a [`story::Story`], [`play`] performs it on a [`stage::Stage`], [`judge`] says what is wrong,
//! [`find`] plays many and shrinks what breaks.

pub mod find;
pub mod generate;
pub mod judge;
pub mod kept;
pub mod known;
mod organisation;
mod outsider;
pub mod overrides;
mod partner;
pub mod play;
mod seller;
pub mod shown;
pub mod stage;
pub mod story;
mod taste;
pub mod values;

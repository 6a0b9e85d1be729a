//! The whole connector in one process, on loopback: the simulators, an embedded DynamoDB, the real functions and what AWS
//! does between them ([`world`]), and the people who act in it ([`people`]). The local run, scenarios, storms and stories
//! are built on it. Nothing here decides anything that the product decides.

pub mod arguments;
pub mod check;
mod decisions;
mod desk;
mod events;
mod fit;
mod hands;
mod live;
pub mod people;
pub mod run;
pub mod words;
pub mod world;

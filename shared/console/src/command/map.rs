//! Commands about the field map's override.

use clap::Subcommand;
use serde_json::{Value, json};

/// Of the field map's override.
#[derive(Debug, Subcommand)]
pub enum Map {
    /// The one in effect
    Show,
    /// All that were ever set
    History,
    /// Its faults, and what it would change; nothing happens
    Check {
        /// The TOML file; `-` is standard input.
        file: std::path::PathBuf,
    },
    /// Checks it and puts it into effect
    Set {
        /// The TOML file; `-` is standard input.
        file: std::path::PathBuf,
    },
    /// An earlier one again
    Rollback {
        /// Which; else the one before.
        version: Option<u32>,
    },
}

impl Map {
    pub(super) fn event(
        &self,
        read: impl Fn(&std::path::Path) -> Result<String, String>,
    ) -> Result<Value, String> {
        Ok(match self {
            Map::Show => json!({ "command": "map", "action": "show" }),
            Map::History => json!({ "command": "map", "action": "history" }),
            Map::Check { file } => json!({ "command": "map", "action": "check", "map": read(file)? }),
            Map::Set { file } => json!({ "command": "map", "action": "set", "map": read(file)? }),
            Map::Rollback { version } => {
                json!({ "command": "map", "action": "rollback", "version": version })
            }
        })
    }
}

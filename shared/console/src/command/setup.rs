//! Commands that set something up at a vendor, or take it away.

use super::named;
use clap::Args;
use serde_json::{Value, json};

/// Whether a foreign registration is taken over.
#[derive(Debug, Args)]
pub struct Register {
    /// Take over the registration of another program on the same tenant.
    #[arg(long)]
    pub overwrite: bool,
}

impl Register {
    pub(super) fn event(&self) -> Value {
        match self.overwrite {
            true => json!({ "command": "register", "overwrite": "yes" }),
            false => named("register"),
        }
    }
}

/// Both have to be given.
#[derive(Debug, Args)]
pub struct Deprovision {
    /// Delete columns and tables with what stands in them.
    #[arg(long)]
    pub delete_data: bool,
    /// The host of the environment that is meant.
    #[arg(long, value_name = "HOST")]
    pub confirm: Option<String>,
}

impl Deprovision {
    pub(super) fn event(&self) -> Value {
        let data = if self.delete_data { "yes" } else { "no" };
        json!({ "command": "deprovision", "delete_data": data, "confirm": self.confirm })
    }
}

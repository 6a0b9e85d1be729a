//! Stories that are kept: the smallest that showed a fault, as JSON, one file each below `kept/`.

use crate::story::Story;
use mapping::CrmKind;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A story with what it showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The fault, by its number or in a sentence.
    pub fault: String,
    /// The kind of violation that shows it.
    pub kind: String,
    /// Not mended yet: it still shows; else it must not show any more.
    #[serde(default)]
    pub open: bool,
    pub crm: String,
    /// Where it was found.
    pub seed: u64,
    pub story: Story,
}

impl Kept {
    /// Its fault's number: what stands before the colon.
    pub fn number(&self) -> &str {
        self.fault.split(':').next().unwrap_or_default()
    }

    /// All that are kept.
    pub fn all() -> Result<Vec<Self>, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kept");
        let told = |e: std::io::Error| format!("{}: {e}", folder.display());
        let mut all = vec![];
        for entry in std::fs::read_dir(&folder).map_err(told)? {
            all.push(Self::read(&entry.map_err(told)?.path())?);
        }
        Ok(all)
    }

    pub fn crm(&self) -> Result<CrmKind, String> {
        self.crm.parse().map_err(|e| format!("`crm`: {e}"))
    }

    pub fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", file.display()))
    }

    pub fn write(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        std::fs::write(file, text + "\n").map_err(|e| format!("{}: {e}", file.display()))
    }
}

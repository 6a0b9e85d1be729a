//! The field map in effect: the default, or the override that an administrator has stored in the table. It is read
//! together with what a run reads anyway, so that every function uses a changed map from its next run on, without a
//! deployment.

use crate::outside::{self, App};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use sync::{
    failure::{Class, Failure, System},
    ports::Links,
    table::{Item, Key, Row},
};

/// What a function keeps between runs, with the map that it used last.
pub struct Live(Mutex<AppRevision>);

struct AppRevision {
    app: Arc<App>,
    /// The revision of the stored map's row; 0: there is none.
    rev: u64,
}

impl Live {
    /// Begins with the map of `app`, which is the default one.
    pub fn new(app: App) -> Self {
        Live(Mutex::new(AppRevision { app: Arc::new(app), rev: 0 }))
    }

    /// The app with the map that was used last.
    pub fn last(&self) -> Arc<App> {
        self.kept().app.clone()
    }

    /// The app with the map in effect, which is read from the table.
    pub async fn app(&self) -> Result<Arc<App>, Failure> {
        let row = self.last().outside.links.read(&[Key::active_map()]).await?.pop().flatten();
        self.with(row.as_ref())
    }

    /// The app with the map of this row ([`Key::active_map`]), which was just read. If this code cannot read a stored
    /// map, the function fails, retryably: writing by another map than the administrator's would do harm.
    pub fn with(&self, row: Option<&Row>) -> Result<Arc<App>, Failure> {
        let stored = row.and_then(|row| match &row.item {
            Item::Map(map) => Some((row.rev, map)),
            _ => None,
        });
        let rev = stored.map_or(0, |(rev, _)| rev);
        let version = stored.map_or(0, |(_, map)| map.version);
        let mut kept = self.kept();
        if kept.rev != rev {
            let map = outside::map(kept.app.map.crm(), stored.map(|(_, map)| map)).map_err(|faults| {
                tracing::error!(alarm = "map", version, reason = %faults, "the stored map is unusable");
                Failure {
                    system: System::Table,
                    operation: format!("read map version {version}"),
                    class: Class::Retryable { after: None },
                    wide: false,
                    text: faults.to_string(),
                }
            })?;
            tracing::info!(decision = "map", version, "the field map has changed");
            *kept = AppRevision { app: Arc::new(kept.app.with_map(map)), rev };
        }
        Ok(kept.app.clone())
    }

    fn kept(&self) -> MutexGuard<'_, AppRevision> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

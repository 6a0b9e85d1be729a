//! Notes at records: as a CRM has them that takes a second one like the first, so that whoever writes one looks before.

use super::write::Ended;
use crate::{
    invariant::Invariant,
    late::What,
    trace::{say, short},
    world::State,
};
use mapping::RecordId;
use std::collections::BTreeMap;
use sync::{
    failure::{Failure, System, Written},
    note::Note,
};

/// By record and mark: the words.
pub(crate) type Notes = BTreeMap<(String, String), String>;

impl State {
    pub(crate) fn has_note(&mut self, id: &RecordId, note: &Note) -> Result<bool, Failure> {
        self.read_fails(System::Crm, "look at the notes")?;
        let there = self.crm.notes.contains_key(&(id.id.clone(), note.mark()));
        say!(self, self.runs.name, "notes of {} -> {there}", short(&id.id));
        self.saw(&there);
        Ok(there)
    }

    pub(crate) fn send_note(&mut self, id: &RecordId, note: &Note) -> Written<()> {
        say!(self, self.runs.name, "POST note at {}: {}", short(&id.id), note.text);
        let fate = match self.before("note", None, || What::Note(id.clone(), note.clone())) {
            Ok(fate) => fate,
            Err(written) => return written,
        };
        let ended = self.put_note(id, note);
        self.answered(ended, fate, "note", |_| ())
    }

    pub(crate) fn put_note(&mut self, id: &RecordId, note: &Note) -> Ended {
        if self.crm.now(&id.id).is_none() {
            return Ended::Refused(None, "404".into());
        }
        if self.crm.notes.insert((id.id.clone(), note.mark()), note.text.clone()).is_some() {
            let words = format!("record {} has the note \"{}\" twice", short(&id.id), note.text);
            self.violate(Invariant::Noted, words);
        }
        Ended::Done
    }

    /// Whether one of these records has a note with these words.
    pub(crate) fn is_noted<'a>(&self, records: impl IntoIterator<Item = &'a RecordId>, words: &str) -> bool {
        let at = |record: &RecordId| {
            self.crm.notes.iter().any(|((id, _), text)| *id == record.id && text == words)
        };
        records.into_iter().any(at)
    }
}

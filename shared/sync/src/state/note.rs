//! A note on a record: a message from Microsoft or about the deal's end, written once. Its text and the referral it
//! comes from identify it, so a later attempt to write it finds the note that is already there.

use mapping::{ReferralId, child_id};
use serde::{Deserialize, Serialize};

/// How many characters of the text the title repeats.
const HEAD: usize = 100;

/// A note. Two notes with the same text and the same referral are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The referral it comes from: Microsoft's half, or our own referral for what became of the deal.
    pub half: ReferralId,
    /// The text, of any length; the title repeats its beginning.
    pub text: String,
}

impl Note {
    /// The mark that identifies the note, also within a title: its referral's id and a digest of its text.
    pub fn mark(&self) -> String {
        let digest = child_id(&["note", self.half.as_str(), &self.text]);
        format!("co-sell {} {}", self.half, &digest[..8])
    }

    /// The beginning of the text, followed by the mark.
    pub fn title(&self) -> String {
        let head = self.text.split([':', ';', '\n']).next().unwrap_or_default();
        let head: String = head.chars().take(HEAD).collect();
        format!("{} [{}]", head.trim(), self.mark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(half: &str, text: &str) -> Note {
        Note { half: ReferralId::parse(half).unwrap(), text: text.to_owned() }
    }

    #[test]
    fn the_same_words_of_the_same_half_are_the_same_note() {
        let (one, other) = ("0f9d6c1e-4f1b-4a77-8c3d-7e21b0a94d55", "0f9d6c1e-4f1b-4a77-8c3d-7e21b0a94d56");
        let said = note(one, "Microsoft declined: no match");
        assert_eq!(said.mark(), note(one, "Microsoft declined: no match").mark());
        assert_ne!(said.mark(), note(one, "Microsoft declined: no budget").mark());
        assert_ne!(said.mark(), note(other, "Microsoft declined: no match").mark());
        assert_eq!(said.title(), format!("Microsoft declined [{}]", said.mark()));
    }

    #[test]
    fn a_title_stays_short_whatever_is_said() {
        assert!(note("0f9d6c1e-4f1b-4a77-8c3d-7e21b0a94d55", &"ä".repeat(5000)).title().len() < 255 + HEAD);
        let title = note("0f9d6c1e-4f1b-4a77-8c3d-7e21b0a94d55", &"a".repeat(5000)).title();
        assert!(title.len() <= 255, "{title}");
    }
}

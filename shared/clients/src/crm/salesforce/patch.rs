//! Conditional changes of opportunities' own fields. A single one is sent with the reads of its opportunity, all or
//! nothing. Several share one composite: each has its own condition and outcome, and reads of all opportunities
//! follow.

use super::{
    Salesforce,
    composite::{Composite, PARTS, Part},
    features::Features,
    rows::SOLUTION_OPPORTUNITY,
    soql::any_of,
    wire::FailedComposite,
};
use crate::session::Unanswered;
use mapping::RecordKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The reference of the change itself; in a composite of several its number follows.
const OWN: &str = "own";
/// The reads of the opportunities: their references, and the field of a row that names its opportunity.
const SHOWN: [(&str, &str); 4] = [
    ("shown_record", "Id"),
    ("shown_solutions", SOLUTION_OPPORTUNITY),
    ("shown_contact", "OpportunityId"),
    ("shown_team", "OpportunityId"),
];
/// The read of who wrote each opportunity last, after all other reads.
const EDITORS: &str = "editors";
/// The most changes in one composite, beside the reads.
const MOST: usize = PARTS - SHOWN.len() - 1;

/// A change of an opportunity's own fields.
pub(super) struct Patch {
    pub(super) id: String,
    pub(super) own: Part,
}

/// The outcome of a change and the reads of its opportunity, or why there is none.
pub(super) type CompositeResult = Result<Composite, FailedComposite>;

impl Salesforce {
    /// Sends a change together with those that other tasks of this run ask for at about the same time.
    pub(super) async fn patched(&self, operation: &str, has: Features, patch: Patch) -> CompositeResult {
        let patched = self.patches.send(patch, MOST, |patches| self.patch_all(operation, has, patches)).await;
        patched.unwrap_or_else(|| Err(self.unknown(operation, "who sent it for several was stopped")))
    }

    async fn patch_all(&self, operation: &str, has: Features, patches: Vec<Patch>) -> Vec<CompositeResult> {
        if patches.len() == 1 {
            return self.patch_each(operation, has, patches).await;
        }
        let owns = patches.iter().enumerate().map(|(n, patch)| patch.own.clone().named(of(n)));
        let parts: Vec<Part> = owns.chain(self.parts_by_ids(has, &patches)).collect();
        match self.wire.write_each(operation, &parts).await {
            Ok(answer) => {
                let us = self.wire.user();
                let one = |(n, patch)| only(&answer, n, patch, us.as_deref());
                let lost = || self.unknown(operation, "the answer lacks this change");
                patches.iter().enumerate().map(one).map(|patched| patched.ok_or_else(lost)).collect()
            }
            Err(FailedComposite::Answered(said)) if said.is_of_the_composite() => {
                self.patch_each(operation, has, patches).await
            }
            Err(unwritten) => patches.iter().map(|_| Err(unwritten.clone())).collect(),
        }
    }

    async fn patch_each(&self, operation: &str, has: Features, patches: Vec<Patch>) -> Vec<CompositeResult> {
        let mut patched = vec![];
        for Patch { id, own } in patches {
            let reads = self.parts_by_id(has, RecordKind::Opportunity, &id);
            let parts: Vec<Part> = std::iter::once(own).chain(reads).collect();
            patched.push(self.wire.write(operation, &parts).await);
        }
        patched
    }

    fn parts_by_ids(&self, has: Features, patches: &[Patch]) -> Vec<Part> {
        let ids = any_of(patches.iter().map(|patch| &patch.id));
        let of = |lookup: &str| match lookup {
            "Opportunity" => format!("OpportunityId IN ({ids})"),
            lookup => format!("{lookup} IN ({ids})"),
        };
        let mut parts = self.record_parts(has, &format!("Id IN ({ids})"), of, true);
        let editors = format!("SELECT Id, LastModifiedById FROM Opportunity WHERE Id IN ({ids})");
        parts.push(Part::query(EDITORS, &editors));
        parts
    }

    fn unknown(&self, operation: &str, words: &str) -> FailedComposite {
        FailedComposite::Unanswered(Unanswered::Unknown(self.wire.retryable(operation, words)))
    }
}

/// The reference of the `n`-th change.
fn of(n: usize) -> String {
    format!("{OWN}{n}")
}

/// From an answer about several opportunities, what concerns this one. The outcome stands alone if a field has another
/// value than was sent and another user than `us` wrote the opportunity last: the reads are in no transaction with the
/// writes, and that user's edit would be taken for what Salesforce made of our value. A flow that stores another value
/// runs as our user. `None`: the answer lacks the outcome.
fn only(answer: &Composite, n: usize, patch: &Patch, us: Option<&str>) -> Option<Composite> {
    let editors = answer.rows(EDITORS).unwrap_or_default();
    let editor =
        editors.iter().find(|row| row["Id"] == *patch.id).and_then(|row| row["LastModifiedById"].as_str());
    let by_us = us.zip(editor).is_some_and(|(us, editor)| is_same(us, editor));
    let own = BTreeMap::from([(OWN.to_owned(), answer.parts.get(&of(n))?.clone())]);
    let shown = |(reference, parent): &(&str, &str)| {
        let mut rows = answer.rows(reference).ok()?;
        rows.retain(|row| row[*parent] == *patch.id);
        let ours = *reference != SHOWN[0].0 || by_us || rows.iter().all(|row| shows(row, patch));
        let part: Value = json!({ "httpStatusCode": 200, "body": { "done": true, "records": rows } });
        ours.then(|| ((*reference).to_owned(), part))
    };
    let asked = SHOWN.iter().filter(|(reference, _)| answer.has(reference));
    let shown: Option<Vec<_>> = asked.map(shown).collect();
    Some(Composite { parts: own.into_iter().chain(shown.unwrap_or_default()).collect(), date: answer.date })
}

/// Whether two ids are equal. The first 15 characters identify a row; three more are added where case is ignored.
fn is_same(one: &str, other: &str) -> bool {
    one.len() >= 15 && one.get(..15) == other.get(..15)
}

/// Whether each field has the value that was sent.
fn shows(row: &Value, patch: &Patch) -> bool {
    let sent = patch.own.body.as_ref().and_then(Value::as_object).into_iter().flatten();
    sent.into_iter().all(|(field, sent)| match (&row[field], sent) {
        (Value::Number(shown), Value::Number(sent)) => shown.as_f64() == sent.as_f64(),
        (shown, sent) => shown == sent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "006000000000001AAA";
    const TWO: &str = "006000000000002AAA";

    fn patch(id: &str, amount: u32) -> Patch {
        let own = Part::update(OWN, "Opportunity", id, json!({ "Amount": amount }));
        Patch { id: id.to_owned(), own }
    }

    fn answer(parts: Value) -> Composite {
        let parts = parts.as_object().unwrap().clone().into_iter().collect();
        Composite { parts, date: None }
    }

    fn done() -> Value {
        let rows = |rows: Value| json!({ "httpStatusCode": 200, "body": { "done": true, "records": rows } });
        let of = |id: &str| json!({ "OpportunityId": id, "Opportunity__c": id, "Id": id, "Amount": 7.0 });
        json!({
            "own0": { "httpStatusCode": 204 },
            "own1": { "httpStatusCode": 412, "body": [{ "errorCode": "X", "message": "m" }] },
            "shown_record": rows(json!([of(ONE), of(TWO)])),
            "shown_solutions": rows(json!([of(TWO), of(TWO)])),
            "shown_contact": rows(json!([of(ONE)])),
        })
    }

    #[test]
    fn each_has_its_own_outcome_and_its_own_rows() {
        let answer = answer(done());
        let (one, two) = (
            only(&answer, 0, &patch(ONE, 7), None).unwrap(),
            only(&answer, 1, &patch(TWO, 7), None).unwrap(),
        );
        assert!(one.refusal().is_none());
        assert_eq!(two.refusal().map(|said| said.status), Some(412));
        let count = |composite: &Composite, reference| composite.rows(reference).unwrap().len();
        assert_eq!((count(&one, "shown_record"), count(&two, "shown_record")), (1, 1));
        assert_eq!((count(&one, "shown_solutions"), count(&two, "shown_solutions")), (0, 2));
        assert_eq!((count(&one, "shown_contact"), count(&two, "shown_contact")), (1, 0));
        assert!(only(&answer, 2, &patch(ONE, 7), None).is_none(), "it is not there");
    }

    #[test]
    fn half_of_what_shows_it_shows_nothing_and_is_no_refusal() {
        for broken in ["failed", "paged"] {
            let mut parts = done();
            match broken {
                "failed" => parts["shown_solutions"]["httpStatusCode"] = json!(400),
                _ => parts["shown_solutions"]["body"]["done"] = json!(false),
            }
            let one = only(&answer(parts), 0, &patch(ONE, 7), None).unwrap();
            assert!(one.refusal().is_none(), "{broken}");
            assert!(!one.has("shown_record"), "{broken}");
        }
    }

    #[test]
    fn what_another_wrote_after_us_is_not_what_became_of_our_write() {
        let us = "005000000000001AAA";
        let mut parts = done();
        for (editor, is_shown) in [(us, true), ("005000000000001", true), ("005000000000002AAA", false)] {
            let rows = json!([{ "Id": ONE, "LastModifiedById": editor }]);
            parts[EDITORS] = json!({ "httpStatusCode": 200, "body": { "done": true, "records": rows } });
            let one = only(&answer(parts.clone()), 0, &patch(ONE, 8), Some(us)).unwrap();
            assert!(one.refusal().is_none());
            assert_eq!(one.has("shown_record"), is_shown, "{editor}");
        }
        assert!(!only(&answer(done()), 0, &patch(ONE, 8), Some(us)).unwrap().has("shown_record"));
    }
}

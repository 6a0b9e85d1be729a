//! After the storm: everything comes to rest, both vendors show the same, nothing is there twice.

use crate::{
    figures::Figures,
    people::Deal,
    shown::{of_opportunity, of_referral, text},
    storm::Storm,
};
use serde_json::Value;
use simulators::dataverse::DataverseRow;
use std::collections::{BTreeMap, HashMap};

/// No line names more than so many of one kind.
const NAMED: usize = 10;

/// What is missing or differs, and what is there twice.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<String>,
    pub(crate) doubled: Vec<String>,
    /// Last words that a conflict overruled, as the Audit field says.
    pub(crate) overruled: usize,
}

/// Lets the world come to rest and judges it.
pub(crate) async fn close(mut storm: Storm) -> anyhow::Result<(Figures, Vec<String>)> {
    storm.fair();
    storm.learn();
    for deal in 0..storm.deals.len() {
        storm.accept(deal)?;
    }
    storm.rest().await?;
    let mut figures = storm.figures();
    let verdict = judge(&storm);
    let mut wrong = std::mem::take(&mut storm.wrong);
    let writes = storm.meter.writes();
    for _ in 0..5 {
        storm.pass(20 * 60).await?;
        storm.minute().await?;
    }
    if storm.meter.writes() != writes {
        wrong.push(format!("{} writes after everything had settled", storm.meter.writes() - writes));
    }
    if (figures.left, figures.dead) != (0, 0) {
        wrong.push(format!("{} messages left, {} dead letters", figures.left, figures.dead));
    }
    wrong.extend(storm.meter.unknown());
    if verdict.overruled > 0 {
        println!("{}: {} last words overruled in a conflict, each audited", storm.profile, verdict.overruled);
    }
    (figures.lost, figures.doubled) = (verdict.lost.len(), verdict.doubled.len());
    wrong.extend(verdict.into_lines());
    Ok((figures, wrong))
}

/// Compares what both vendors hold, and with what people said last.
pub(crate) fn judge(storm: &Storm) -> Verdict {
    let mut verdict = Verdict::default();
    let partner_center = storm.world.partner_center.system();
    let crm = storm.world.dataverse.system();
    let rows = crm.rows("opportunities");
    let mut by_referral: HashMap<String, Vec<&DataverseRow>> = HashMap::new();
    for row in &rows {
        by_referral.entry(text(&row["cosell_referralid"])).or_default().push(row);
    }
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for referral in partner_center.own_referrals() {
        let id = text(&referral["id"]);
        named.entry(text(&referral["externalReferenceId"])).or_default().push(id.clone());
        match by_referral.remove(&id).unwrap_or_default().as_slice() {
            [] => verdict.lost.push(format!("referral `{id}`: Partner Center has it, the CRM shows nothing")),
            [row] => verdict.compare(&id, referral, row),
            [.., row] => verdict
                .doubled
                .push(format!("referral `{id}`: more than one opportunity, also `{}`", row["opportunityid"])),
        }
    }
    for row in by_referral.values().flatten().filter(|row| row["cosell_syncwithpartnercenter"] == true) {
        verdict.lost.push(format!(
            "opportunity {}: shared, but Partner Center has no referral `{}`",
            row["opportunityid"], row["cosell_referralid"]
        ));
    }
    for (record, referrals) in named.iter().filter(|(record, ids)| record.is_empty() || ids.len() > 1) {
        let ids = referrals.join("`, `");
        match record.is_empty() {
            true => verdict.lost.push(format!("referrals `{ids}`: without the id of their opportunity")),
            false => verdict.doubled.push(format!("opportunity `{record}`: referrals `{ids}`")),
        }
    }
    verdict.once(&crm.rows("accounts"), &["name", "address1_postalcode"]);
    verdict.once(&crm.rows("accounts"), &["cosell_customerkey"]);
    verdict.once(&crm.rows("contacts"), &["emailaddress1"]);
    verdict.once(&crm.rows("contacts"), &["cosell_contactkey"]);
    for deal in &storm.deals {
        let id = deal.referral.clone().unwrap_or_default();
        match deal.opportunity.as_ref().and_then(|id| crm.row("opportunities", id)) {
            Some(row) => verdict.last_words(&id, deal, row),
            None => verdict.lost.push(format!("referral `{id}`: its opportunity is not there")),
        }
    }
    verdict
}

impl Verdict {
    /// Both vendors show the same.
    fn compare(&mut self, id: &str, referral: &Value, row: &DataverseRow) {
        let (there, here) = (of_referral(referral), of_opportunity(row));
        for (unit, value) in there.iter().filter(|(unit, value)| here.get(*unit) != Some(value)) {
            let other = here.get(unit).map(String::as_str).unwrap_or_default();
            self.lost
                .push(format!("referral `{id}`: {unit}: Partner Center shows `{value}`, the CRM `{other}`"));
        }
    }

    /// A unit that one side alone edits shows what was said last, or the Audit field says why not.
    fn last_words(&mut self, id: &str, deal: &Deal, row: &DataverseRow) {
        let shown = of_opportunity(row);
        for (unit, said) in deal.said.iter().filter(|(unit, said)| shown.get(*unit) != Some(said)) {
            let word = if *unit == "value" { said.split('.').next().unwrap_or(said) } else { said };
            if text(&row["cosell_audit"]).contains(word) {
                self.overruled += 1;
            } else {
                let other = shown.get(unit).map(String::as_str).unwrap_or_default();
                self.lost.push(format!("referral `{id}`: {unit}: said last `{said}`, shown `{other}`"));
            }
        }
    }

    /// No two rows with the same values.
    fn once(&mut self, rows: &[&DataverseRow], columns: &[&str]) {
        let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for row in rows {
            *seen.entry(columns.iter().map(|column| text(&row[*column])).collect()).or_default() += 1;
        }
        for (values, n) in seen.iter().filter(|(values, n)| **n > 1 && !values[0].is_empty()) {
            self.doubled.push(format!("{n} rows with {} `{}`", columns.join(", "), values.join("`, `")));
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        let mut lines = vec![];
        for (what, found) in [("lost", self.lost), ("doubled", self.doubled)] {
            let more = found.len().saturating_sub(NAMED);
            lines.extend(found.into_iter().take(NAMED).map(|line| format!("{what}: {line}")));
            if more > 0 {
                lines.push(format!("{what}: {more} more"));
            }
        }
        lines
    }
}

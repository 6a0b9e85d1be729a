//! The ways in which a status may change, on either side.

use crate::{
    Action, CrmStep, Map, RecordKind, Refusal, Value,
    names::STATUS,
    status::{Phase, pair_of, phase_of_pair, value_of},
};

impl Map {
    /// The status in the CRM's form. It includes the reason of a loss, which the close action needs and no record has.
    pub(crate) fn status_to_crm(&self, partner_center: &Value) -> Result<Value, Refusal> {
        let pair = pair_of(partner_center);
        let mut form = self
            .status
            .crm_form(&pair)
            .ok_or_else(|| refused(format!("`{pair}` is not in the status table")))?;
        let reason = partner_center.member("reason");
        if let (Value::Map(members), false, Some(Phase::Lost)) =
            (&mut form, reason.is_null(), phase_of_pair(&pair))
        {
            members.insert("reason".to_owned(), reason.clone());
        }
        Ok(form)
    }

    /// The status in Partner Center's form, as if it could change to it at once from `Active`.
    pub(crate) fn status_to_partner_center(&self, crm: &Value) -> Result<Value, Refusal> {
        match self.crm_phase(crm)? {
            Phase::Waiting => Ok(value_of("New/Pending", Value::Null)),
            Phase::Active => Ok(value_of("Active/Accepted", Value::Null)),
            Phase::Won => Ok(value_of("Closed/Won", Value::Null)),
            Phase::Lost => Ok(self.lost(crm, "Closed/Lost")),
        }
    }

    /// Whether both statuses mean the same: waiting, active, won or lost. Finer differences (which open stage, which
    /// reason of a loss) exist on one side only.
    pub(crate) fn status_equal(&self, partner_center: &Value, crm: &Value) -> bool {
        let phase = phase_of_pair(&pair_of(partner_center));
        phase.is_some() && phase == self.status.phase_of_crm(crm)
    }

    /// Whether a record with this status accepts no changes any more: won or lost, or a lead that is qualified.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, RecordKind, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let one: Value = serde_json::from_str(r#"{ "state": "1", "status": "3" }"#)?;
    /// assert!(map.is_closed_in_crm(&one), "an opportunity that is won");
    /// let leads = map.of(RecordKind::Lead);
    /// assert!(leads.is_closed_in_crm(&one) && leads.is_qualified(&one), "a lead that is qualified");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_closed_in_crm(&self, crm: &Value) -> bool {
        let phase = self.status.phase_of_crm(crm);
        phase.is_some_and(Phase::is_closed) || self.is_qualified(crm)
    }

    /// Whether a lead is qualified: its opportunity has then taken its place.
    pub fn is_qualified(&self, crm: &Value) -> bool {
        self.kind == RecordKind::Lead && self.status.phase_of_crm(crm) == Some(Phase::Active)
    }

    /// The CRM's status reason of a qualified lead; `None`: the map has no number for it.
    pub fn qualified_reason(&self) -> Option<i64> {
        let accepted = value_of("Active/Accepted", Value::Null);
        let shown = self.of(RecordKind::Lead).status_to_crm(&accepted).ok()?;
        shown.member("status").text()?.parse().ok()
    }

    /// The CRM's name for the status of a qualified lead, from the map.
    pub fn qualified_stage(&self) -> Option<String> {
        let accepted = value_of("Active/Accepted", Value::Null);
        let shown = self.of(RecordKind::Lead).status_to_crm(&accepted).ok()?;
        shown.member("stage").text().map(str::to_owned)
    }

    /// Whether a lead can still be qualified.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, RecordKind, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let open: Value = serde_json::from_str(r#"{ "state": "0", "status": "2" }"#)?;
    /// assert!(map.of(RecordKind::Lead).is_open_lead(&open) && !map.is_open_lead(&open));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn is_open_lead(&self, crm: &Value) -> bool {
        self.kind == RecordKind::Lead && self.status.phase_of_crm(crm) == Some(Phase::Waiting)
    }

    /// The statuses that Partner Center has to pass through to arrive at the CRM's; none if it is there already.
    ///
    /// ```
    /// use mapping::{CrmKind, Map, Value};
    ///
    /// let pending: Value = serde_json::from_str(r#"{ "status": "New", "substatus": "Pending" }"#).unwrap();
    /// let won: Value = serde_json::from_str(r#"{ "state": "1", "status": "3" }"#).unwrap();
    /// let steps = Map::standard(CrmKind::Dynamics365).partner_center_steps(&pending, &won)?;
    /// let substatuses: Vec<_> = steps.iter().map(|step| step.member("substatus").text()).collect();
    /// assert_eq!(substatuses, [Some("Accepted"), Some("Won")]);
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn partner_center_steps(&self, current: &Value, crm: &Value) -> Result<Vec<Value>, Refusal> {
        let pair = pair_of(current);
        let now = phase_of_pair(&pair)
            .ok_or_else(|| refused(format!("`{pair}` is no status of Partner Center")))?;
        let target = self.crm_phase(crm)?;
        let accepted = || value_of("Active/Accepted", Value::Null);
        match (now, target) {
            (now, target) if now == target => Ok(Vec::new()),
            (Phase::Waiting, Phase::Active) => Ok(vec![accepted()]),
            (Phase::Waiting, Phase::Won) => Ok(vec![accepted(), value_of("Closed/Won", Value::Null)]),
            (Phase::Waiting, Phase::Lost) => Ok(vec![self.lost(crm, "Closed/Declined")]),
            (Phase::Active, Phase::Won) => Ok(vec![value_of("Closed/Won", Value::Null)]),
            (Phase::Active, Phase::Lost) => Ok(vec![self.lost(crm, "Closed/Lost")]),
            (Phase::Won | Phase::Lost, _) => Err(refused(format!(
                "the referral is closed (`{pair}`) in Partner Center, where that is final"
            ))),
            (Phase::Active | Phase::Waiting, _) => Err(refused(
                "the referral is accepted in Partner Center, it cannot go back to waiting".to_owned(),
            )),
        }
    }

    /// How the CRM gets from `current` to `target`, both in the CRM's form.
    ///
    /// ```
    /// use mapping::{CrmKind, CrmStep, Map, Value};
    ///
    /// let map = Map::standard(CrmKind::Dynamics365);
    /// let status = |json| serde_json::from_str::<Value>(json).unwrap();
    /// let (open, won) = (status(r#"{ "state": "0", "status": "1" }"#), status(r#"{ "state": "1", "status": "3" }"#));
    /// assert_eq!(map.crm_step(&open, &won)?, CrmStep::Action);
    /// assert!(map.crm_step(&won, &open).is_err(), "a closed record is not reopened");
    /// # Ok::<(), mapping::Refusal>(())
    /// ```
    pub fn crm_step(&self, current: &Value, target: &Value) -> Result<CrmStep, Refusal> {
        let (_, target_phase) = (self.crm_phase(current)?, self.crm_phase(target)?);
        if self.is_closed_in_crm(current) {
            return Err(refused("the record is closed in the CRM and is not reopened".to_owned()));
        }
        let by_action = self.status_by_action() && target_phase.is_closed();
        Ok(if by_action { CrmStep::Action } else { CrmStep::InPatch })
    }

    /// The action that closes a record; `None`: the status is not a closed one, or this CRM closes by writing columns.
    pub(crate) fn close_action(&self, crm: &Value) -> Result<Option<Action>, Refusal> {
        let phase = self.crm_phase(crm)?;
        if !self.status_by_action() || !phase.is_closed() {
            return Ok(None);
        }
        let text = crm.member("status").text().unwrap_or_default();
        let status = text.parse().map_err(|_| refused(format!("status reason `{text}` is no number")))?;
        Ok(Some(match phase {
            Phase::Won => Action::Win { status },
            _ => Action::Lose { status, reason: crm.member("reason").text().map(str::to_owned) },
        }))
    }

    fn status_by_action(&self) -> bool {
        // A lead is disqualified by writing a column.
        self.crm() == crate::CrmKind::Dynamics365 && self.kind == RecordKind::Opportunity
    }

    fn crm_phase(&self, crm: &Value) -> Result<Phase, Refusal> {
        self.status
            .phase_of_crm(crm)
            .ok_or_else(|| refused("what the CRM shows is no status of the map".to_owned()))
    }

    fn lost(&self, crm: &Value, pair: &str) -> Value {
        let status = crm.member("status").text().or_else(|| crm.member("stage").text());
        let as_error = self.vendor().error_substatus_writable
            && pair == "Closed/Lost"
            && status.is_some_and(|status| self.status.error.iter().any(|known| known == status));
        value_of(if as_error { "Closed/Error" } else { pair }, self.status.reason_of(crm))
    }
}

fn refused(text: String) -> Refusal {
    Refusal::new(STATUS, text)
}

//! A merge unit: what is written, compared and owned as one.

/// The direction in which a unit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// In both directions: a merge decides.
    Both,
    /// From Partner Center to the CRM.
    ToCrm,
    /// From the CRM to Partner Center.
    ToPartnerCenter,
}

/// When a unit is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Only in a create.
    Create,
    /// Only in an update.
    Update,
    /// In creates and in updates.
    Both,
}

/// Partner Center or the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Partner Center, which has the referral.
    PartnerCenter,
    /// The CRM, which has the record.
    Crm,
}

/// A merge unit of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, once in a map.
    pub name: String,
    /// In which direction it is written.
    pub direction: Direction,
    /// When it is written.
    pub on: On,
    /// Which side wins a conflict.
    pub owner: Side,
    /// Whether it is a list, which is merged element by element.
    pub list: bool,
    /// Whether it can only be turned on (visibility) or be set once (help).
    pub rise_only: bool,
    /// Whether it is written only while the target is empty.
    pub only_while_empty: bool,
    /// Whether a referral has it.
    pub has_referral: bool,
    /// Whether a record has it.
    pub has_crm: bool,
    /// Whether no record may be without it.
    pub required_by_crm: bool,
    /// Whether a PATCH of an existing referral may change it.
    pub patchable: bool,
    /// What sellers call it.
    pub label: String,
    /// How its values are read: a digest of those keys of its rules that decide it
    /// ([`Map::readings`](crate::Map::readings)).
    pub reading: String,
}

impl Unit {
    /// Whether both sides have it and it is written in updates.
    pub fn is_kept_in_step(&self) -> bool {
        self.has_referral && self.has_crm && self.on != On::Create
    }
    /// Whether it is written in updates.
    pub fn on_update(&self) -> bool {
        self.on != On::Create
    }
    /// Whether it is written to the CRM.
    pub fn to_crm(&self) -> bool {
        self.direction != Direction::ToPartnerCenter
    }
    /// Whether it is written to Partner Center.
    pub fn to_partner_center(&self) -> bool {
        self.direction != Direction::ToCrm
    }
}

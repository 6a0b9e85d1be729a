//! A merge unit: what travels, is compared and is owned as one.

/// Which way a unit travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// Partner Center to the CRM.
    ToCrm,
    /// The CRM to Partner Center.
    ToPartnerCenter,
}

/// When a unit travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Only into something new.
    Create,
    /// Only into something that exists.
    Update,
    /// Always.
    Both,
}

/// One side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Partner Center.
    PartnerCenter,
    /// The CRM.
    Crm,
}

/// A merge unit of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Which way it travels.
    pub direction: Direction,
    /// When it travels.
    pub on: On,
    /// Who wins a conflict.
    pub owner: Side,
    /// Merged per element.
    pub list: bool,
    /// Turns on only (visibility) or is set once only (help).
    pub rise_only: bool,
    /// Written only while the target shows nothing.
    pub only_while_empty: bool,
    /// A referral shows it.
    pub has_referral: bool,
    /// A record shows it.
    pub has_crm: bool,
    /// A PATCH of an existing referral may carry it.
    pub patchable: bool,
    /// What sellers call it.
    pub label: String,
    /// How its values are read: the digest of what of its rules decides that ([`Map::readings`](crate::Map::readings)).
    pub reading: String,
}

impl Unit {
    /// Both sides show it and it travels into something that exists.
    pub fn is_kept_in_step(&self) -> bool {
        self.has_referral && self.has_crm && self.on != On::Create
    }
    /// It travels into something that exists.
    pub fn on_update(&self) -> bool {
        self.on != On::Create
    }
    /// It travels to the CRM.
    pub fn to_crm(&self) -> bool {
        self.direction != Direction::ToPartnerCenter
    }
    /// It travels to Partner Center.
    pub fn to_partner_center(&self) -> bool {
        self.direction != Direction::ToCrm
    }
}

//! Objects and fields as the describe call shows them, and the short notation they are written in.

/// What an org must have switched on for an object or field to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    MultiCurrency,
    OrganizationCurrency,
    StateCountry,
    PersonAccounts,
    TeamSelling,
    Notes,
}

/// What happens to a row when its parent goes to the recycle bin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDelete {
    Cascade,
    Clear,
    Keep,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum FieldKind {
    Id,
    Text,
    TextArea,
    LongText,
    Email,
    Phone,
    Url,
    Boolean,
    Integer,
    /// Money, percentages and plain numbers: type name, digits in all, digits after the point.
    Number(&'static str, u32, u32),
    Date,
    DateTime,
    /// Its values; or, with `@`, the object whose active rows are its values.
    Picklist(Vec<String>),
    /// Objects it may point to, its name as a relationship, and the name of the way back.
    Reference {
        to: Vec<String>,
        relationship: String,
        children: String,
    },
    AutoNumber(String),
    Base64,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub name: String,
    pub label: String,
    pub kind: FieldKind,
    pub length: usize,
    pub required: bool,
    pub createable: bool,
    pub updateable: bool,
    pub default: Option<String>,
    pub unique: bool,
    pub external_id: bool,
    pub case_sensitive: bool,
    /// The picklist refuses unknown values whatever the switches say.
    pub restricted: bool,
    pub feature: Option<Feature>,
    pub on_delete: OnDelete,
}

impl Field {
    pub(super) fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// Whether it may be empty. A row has a currency wherever there are several.
    pub(super) fn nillable(&self) -> bool {
        !self.required
            && self.name != "CurrencyIsoCode"
            && self.kind != FieldKind::Boolean
            && self.kind != FieldKind::Id
    }

    pub(super) fn filterable(&self) -> bool {
        !matches!(self.kind, FieldKind::LongText | FieldKind::Base64)
    }

    /// What parse errors and the describe call's `soapType` call the type.
    pub(super) fn parsed_as(&self) -> &'static str {
        match &self.kind {
            FieldKind::Number(..) => "double",
            FieldKind::Boolean
            | FieldKind::Integer
            | FieldKind::Date
            | FieldKind::DateTime
            | FieldKind::Base64 => self.type_name(),
            _ => "string",
        }
    }

    /// The describe call's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.kind {
            FieldKind::Id => "id",
            FieldKind::Text | FieldKind::AutoNumber(_) => "string",
            FieldKind::TextArea | FieldKind::LongText => "textarea",
            FieldKind::Email => "email",
            FieldKind::Phone => "phone",
            FieldKind::Url => "url",
            FieldKind::Boolean => "boolean",
            FieldKind::Integer => "int",
            FieldKind::Number(name, ..) => name,
            FieldKind::Date => "date",
            FieldKind::DateTime => "datetime",
            FieldKind::Picklist(_) => "picklist",
            FieldKind::Reference { .. } => "reference",
            FieldKind::Base64 => "base64",
        }
    }

    /// `name | label | kind arguments | flags`: see [`super::standard`].
    pub(super) fn noted(line: &str) -> Field {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, label, kind, flags @ ..] = &parts[..] else { panic!("a field: {line}") };
        let (kind, arguments) = kind.split_once(' ').unwrap_or((kind, ""));
        let number = |n: usize| arguments.split(' ').nth(n).and_then(|a| a.parse().ok());
        let length = number(0).unwrap_or(match kind {
            "id" | "ref" => 18,
            "picklist" | "url" => 255,
            "email" => 80,
            "phone" => 40,
            "auto" => 30,
            _ => 0,
        });
        let digits = |n: usize, default: usize| number(n).unwrap_or(default) as u32;
        let (length, kind) = match kind {
            "id" => (length, FieldKind::Id),
            "text" => (length, FieldKind::Text),
            "textarea" => (length, FieldKind::TextArea),
            "long" => (length, FieldKind::LongText),
            "email" => (length, FieldKind::Email),
            "phone" => (length, FieldKind::Phone),
            "url" => (length, FieldKind::Url),
            "bool" => (0, FieldKind::Boolean),
            "int" => (0, FieldKind::Integer),
            "money" => (0, FieldKind::Number("currency", digits(0, 18), digits(1, 2))),
            "percent" => (0, FieldKind::Number("percent", digits(0, 3), digits(1, 0))),
            "double" => (0, FieldKind::Number("double", digits(0, 18), digits(1, 0))),
            "date" => (0, FieldKind::Date),
            "datetime" => (0, FieldKind::DateTime),
            "picklist" => (255, FieldKind::Picklist(split(arguments, ';'))),
            "ref" => {
                let names = split(arguments, ' ');
                let name = |n: usize| names.get(n).cloned().unwrap_or_default();
                let to = split(&name(0), ',');
                (18, FieldKind::Reference { to, relationship: name(1), children: name(2) })
            }
            "auto" => (30, FieldKind::AutoNumber(arguments.to_owned())),
            "base64" => (0, FieldKind::Base64),
            other => panic!("no kind `{other}`: {line}"),
        };
        let flags: Vec<&str> = flags.iter().flat_map(|f| f.split(' ')).filter(|f| !f.is_empty()).collect();
        let has = |flag: &str| flags.contains(&flag);
        let made = matches!(kind, FieldKind::AutoNumber(_) | FieldKind::Id);
        Field {
            name: (*name).to_owned(),
            label: (*label).to_owned(),
            length,
            required: has("required"),
            createable: !has("readonly") && !made,
            updateable: !has("readonly") && !has("createonly") && !made,
            default: flags.iter().find_map(|f| f.strip_prefix("default=")).map(|d| d.replace('_', " ")),
            unique: has("unique"),
            external_id: has("external"),
            case_sensitive: has("cased"),
            restricted: has("restricted"),
            feature: flags.iter().find_map(|f| match *f {
                "currency" => Some(Feature::MultiCurrency),
                "orgcurrency" => Some(Feature::OrganizationCurrency),
                "statecountry" => Some(Feature::StateCountry),
                "personaccounts" => Some(Feature::PersonAccounts),
                _ => None,
            }),
            on_delete: match () {
                () if has("cascade") => OnDelete::Cascade,
                () if has("keep") => OnDelete::Keep,
                () => OnDelete::Clear,
            },
            kind,
        }
    }
}

fn split(text: &str, by: char) -> Vec<String> {
    text.split(by).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub name: String,
    pub label: String,
    pub plural: String,
    pub prefix: String,
    pub fields: Vec<Field>,
    pub createable: bool,
    pub updateable: bool,
    pub deletable: bool,
    /// `/updated/` and `/deleted/` work.
    pub replicateable: bool,
    pub feature: Option<Feature>,
    /// When its definition changed last: what the describe call's conditions compare with.
    pub changed: jiff::Timestamp,
}

impl Object {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    pub(super) fn custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The field behind a relationship name such as `Account` or `Solution_Detail__r`.
    pub(super) fn relationship(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| {
            let FieldKind::Reference { relationship, .. } = &field.kind else { return false };
            !name.is_empty() && relationship == name
        })
    }
}

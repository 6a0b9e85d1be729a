//! Values that stand at the edges: what people paste, import and leave empty. One place for all of them.

use proptest::{prelude::*, sample::select};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulators::server::{BAD_BYTE, LONE_SURROGATE};

/// What a text is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    Plain,
    Accents,
    Combining,
    RightToLeft,
    FourByte,
    ThreeByte,
    TrailingBreak,
    Breaks,
    Blanks,
    Entities,
    Html,
    Bidi,
    VerticalTab,
    NoBreakSpace,
    CheckMark,
    Quotes,
    Json,
    LoneSurrogate,
    BadByte,
}

const FLAVOURS: [Flavour; 18] = [
    Flavour::Accents,
    Flavour::Combining,
    Flavour::RightToLeft,
    Flavour::FourByte,
    Flavour::ThreeByte,
    Flavour::TrailingBreak,
    Flavour::Breaks,
    Flavour::Blanks,
    Flavour::Entities,
    Flavour::Html,
    Flavour::Bidi,
    Flavour::VerticalTab,
    Flavour::NoBreakSpace,
    Flavour::CheckMark,
    Flavour::Quotes,
    Flavour::Json,
    Flavour::LoneSurrogate,
    Flavour::BadByte,
];

/// Lengths around the limits of columns, in characters.
const LENGTHS: [usize; 24] = [
    1, 20, 39, 40, 41, 50, 51, 80, 81, 100, 101, 119, 121, 200, 254, 256, 299, 301, 1_999, 2_000, 2_001,
    10_001, 31_000, 32_001,
];

/// A text: a mark of its own, then its flavour over and over up to its length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    pub mark: u16,
    pub flavour: Flavour,
    /// In characters; 0: as long as it is by itself.
    #[serde(default)]
    pub length: usize,
}

impl Text {
    pub fn plain(mark: u16) -> Self {
        Text { mark, flavour: Flavour::Plain, length: 0 }
    }

    /// The words themselves. `what` tells what they are, so that texts of different kinds never agree by chance.
    pub fn words(&self, what: &str) -> String {
        let piece = match self.flavour {
            Flavour::Plain => " of the fleet".to_owned(),
            Flavour::Accents => " Zürich façade Łódź".to_owned(),
            Flavour::Combining => " Zu\u{308}rich e\u{301}".to_owned(),
            Flavour::RightToLeft => " שלום مرحبا".to_owned(),
            Flavour::FourByte => " 🚢🚚😀".to_owned(),
            Flavour::ThreeByte => " 東京物流計画".to_owned(),
            Flavour::TrailingBreak => " phase\n".to_owned(),
            Flavour::Breaks => " one\r\ntwo\nthree".to_owned(),
            Flavour::Blanks => "  wide   gap ".to_owned(),
            Flavour::Entities => " M&#252;ller &amp; O&#39;Neil &apos;x&apos;".to_owned(),
            Flavour::Html => " <b>bold</b> <img src=x> a < b & c".to_owned(),
            Flavour::Bidi => " \u{202e}gnp.exe\u{202c}".to_owned(),
            Flavour::VerticalTab => " one\u{b}two".to_owned(),
            Flavour::NoBreakSpace => " 14\u{a0}sites\u{200b}".to_owned(),
            Flavour::CheckMark => " ✔ done ✖".to_owned(),
            Flavour::Quotes => " ‘a’ \"b\" c\\d 'e'".to_owned(),
            Flavour::Json => " {\"a\": [1, null]}".to_owned(),
            Flavour::LoneSurrogate => format!(" half{LONE_SURROGATE}"),
            Flavour::BadByte => format!(" byte{BAD_BYTE}"),
        };
        let mut words = format!("{what} {}{piece}", self.mark);
        if self.length > 0 {
            while words.chars().count() < self.length {
                words.push_str(&piece);
            }
            words = words.chars().take(self.length.max(what.chars().count() + 6)).collect();
        }
        words
    }
}

pub fn text() -> impl Strategy<Value = Text> {
    let flavour = prop_oneof![6 => Just(Flavour::Plain), 4 => select(&FLAVOURS[..])];
    let length = prop_oneof![8 => Just(0), 3 => select(&LENGTHS[..])];
    (1..u16::MAX, flavour, length).prop_map(|(mark, flavour, length)| Text { mark, flavour, length })
}

/// A name that a person or a company could have.
pub fn short_text() -> impl Strategy<Value = Text> {
    text().prop_map(|text| Text { length: text.length.min(256), ..text })
}

/// An amount and its currency, as somebody types them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Money {
    /// Decimal; `None`: nothing there.
    pub amount: Option<f64>,
    pub currency: Option<String>,
}

const AMOUNTS: [f64; 12] =
    [0.0, -1.0, 0.01, 0.004, 1.0, 99.9999, 1_234.565, 61_000.5, 84_000.0, 1e9, 92_233_720_368.0, 1e12];
const CURRENCIES: [&str; 7] = ["CHF", "EUR", "USD", "GBP", "JPY", "KWD", "XAF"];

pub fn money() -> impl Strategy<Value = Money> {
    let amount = prop_oneof![6 => (1_000_u32..900_000).prop_map(|n| Some(f64::from(n) + 0.5)),
        2 => select(&AMOUNTS[..]).prop_map(Some), 1 => Just(None)];
    let currency = prop_oneof![8 => select(&CURRENCIES[..4]), 1 => select(&CURRENCIES[4..])]
        .prop_map(|c| Some(c.to_owned()));
    let currency = prop_oneof![12 => currency, 1 => Just(None)];
    (amount, currency).prop_map(|(amount, currency)| Money { amount, currency })
}

/// An amount that every CRM and Partner Center take.
pub fn plain_money() -> impl Strategy<Value = Money> {
    ((1_000_u32..900_000), select(&CURRENCIES[..4]))
        .prop_map(|(n, c)| Money { amount: Some(f64::from(n) + 0.5), currency: Some(c.to_owned()) })
}

/// A calendar day as somebody picks it: in an office with this offset from UTC, which Partner Center turns to an instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// A day of 2027, its midnight in an office so many minutes east of UTC.
    Picked {
        month: i8,
        day: i8,
        east: i16,
    },
    /// ... written with the offset instead of `Z`.
    Offset {
        month: i8,
        day: i8,
        east: i16,
    },
    Nothing,
    /// What programs write for "no date".
    Least,
    Most,
}

impl Day {
    /// As Partner Center holds it.
    pub fn instant(&self) -> Value {
        match self {
            Day::Picked { month, day, east } => {
                let midnight = jiff::civil::date(2027, *month, *day).at(0, 0, 0, 0);
                let at = midnight - jiff::SignedDuration::from_mins((*east).into());
                json!(format!("{at}Z"))
            }
            Day::Offset { month, day, east } => {
                let sign = if *east < 0 { '-' } else { '+' };
                let (hours, minutes) = (east.abs() / 60, east.abs() % 60);
                json!(format!("2027-{month:02}-{day:02}T00:00:00{sign}{hours:02}:{minutes:02}"))
            }
            Day::Nothing => Value::Null,
            Day::Least => json!("0001-01-01T00:00:00Z"),
            Day::Most => json!("9999-12-31T23:59:59Z"),
        }
    }

    /// As a CRM holds it.
    pub fn date(&self) -> Value {
        match self {
            Day::Picked { month, day, .. } | Day::Offset { month, day, .. } => {
                json!(format!("2027-{month:02}-{day:02}"))
            }
            Day::Nothing | Day::Least | Day::Most => Value::Null,
        }
    }
}

const EAST: [i16; 9] = [60, 120, 330, 345, 540, 660, -300, -480, -660];

pub fn day() -> impl Strategy<Value = Day> {
    let east = prop_oneof![3 => Just(0), 2 => select(&EAST[..])];
    let picked = (1_i8..=12, 1_i8..=28, east);
    prop_oneof![
        10 => picked.prop_map(|(month, day, east)| Day::Picked { month, day, east }),
        1 => (1_i8..=12, 1_i8..=28, select(&EAST[..])).prop_map(|(month, day, east)| Day::Offset { month, day, east }),
        1 => Just(Day::Nothing),
        1 => Just(Day::Least),
        1 => Just(Day::Most),
    ]
}

pub fn plain_day() -> impl Strategy<Value = Day> {
    (1_i8..=12, 1_i8..=28).prop_map(|(month, day)| Day::Picked { month, day, east: 0 })
}

/// A person of a customer, or of our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// Two with one number have one address.
    pub number: u8,
    #[serde(default)]
    pub email: Email,
    #[serde(default)]
    pub last: Last,
    #[serde(default)]
    pub phone: Phone,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Email {
    #[default]
    Usual,
    Capitals,
    Nothing,
    NoAddress,
    NoDomain,
    Two,
    Long,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    #[default]
    Usual,
    Nothing,
    Entities,
    Long,
    Surrogate,
    Control,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phone {
    #[default]
    Usual,
    Nothing,
    Long,
}

impl Person {
    pub fn plain(number: u8) -> Self {
        Person { number, email: Email::Usual, last: Last::Usual, phone: Phone::Usual }
    }

    pub fn email(&self) -> Option<String> {
        let number = self.number;
        Some(match self.email {
            Email::Usual => format!("nadia{number}@harborline.example"),
            Email::Capitals => format!("Nadia{number}@HarborLine.example"),
            Email::Nothing => return None,
            Email::NoAddress => "n/a".to_owned(),
            Email::NoDomain => "none@none".to_owned(),
            Email::Two => format!("a{number}@b.example; c{number}@d.example"),
            Email::Long => format!("{}{number}@harborline.example", "n".repeat(109)),
        })
    }

    pub fn last(&self) -> Option<String> {
        let number = self.number;
        Some(match self.last {
            Last::Usual => format!("Keller{number}"),
            Last::Nothing => return None,
            Last::Entities => format!("O&#39;Neil{number}"),
            Last::Long => format!("Keller{number}{}", "x".repeat(90)),
            Last::Surrogate => format!("Keller{number}{LONE_SURROGATE}"),
            Last::Control => format!("Kel\u{b}ler{number}"),
        })
    }

    pub fn phone(&self) -> Option<String> {
        Some(match self.phone {
            Phone::Usual => format!("+4161555{:04}", self.number),
            Phone::Nothing => return None,
            Phone::Long => format!("+4161555{:04} ext. {}", self.number, "7".repeat(40)),
        })
    }

    /// As Partner Center holds it.
    pub fn member(&self) -> Value {
        json!({ "firstName": "Nadia", "lastName": self.last(), "phoneNumber": self.phone(), "email": self.email(),
                "title": "Head of IT", "contactPreference": { "locale": "de-ch", "disableNotifications": true } })
    }
}

pub fn person() -> impl Strategy<Value = Person> {
    let email = prop_oneof![12 => Just(Email::Usual), 1 => select(&[Email::Capitals, Email::Nothing, Email::NoAddress,
        Email::NoDomain, Email::Two, Email::Long][..])];
    let last = prop_oneof![14 => Just(Last::Usual), 1 => select(&[Last::Nothing, Last::Entities, Last::Long,
        Last::Surrogate, Last::Control][..])];
    let phone = prop_oneof![14 => Just(Phone::Usual), 1 => select(&[Phone::Nothing, Phone::Long][..])];
    (1_u8..9, email, last, phone).prop_map(|(number, email, last, phone)| Person {
        number,
        email,
        last,
        phone,
    })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    pub name: Text,
    /// As it is typed: a code or a name.
    pub country: Option<String>,
    pub postal_code: Option<String>,
    #[serde(default)]
    pub state: Option<String>,
    #[serde(default)]
    pub line2: Option<String>,
}

impl Customer {
    pub fn words(&self) -> String {
        self.name.words("Customer")
    }
}

const CODES: [&str; 6] = ["CH", "GB", "DE", "US", "NL", "AR"];
const ODD_CODES: [&str; 5] = ["XK", "AN", "ch", "LA", "CI"];
const NAMES: [&str; 4] = ["Switzerland", "United Kingdom", "Germany", "United States"];
/// Usual names of countries that are not those of ISO 3166.
pub const ODD_COUNTRY_NAMES: [&str; 10] = [
    "Laos",
    "Macau",
    "Korea, Republic of",
    "Côte d’Ivoire",
    "Ivory Coast",
    "Republic of Ireland",
    "Trinidad & Tobago",
    "España",
    "Polska",
    "UK",
];
const STATES: [&str; 5] = ["BS", "Limburg", "Córdoba", "CA", "Texas"];

fn customer_of(
    usual: &'static [&'static str],
    odd: &'static [&'static str],
) -> impl Strategy<Value = Customer> {
    let country = prop_oneof![10 => select(usual).prop_map(|c| Some(c.to_owned())),
        2 => select(odd).prop_map(|c| Some(c.to_owned())), 1 => Just(None)];
    let postal_code = prop_oneof![6 => (1_000_u16..1_020).prop_map(|n| Some(n.to_string())), 1 => Just(None)];
    let state = prop_oneof![6 => Just(None), 1 => select(&STATES[..]).prop_map(|s| Some(s.to_owned()))];
    let line2 = prop_oneof![6 => Just(None), 1 => Just(Some("Building 9".to_owned()))];
    // Few names, so that customers meet.
    let name = prop_oneof![4 => (1_u16..8).prop_map(Text::plain), 2 => short_text()];
    (name, country, postal_code, state, line2).prop_map(|(name, country, postal_code, state, line2)| {
        Customer { name, country, postal_code, state, line2 }
    })
}

/// As Microsoft writes it.
pub fn referred_customer() -> impl Strategy<Value = Customer> {
    customer_of(&CODES, &ODD_CODES)
}

/// As sellers write it.
pub fn sold_customer() -> impl Strategy<Value = Customer> {
    customer_of(&NAMES, &ODD_COUNTRY_NAMES)
}

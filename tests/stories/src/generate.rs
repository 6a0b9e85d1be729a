//! Draws stories: what each actor may do, how often, and in which company.

use crate::{
    overrides,
    story::{
        Act, Answer, Edit, Field, Knock, Mishap, OddTeam, Offer, Org, Paste, Rewriting, Sale, Story, System,
        Then, Vendors, What,
    },
    taste::Taste,
    values,
};
use mapping::CrmKind;
use proptest::{collection::vec, prelude::*, sample::select, strategy::Union};

const MOST_ACTS: usize = 14;

/// A story of a company with this CRM.
pub fn story(crm: CrmKind) -> BoxedStrategy<Story> {
    let map = prop_oneof![1 => Just(vec![]), 1 => vec(overrides::one(crm), 1..3)];
    let taste = (any::<u64>(), any::<u64>()).no_shrink();
    (taste, org(crm), vendors(crm), map, vec(act(crm), 1..MOST_ACTS))
        .prop_map(|((one, other), org, vendors, map, acts)| {
            Taste::new(one, other).season(Story { org, vendors, map, acts })
        })
        .boxed()
}

fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.12)
}

fn org(crm: CrmKind) -> BoxedStrategy<Org> {
    let salesforce = crm == CrmKind::Salesforce;
    let field = select(&[Field::Name, Field::Value, Field::Notes][..]);
    let how = select(
        &[Rewriting::TrimEnd, Rewriting::Upper, Rewriting::SingleBlanks, Rewriting::Prefix, Rewriting::Round]
            [..],
    );
    let fits = |(field, how): &(Field, Rewriting)| (*field == Field::Value) == (*how == Rewriting::Round);
    let rewrites = prop_oneof![1 => Just(vec![]), 1 => vec((field, how), 1..2)]
        .prop_map(move |all| all.into_iter().filter(fits).collect::<Vec<_>>());
    let often = || prop::bool::weighted(0.3);
    (often(), seldom(), seldom(), often(), rewrites)
        .prop_map(move |(teams, place_picklists, person_accounts, converts_leads, rewrites)| Org {
            teams,
            place_picklists: place_picklists && salesforce,
            person_accounts: person_accounts && salesforce,
            converts_leads: converts_leads && salesforce,
            rewrites,
        })
        .boxed()
}

fn vendors(crm: CrmKind) -> BoxedStrategy<Vendors> {
    let page = || prop_oneof![1 => Just(0_u8), 1 => select(&[1_u8, 2, 5][..])];
    let latency = || prop_oneof![1 => Just(0_u16), 1 => select(&[80_u16, 350, 900][..])];
    let forgets = prop_oneof![1 => Just(0_u16), 1 => select(&[30_u16, 240][..])];
    let weather = prop_oneof![1 => Just(0_u8), 1 => select(&[10_u8, 50][..])];
    let after = prop_oneof![1 => Just(0_i32), 1 => select(&[200_i32, 900_000, -200][..])];
    let stale = prop_oneof![1 => Just(0_u8), 1 => Just(1_u8)];
    let first = (page(), page(), seldom(), latency(), latency(), forgets);
    let then = (weather, after, stale, seldom(), seldom(), seldom(), seldom());
    (first, then)
        .prop_map(move |(a, b)| Vendors {
            partner_center_page: a.0,
            crm_page: a.1,
            child_rows_count: a.2 && crm == CrmKind::Salesforce,
            crm_latency_ms: a.3,
            partner_center_latency_ms: a.4,
            forgets_after_s: a.5,
            weather: b.0,
            event_after_micros: b.1,
            stale_reads: b.2,
            empty_patch: b.3,
            sparse: b.4,
            sibling_events: b.5,
            touched_after: b.6,
        })
        .boxed()
}

fn act(crm: CrmKind) -> BoxedStrategy<Act> {
    let then = prop_oneof![
        3 => Just(Then::AtOnce), 3 => Just(Then::Webhooks), 4 => Just(Then::Minute), 6 => Just(Then::Rest),
        1 => (1_u8..26).prop_map(Then::Hours),
    ];
    let what = Union::new_weighted(vec![
        (22, seller(crm)),
        (14, partner()),
        (10, microsoft()),
        (5, administrator(crm)),
        (4, organisation(crm)),
        (4, trouble()),
        (3, importer()),
        (1, Just(What::Wait).boxed()),
    ]);
    (what, then).prop_map(|(what, then)| Act { what, then }).boxed()
}

fn which() -> impl Strategy<Value = u8> {
    0_u8..4
}

fn edit() -> BoxedStrategy<Edit> {
    prop_oneof![
        3 => values::text().prop_map(Edit::Name),
        4 => values::money().prop_map(Edit::Value),
        3 => values::day().prop_map(Edit::Day),
        4 => values::text().prop_map(Edit::Notes),
        1 => Just(Edit::NoNotes),
    ]
    .boxed()
}

fn few() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0_u8), 8 => Just(1), 3 => 2_u8..4, 2 => 5_u8..31, 1 => 31_u8..60]
}

fn mostly<T: Clone + std::fmt::Debug + 'static>(
    usual: impl Strategy<Value = T> + 'static,
    odd: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    prop_oneof![3 => usual, 1 => odd].boxed()
}

fn notes() -> BoxedStrategy<Option<values::Text>> {
    prop_oneof![6 => values::text().prop_map(Some), 1 => Just(None)].boxed()
}

fn sale() -> BoxedStrategy<Sale> {
    let first = (
        values::text(),
        notes(),
        mostly(values::plain_money(), values::money()),
        mostly(values::plain_day(), values::day()),
        values::sold_customer(),
        mostly((1_u8..9).prop_map(values::Person::plain), values::person()),
    );
    let then = (few(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    (first, then)
        .prop_map(|(a, b)| Sale {
            name: a.0,
            notes: a.1,
            value: a.2,
            day: a.3,
            customer: a.4,
            person: a.5,
            solutions: b.0.min(40),
            help: b.1,
            visible: b.2,
            sync: b.3,
        })
        .boxed()
}

fn people() -> BoxedStrategy<Vec<values::Person>> {
    prop_oneof![6 => vec(values::person(), 1..2), 3 => vec(values::person(), 0..4), 1 => vec(values::person(), 20..40)]
        .boxed()
}

fn offer() -> BoxedStrategy<Offer> {
    let first = (
        values::text(),
        notes(),
        mostly(values::plain_money(), values::money()),
        mostly(values::plain_day(), values::day()),
        values::referred_customer(),
        people(),
    );
    let help = prop_oneof![8 => Just(None), 1 => Just(Some("AzureCapacity".to_owned()))];
    let intents = select(&["Maybe", "Have not decided", "yes"][..]);
    let intent = prop_oneof![8 => Just(None), 1 => intents.prop_map(|word| Some(word.to_owned()))];
    let odd = select(&[OddTeam::Object, OddTeam::Null, OddTeam::Empty][..]);
    let team = prop_oneof![8 => Just(None), 1 => odd.prop_map(Some)];
    (first, few(), help, intent, team)
        .prop_map(|(a, solutions, help, intent, team)| Offer {
            name: a.0,
            notes: a.1,
            value: a.2,
            day: a.3,
            customer: a.4,
            people: a.5,
            solutions,
            help,
            intent,
            team,
        })
        .boxed()
}

fn seller(crm: CrmKind) -> BoxedStrategy<What> {
    let merge = || (which(), which());
    let undelete = if crm == CrmKind::Salesforce { 1 } else { 0 };
    let mut all: Vec<(u32, BoxedStrategy<What>)> = vec![
        (10, sale().prop_map(|sale| What::Sell(Box::new(sale))).boxed()),
        (16, (which(), edit()).prop_map(|(deal, edit)| What::EditRecord(deal, edit)).boxed()),
        (2, (which(), any::<bool>()).prop_map(|(deal, on)| What::Share(deal, on)).boxed()),
        (1, which().prop_map(What::Show).boxed()),
        (2, which().prop_map(What::AskForHelp).boxed()),
        (
            3,
            (which(), any::<bool>(), proptest::option::of(edit()))
                .prop_map(|(deal, won, edit)| What::Close(deal, won, edit))
                .boxed(),
        ),
        (1, which().prop_map(What::Reopen).boxed()),
        (3, which().prop_map(What::TakeUp).boxed()),
        (1, which().prop_map(What::Delete).boxed()),
        (
            3,
            (which(), 0_u8..40, few())
                .prop_map(|(deal, first, n)| What::AddSolutions(deal, first, n))
                .boxed(),
        ),
        (2, which().prop_map(What::RemoveSolution).boxed()),
        (2, merge().prop_map(|(one, two)| What::MoveSolution(one, two)).boxed()),
        (2, which().prop_map(What::EmptySolution).boxed()),
        (2, (which(), values::person()).prop_map(|(deal, person)| What::SetContact(deal, person)).boxed()),
        (3, which().prop_map(What::CorrectPhone).boxed()),
        (1, which().prop_map(What::GiveTo).boxed()),
        (1, which().prop_map(What::JoinTeam).boxed()),
        (1, which().prop_map(What::LeaveTeam).boxed()),
        (1, merge().prop_map(|(one, two)| What::MergeAccounts(one, two)).boxed()),
        (3, merge().prop_map(|(one, two)| What::MergeLeads(one, two)).boxed()),
        (2, which().prop_map(What::QualifyLead).boxed()),
        (1, which().prop_map(What::DropLead).boxed()),
        (1, merge().prop_map(|(one, two)| What::NameReferral(one, two)).boxed()),
    ];
    if undelete > 0 {
        all.push((undelete, which().prop_map(What::Undelete).boxed()));
    }
    Union::new_weighted(all).boxed()
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![5 => Just(Answer::Accept), 1 => Just(Answer::Decline), 1 => Just(Answer::Won), 1 => Just(Answer::Lost),
        1 => Just(Answer::Expire)]
}

fn partner() -> BoxedStrategy<What> {
    prop_oneof![
        12 => (which(), edit()).prop_map(|(deal, edit)| What::EditReferral(deal, edit)),
        3 => (which(), people()).prop_map(|(deal, people)| What::People(deal, people)),
        2 => (which(), 0_u8..40, few()).prop_map(|(deal, first, n)| What::Solutions(deal, first, n)),
        7 => (which(), answer()).prop_map(|(deal, answer)| What::Answer(deal, answer)),
        2 => offer().prop_map(|offer| What::NewDeal(Box::new(offer))),
        1 => (which(), which()).prop_map(|(one, two)| What::NameRecord(one, two)),
        4 => (which(), edit(), select(&[1_u8, 1, 2, 6][..]))
            .prop_map(|(deal, edit, times)| What::Quarrel(deal, edit, times)),
    ]
    .boxed()
}

fn microsoft() -> BoxedStrategy<What> {
    prop_oneof![
        10 => offer().prop_map(|offer| What::Refer(Box::new(offer))),
        4 => offer().prop_map(|offer| What::ReferLead(Box::new(offer))),
        4 => (which(), answer()).prop_map(|(deal, answer)| What::Microsoft(deal, answer)),
        1 => which().prop_map(What::Convert),
        1 => which().prop_map(What::OddHalf),
    ]
    .boxed()
}

fn administrator(crm: CrmKind) -> BoxedStrategy<What> {
    let paste = match crm {
        CrmKind::Dynamics365 => select(&[Paste::Mark, Paste::LineBreak][..]).boxed(),
        CrmKind::Salesforce => select(
            &[
                Paste::Mark,
                Paste::LineBreak,
                Paste::Blanks,
                Paste::Literal,
                Paste::Quoted,
                Paste::WithCertificate,
            ][..],
        )
        .boxed(),
    };
    prop_oneof![
        6 => vec(overrides::one(crm), 1..3).prop_map(What::Map),
        1 => Just(What::Rollback),
        1 => (which(), which()).prop_map(|(one, two)| What::Relink(one, two)),
        1 => which().prop_map(What::Disconnect),
        2 => Just(What::Retry),
        2 => Just(What::Backfill),
        1 => Just(What::Rebase),
        1 => Just(What::Upgrade),
        2 => paste.prop_map(What::PasteSecret),
        1 => any::<bool>().prop_map(What::RevokeConsent),
        1 => Just(What::AskWhatWouldGo),
    ]
    .boxed()
}

fn organisation(crm: CrmKind) -> BoxedStrategy<What> {
    let hide = if crm == CrmKind::Salesforce { 1 } else { 0 };
    let field = select(&[Field::Name, Field::Value, Field::ClosingDate, Field::Notes][..]);
    let mut all: Vec<(u32, BoxedStrategy<What>)> = vec![
        (3, field.prop_map(What::Rule).boxed()),
        (2, Just(What::ContactRule).boxed()),
        (2, Just(What::ClearRules).boxed()),
        (3, which().prop_map(What::Products).boxed()),
    ];
    if hide > 0 {
        all.push((hide, Just(What::HideLeads).boxed()));
    }
    Union::new_weighted(all).boxed()
}

fn trouble() -> BoxedStrategy<What> {
    let system = || select(&[System::PartnerCenter, System::Crm, System::Login][..]);
    let mishap = select(
        &[
            Mishap::Throttled,
            Mishap::ThrottledForDays,
            Mishap::Busy,
            Mishap::FailedAfter,
            Mishap::RequestLost,
            Mishap::AnswerLost,
        ][..],
    );
    prop_oneof![
        5 => (system(), mishap).prop_map(|(system, mishap)| What::Mishap(system, mishap)),
        2 => (system(), 1_u8..40).prop_map(|(system, minutes)| What::Down(system, minutes)),
        2 => Just(What::LoseWebhooks),
        2 => any::<bool>().prop_map(What::Garbage),
        1 => Just(What::Expire),
        2 => select(
            &[Knock::Nothing, Knock::OddQuery, Knock::OddProtocol, Knock::OddHost, Knock::ControlCharacter, Knock::Unpadded][..],
        )
        .prop_map(What::Knock),
    ]
    .boxed()
}

fn importer() -> BoxedStrategy<What> {
    prop_oneof![
        3 => (select(&[20_u16, 120, 900][..]), any::<bool>()).prop_map(|(rows, complete)| What::Import {
            rows: if complete { rows.min(40) } else { rows },
            complete,
            wide: false,
        }),
        1 => Just(What::Import { rows: 270, complete: false, wide: true }),
        3 => select(&[12_u16, 60][..]).prop_map(What::ImportReferrals),
        3 => edit().prop_map(What::EditAll),
    ]
    .boxed()
}

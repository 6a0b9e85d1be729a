//! The columns, keys and tables of Dynamics 365 as the source of an unmanaged solution, for administrators who import
//! it instead of running `provision`. It is made from the map and compared file by file; `UPDATE_CASES=1` rewrites it.
//! It follows public exports of solutions; no environment has imported it yet.

#![expect(clippy::disallowed_methods, reason = "the crate is pure; its metadata are files")]

use mapping::{CrmKind, Map, WantedColumn, WantedKind, WantedTable};
use std::{collections::BTreeMap, fs, path::Path};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
const SPACE: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
const VERSION: &str = "1.0.0.0";
const TOLD: &str = "Made by the co-sell connector.";
const SOLUTION: (&str, &str, &str) = ("cosell_Solution", "Microsoft Solution", "Microsoft Solutions");
const DETAIL: (&str, &str, &str) =
    ("cosell_SolutionDetail", "Microsoft Solution Detail", "Microsoft Solution Details");

/// The elements that every column has alike, between its name and those of its type.
const FLAGS: [(&str, &str); 22] = [
    ("ImeMode", "auto"),
    ("ValidForUpdateApi", "1"),
    ("ValidForReadApi", "1"),
    ("ValidForCreateApi", "1"),
    ("IsCustomField", "1"),
    ("IsAuditEnabled", "1"),
    ("IsSecured", "0"),
    ("IntroducedVersion", VERSION),
    ("IsCustomizable", "1"),
    ("IsRenameable", "1"),
    ("CanModifySearchSettings", "1"),
    ("CanModifyRequirementLevelSettings", "1"),
    ("CanModifyAdditionalSettings", "1"),
    ("SourceType", "0"),
    ("IsGlobalFilterEnabled", "0"),
    ("IsSortableEnabled", "0"),
    ("CanModifyGlobalFilterSettings", "1"),
    ("CanModifyIsSortableSettings", "1"),
    ("IsDataSourceSecret", "0"),
    ("IsSearchable", "0"),
    ("IsFilterable", "0"),
    ("IsRetrievable", "1"),
];

/// The elements that each of our tables has alike.
const TABLE_FLAGS: [(&str, &str); 22] = [
    ("IsDuplicateCheckSupported", "0"),
    ("IsBusinessProcessEnabled", "0"),
    ("IsRequiredOffline", "0"),
    ("IsInteractionCentricEnabled", "0"),
    ("IsConnectionsEnabled", "0"),
    ("IsDocumentManagementEnabled", "0"),
    ("OwnershipTypeMask", "UserOwned"),
    ("IsAuditEnabled", "0"),
    ("IsActivity", "0"),
    ("IsActivityParty", "0"),
    ("IsMailMergeEnabled", "0"),
    ("IsQuickCreateEnabled", "0"),
    ("IntroducedVersion", VERSION),
    ("IsCustomizable", "1"),
    ("IsRenameable", "1"),
    ("IsMappable", "1"),
    ("CanCreateAttributes", "1"),
    ("CanCreateForms", "1"),
    ("CanCreateCharts", "1"),
    ("CanCreateViews", "1"),
    ("ChangeTrackingEnabled", "1"),
    ("CanChangeTrackingBeEnabled", "1"),
];

/// The parts of customizations.xml that are empty here and named nevertheless, as in every exported solution.
const EMPTY: [&str; 5] = ["Roles", "Workflows", "FieldSecurityProfiles", "Templates", "EntityMaps"];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn elements<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    pairs.into_iter().map(|(name, text)| format!("<{name}>{}</{name}>\n", escaped(text))).collect()
}

/// The XML of a localised text: `<displaynames><displayname …/></displaynames>` and its like.
fn named(list: &str, one: &str, text: &str) -> String {
    format!("<{list}><{one} description=\"{}\" languagecode=\"1033\" /></{list}>\n", escaped(text))
}

fn attribute(schema: &str, label: &str, kind: &str, mask: &str, required: &str, rest: &str) -> String {
    let name = schema.to_lowercase();
    let mask = format!("{mask}ValidForAdvancedFind|ValidForForm|ValidForGrid");
    let first = [("Type", kind), ("Name", &name), ("LogicalName", &name), ("RequiredLevel", required)];
    format!(
        "<attribute PhysicalName=\"{schema}\">\n{}{}{}{rest}{}{}</attribute>\n",
        elements(first),
        elements([("DisplayMask", mask.as_str())]),
        elements(FLAGS),
        named("displaynames", "displayname", label),
        named("Descriptions", "Description", TOLD),
    )
}

fn options(table: &str, column: &WantedColumn, kind: &str, options: &[(String, &str)]) -> String {
    let list: String = options
        .iter()
        .map(|(value, label)| {
            let labels = named("labels", "label", label);
            format!("<option value=\"{value}\" ExternalValue=\"\" IsHidden=\"0\">\n{labels}</option>\n")
        })
        .collect();
    let first =
        [("IsGlobal", "0"), ("IntroducedVersion", VERSION), ("IsCustomizable", "1"), ("OptionSetType", kind)];
    format!(
        "<optionset Name=\"{table}_{}\">\n{}{}<options>\n{list}</options>\n</optionset>\n",
        column.name,
        elements(first),
        named("displaynames", "displayname", &column.label),
    )
}

fn column(table: &str, column: &WantedColumn) -> String {
    let (kind, rest) = match &column.kind {
        WantedKind::Text(length) => {
            let length = length.unwrap_or(100).min(4000);
            let format = if column.name.ends_with("link") { "url" } else { "text" };
            let (max, bytes) = (length.to_string(), (2 * length).to_string());
            ("nvarchar", elements([("Format", format), ("MaxLength", &max), ("Length", &bytes)]))
        }
        WantedKind::Memo(length) => {
            ("ntext", elements([("Format", "textarea"), ("MaxLength", &length.to_string())]))
        }
        WantedKind::Boolean => {
            let choices = options(table, column, "bit", &[("1".into(), "Yes"), ("0".into(), "No")]);
            ("bit", elements([("AppDefaultValue", "0")]) + &choices)
        }
        WantedKind::Choice(list) => {
            let list: Vec<(String, &str)> =
                list.iter().map(|(value, label)| (value.to_string(), label.as_str())).collect();
            let choices = options(table, column, "picklist", &list);
            ("picklist", elements([("AppDefaultValue", "-1")]) + &choices)
        }
        other => panic!("`{}`: {other:?} is no column of ours", column.name),
    };
    attribute(&column.name, &column.label, kind, "", "none", &rest)
}

fn keys(columns: &[&WantedColumn]) -> String {
    let key = |column: &&&WantedColumn| {
        let name = format!("{}_key", column.name);
        let first = [
            ("Name", name.as_str()),
            ("LogicalName", &name),
            ("IntroducedVersion", VERSION),
            ("IsCustomizable", "1"),
        ];
        let over = elements([("AttributeName", column.name.as_str())]);
        let label = named("displaynames", "displayname", &format!("{} key", column.label));
        format!(
            "<EntityKey>\n{}<EntityKeyAttributes>\n{over}</EntityKeyAttributes>\n{label}</EntityKey>\n",
            elements(first)
        )
    };
    let all: String = columns.iter().filter(|column| column.key).map(|column| key(&column)).collect();
    if all.is_empty() { all } else { format!("<EntityKeys>\n{all}</EntityKeys>\n") }
}

/// The XML of a table that exists already: only our columns.
fn standard(name: &str, label: &str, columns: &[&WantedColumn]) -> String {
    let attributes: String = columns.iter().map(|one| column(name, one)).collect();
    format!(
        "<Entity>\n<Name LocalizedName=\"{label}\" OriginalName=\"{label}\">{label}</Name>\n<EntityInfo>\n\
         <entity Name=\"{label}\" unmodified=\"1\">\n<attributes>\n{attributes}</attributes>\n{}</entity>\n</EntityInfo>\n</Entity>\n",
        keys(columns)
    )
}

/// The XML of one of our tables.
fn own((schema, label, plural): (&str, &str, &str), lookups: &str, columns: &[&WantedColumn]) -> String {
    let name = schema.to_lowercase();
    let key = attribute(&format!("{name}Id"), label, "primarykey", "RequiredForGrid|", "systemrequired", "");
    let length = elements([("Format", "text"), ("MaxLength", "850"), ("Length", "1700")]);
    let title = attribute("cosell_Name", "Name", "nvarchar", "PrimaryName|", "none", &length);
    let others: String =
        columns.iter().filter(|one| one.name != "cosell_name").map(|one| column(&name, one)).collect();
    format!(
        "<Entity>\n<Name LocalizedName=\"{label}\" OriginalName=\"{label}\">{schema}</Name>\n<EntityInfo>\n<entity Name=\"{schema}\">\n\
         {}{}{}<attributes>\n{key}{title}{lookups}{others}</attributes>\n{}{}{}</entity>\n</EntityInfo>\n\
         <FormXml />\n<SavedQueries />\n<RibbonDiffXml />\n</Entity>\n",
        named("LocalizedNames", "LocalizedName", label),
        named("LocalizedCollectionNames", "LocalizedCollectionName", plural),
        named("Descriptions", "Description", TOLD),
        keys(columns),
        elements([("EntitySetName", format!("{name}s").as_str())]),
        elements(TABLE_FLAGS),
    )
}

fn lookup(schema: &str, label: &str) -> String {
    let style = elements([("LookupStyle", "single")]) + "<LookupTypes />\n";
    attribute(schema, label, "lookup", "", "required", &style)
}

/// Deleting an opportunity deletes its rows of Microsoft Solutions; a row of the catalogue that is in use cannot be
/// deleted.
fn relationship(lookup: &str, referenced: &str, on_delete: &str) -> String {
    let name = format!("cosell_solution_{}", lookup.trim_start_matches("cosell_"));
    let first = [
        ("EntityRelationshipType", "OneToMany"),
        ("IsCustomizable", "1"),
        ("IntroducedVersion", VERSION),
        ("IsHierarchical", "0"),
        ("ReferencingEntityName", SOLUTION.0),
        ("ReferencedEntityName", referenced),
        ("CascadeAssign", "NoCascade"),
        ("CascadeDelete", on_delete),
        ("CascadeReparent", "NoCascade"),
        ("CascadeShare", "NoCascade"),
        ("CascadeUnshare", "NoCascade"),
        ("CascadeRollupView", "NoCascade"),
        ("IsValidForAdvancedFind", "1"),
        ("ReferencingAttributeName", lookup),
    ];
    let role = |navigation: &str, kind: &str| {
        let pane = [
            ("NavPaneDisplayOption", "UseCollectionName"),
            ("NavPaneArea", "Details"),
            ("NavPaneOrder", "10000"),
        ];
        let pane = if kind == "1" { elements(pane) } else { String::new() };
        let rest = elements([("NavigationPropertyName", navigation), ("RelationshipRoleType", kind)]);
        format!("<EntityRelationshipRole>\n{pane}{rest}</EntityRelationshipRole>\n")
    };
    let described = named("Descriptions", "Description", TOLD);
    format!(
        "<EntityRelationship Name=\"{name}\">\n{}<RelationshipDescription>\n{described}</RelationshipDescription>\n\
         <EntityRelationshipRoles>\n{}{}</EntityRelationshipRoles>\n</EntityRelationship>\n",
        elements(first),
        role(lookup, "1"),
        role(&name, "0"),
    )
}

/// Indents elements below the one that contains them.
fn indented(xml: &str) -> String {
    let (mut depth, mut text) = (0_usize, String::new());
    for line in xml.lines() {
        let closes = line.starts_with("</");
        depth -= usize::from(closes);
        text += &format!("{}{line}\n", "  ".repeat(depth));
        let whole = line.ends_with("/>") || line.starts_with("<?") || line.contains("</");
        depth += usize::from(!closes && !whole);
    }
    text
}

fn customizations(map: &Map) -> String {
    let wanted = map.wanted_columns();
    let of = |table| -> Vec<&WantedColumn> {
        wanted.iter().filter(|column| column.table == table && map.is_ours(&column.name)).collect()
    };
    let lookups =
        lookup("cosell_OpportunityId", "Opportunity") + &lookup("cosell_SolutionDetailId", "Solution");
    let entities = [
        standard("account", "Account", &of(WantedTable::Account)),
        standard("contact", "Contact", &of(WantedTable::Contact)),
        standard("lead", "Lead", &of(WantedTable::Lead)),
        standard("opportunity", "Opportunity", &of(WantedTable::Opportunity)),
        own(SOLUTION, &lookups, &of(WantedTable::Solution)),
        own(DETAIL, "", &of(WantedTable::SolutionDetail)),
    ];
    let relationships = relationship("cosell_OpportunityId", "Opportunity", "Cascade")
        + &relationship("cosell_SolutionDetailId", DETAIL.0, "Restrict");
    let empty: String = EMPTY.iter().map(|name| format!("<{name} />\n")).collect();
    format!(
        "<ImportExportXml {SPACE}>\n<Entities>\n{}</Entities>\n{empty}<EntityRelationships>\n{relationships}</EntityRelationships>\n\
         <OrganizationSettings />\n<optionsets />\n<CustomControls />\n<EntityDataProviders />\n<Languages>\n<Language>1033</Language>\n</Languages>\n\
         </ImportExportXml>\n",
        entities.concat()
    )
}

fn manifest() -> String {
    let roots: String = [("account", 1), ("contact", 1), ("lead", 1), ("opportunity", 1)]
        .into_iter()
        .chain([("cosell_solution", 0), ("cosell_solutiondetail", 0)])
        .map(|(name, behavior)| {
            format!("<RootComponent type=\"1\" schemaName=\"{name}\" behavior=\"{behavior}\" />\n")
        })
        .collect();
    format!(
        "<ImportExportXml version=\"9.2\" SolutionPackageVersion=\"9.2\" languagecode=\"1033\" generatedBy=\"CrmLive\" {SPACE}>\n\
         <SolutionManifest>\n<UniqueName>CosellConnector</UniqueName>\n{names}<Descriptions />\n<Version>{VERSION}</Version>\n<Managed>0</Managed>\n\
         <Publisher>\n<UniqueName>cosellconnector</UniqueName>\n{names}<Descriptions />\n<EMailAddress xsi:nil=\"true\"></EMailAddress>\n\
         <SupportingWebsiteUrl xsi:nil=\"true\"></SupportingWebsiteUrl>\n<CustomizationPrefix>cosell</CustomizationPrefix>\n\
         <CustomizationOptionValuePrefix>10000</CustomizationOptionValuePrefix>\n<Addresses />\n</Publisher>\n\
         <RootComponents>\n{roots}</RootComponents>\n<MissingDependencies />\n</SolutionManifest>\n</ImportExportXml>\n",
        names = named("LocalizedNames", "LocalizedName", "Co-sell connector"),
    )
}

fn all() -> BTreeMap<&'static str, String> {
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\n\
                 <Default Extension=\"xml\" ContentType=\"application/octet-stream\" />\n</Types>\n";
    let map = Map::standard(CrmKind::Dynamics365);
    let file = |xml: &str| format!("{HEAD}{}", indented(xml));
    BTreeMap::from([
        ("[Content_Types].xml", file(types)),
        ("customizations.xml", file(&customizations(map))),
        ("solution.xml", file(&manifest())),
    ])
}

#[test]
fn the_solution_is_the_maps_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dynamics365");
    let wanted = all();
    if std::env::var_os("UPDATE_CASES").is_some() {
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).expect("a folder");
        for (name, text) in &wanted {
            fs::write(root.join(name), text).expect("a file");
        }
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(&root).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        found.insert(name, fs::read_to_string(&path).expect("a text file"));
    }
    let (names, theirs): (Vec<_>, Vec<_>) = (wanted.keys().collect(), found.keys().collect());
    assert_eq!(names, theirs, "UPDATE_CASES=1 rewrites them");
    for (name, text) in &wanted {
        assert_eq!(text, &found[*name], "{name}: UPDATE_CASES=1 rewrites it");
    }
}

#[test]
fn the_solution_is_xml_and_names_everything_once() {
    for (name, text) in all() {
        let document = roxmltree::Document::parse(&text).expect(name);
        for table in document.descendants().filter(|node| node.has_tag_name("entity")) {
            let names = table.descendants().filter_map(|node| node.attribute("PhysicalName"));
            let mut names: Vec<String> = names.map(str::to_lowercase).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{:?}", table.attribute("Name"));
        }
    }
}

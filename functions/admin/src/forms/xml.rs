//! A form's XML (FormXml, Microsoft Learn): what it shows, our section put in, our columns taken out. Text is put in or
//! cut out where it belongs; everything else stays as it was, byte for byte.

use roxmltree::{Document, Node};
use std::ops::Range;
use uuid::Uuid;

/// By this name our section is found again, whatever its label or place became.
const SECTION: &str = "cosell_partnercenter";
const TITLE: &str = "Microsoft Partner Center";
/// Where no label of the form says in which language it is.
const ENGLISH: &str = "1033";
/// The class of a grid of related rows.
const GRID: &str = "{E7A81278-8635-4D9E-8D4D-59480B391C5B}";
/// Rows of a form that a grid is high.
const GRID_ROWS: usize = 4;

/// Something of a form that shows a column, or rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// A column's name, or the table's whose rows are shown.
    pub(crate) name: String,
    /// Users cannot edit it.
    pub(crate) read_only: bool,
}

/// Something a form shall show.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// A column's name, or the table's whose rows are shown.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) what: What,
}

/// How it is shown.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Field { class: &'static str, read_only: bool },
    Grid { view: String, relationship: String },
}

/// By which a form with our section is recognised without reading it.
pub(crate) fn mark() -> String {
    format!("name=\"{SECTION}\"")
}

/// What a form shows; the error says why it cannot be read.
pub(crate) fn shown(xml: &str) -> Result<Vec<Shown>, String> {
    let document = parsed(xml)?;
    Ok(document.descendants().filter_map(of_control).collect())
}

/// The form with a section of what it lacks; `None`: it lacks nothing.
pub(crate) fn with(xml: &str, form: &str, cells: &[Cell]) -> Result<Option<String>, String> {
    let document = parsed(xml)?;
    let shown: Vec<Shown> = document.descendants().filter_map(of_control).collect();
    let lacks = |cell: &&Cell| !shown.iter().any(|one| one.name == cell.name);
    let language = document.descendants().find_map(|node| node.attribute("languagecode"));
    let language = language.filter(|code| code.parse::<u16>().is_ok()).unwrap_or(ENGLISH);
    let rows: String =
        cells.iter().filter(lacks).map(|cell| row(cell, &id(form, &cell.name), language)).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let ours = document.descendants().find(is_ours);
    let rows_of_ours = ours.and_then(|section| section.children().find(|node| node.has_tag_name("rows")));
    let (place, text) = match (ours, rows_of_ours) {
        (_, Some(place)) => (place, rows),
        (Some(_), None) => return Err(format!("its section `{SECTION}` has no rows")),
        (None, None) => {
            let place = document.descendants().find(|node| node.has_tag_name("sections"));
            let place = place.ok_or("it has no sections")?;
            (place, section(&id(form, SECTION), language, &rows))
        }
    };
    Ok(Some(edited(xml, vec![at_end_of(xml, place, &text)])))
}

/// The form without what shows one of ours; `None`: it shows none. A section of ours that others have put something in
/// stays.
pub(crate) fn without(xml: &str, ours: impl Fn(&str) -> bool) -> Result<Option<String>, String> {
    let document = parsed(xml)?;
    let shows = |cell: &Node<'_, '_>| cell.descendants().find_map(of_control);
    let cells: Vec<(Node<'_, '_>, bool)> = document
        .descendants()
        .filter(|node| node.has_tag_name("cell"))
        .filter_map(|cell| Some((cell, ours(&shows(&cell)?.name))))
        .collect();
    let section = document.descendants().find(is_ours).filter(|section| {
        let inside = |cell: &Node<'_, '_>| cell.ancestors().any(|node| node == *section);
        !cells.iter().any(|(cell, of_ours)| !of_ours && inside(cell))
    });
    let apart = |cell: &Node<'_, '_>| !cell.ancestors().any(|node| Some(node) == section);
    let cut = cells.iter().filter(|(cell, of_ours)| *of_ours && apart(cell)).map(|(cell, _)| cell.range());
    let cut: Vec<(Range<usize>, String)> =
        cut.chain(section.map(|section| section.range())).map(|range| (range, String::new())).collect();
    Ok(if cut.is_empty() { None } else { Some(edited(xml, cut)) })
}

fn parsed(xml: &str) -> Result<Document<'_>, String> {
    Document::parse(xml).map_err(|why| format!("its XML is not readable: {why}"))
}

fn is_ours(node: &Node<'_, '_>) -> bool {
    node.has_tag_name("section") && node.attribute("name") == Some(SECTION)
}

fn of_control(node: Node<'_, '_>) -> Option<Shown> {
    if !node.has_tag_name("control") {
        return None;
    }
    let read_only = matches!(node.attribute("disabled"), Some("true" | "1"));
    let rows_of = || node.descendants().find(|part| part.has_tag_name("TargetEntityType"))?.text();
    let name = node.attribute("datafieldname").or_else(rows_of)?.trim().to_owned();
    Some(Shown { name, read_only })
}

/// As the last thing in an element.
fn at_end_of(xml: &str, node: Node<'_, '_>, text: &str) -> (Range<usize>, String) {
    let range = node.range();
    let whole = &xml[range.clone()];
    match whole.strip_suffix("/>") {
        Some(open) => (range, format!("{}>{text}</{}>", open.trim_end(), node.tag_name().name())),
        None => {
            let end = range.start + whole.rfind("</").unwrap_or(whole.len());
            (end..end, text.to_owned())
        }
    }
}

fn edited(xml: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut xml = xml.to_owned();
    for (range, text) in edits {
        xml.replace_range(range, &text);
    }
    xml
}

/// The same one each time, and no other form's.
fn id(form: &str, of: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("cosell:form:{form}:{of}").as_bytes()).to_string()
}

fn section(id: &str, language: &str, rows: &str) -> String {
    let labels = labels(TITLE, language);
    format!(
        "<section name=\"{SECTION}\" id=\"{{{id}}}\" IsUserDefined=\"1\" showlabel=\"true\" showbar=\"false\" \
         locklevel=\"0\" layout=\"varwidth\" columns=\"1\" labelwidth=\"115\" celllabelalignment=\"Left\" \
         celllabelposition=\"Left\">{labels}<rows>{rows}</rows></section>"
    )
}

fn row(cell: &Cell, id: &str, language: &str) -> String {
    let (name, labels) = (escaped(&cell.name), labels(&cell.label, language));
    match &cell.what {
        What::Field { class, read_only } => format!(
            "<row><cell id=\"{{{id}}}\" showlabel=\"true\" locklevel=\"0\">{labels}<control id=\"{name}\" \
             classid=\"{class}\" datafieldname=\"{name}\" disabled=\"{read_only}\" /></cell></row>"
        ),
        What::Grid { view, relationship } => {
            let (view, relationship) = (escaped(view), escaped(relationship));
            let below = "<row />".repeat(GRID_ROWS - 1);
            format!(
                "<row><cell id=\"{{{id}}}\" showlabel=\"true\" locklevel=\"0\" rowspan=\"{GRID_ROWS}\" \
                 auto=\"false\">{labels}<control id=\"grid_{name}\" classid=\"{GRID}\" indicationOfSubgrid=\"true\">\
                 <parameters><ViewId>{{{view}}}</ViewId><IsUserView>false</IsUserView>\
                 <RelationshipName>{relationship}</RelationshipName><TargetEntityType>{name}</TargetEntityType>\
                 <AutoExpand>Fixed</AutoExpand><EnableQuickFind>false</EnableQuickFind>\
                 <EnableViewPicker>false</EnableViewPicker><ViewIds /><EnableJumpBar>false</EnableJumpBar>\
                 <ChartGridMode>Grid</ChartGridMode><VisualizationId /><IsUserChart>false</IsUserChart>\
                 <EnableChartPicker>false</EnableChartPicker><RecordsPerPage>4</RecordsPerPage></parameters>\
                 </control></cell></row>{below}"
            )
        }
    }
}

fn labels(text: &str, language: &str) -> String {
    let text = escaped(text);
    format!("<labels><label description=\"{text}\" languagecode=\"{language}\" /></labels>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "<form><tabs><tab id=\"{1}\"><labels><label description=\"Allgemein\" languagecode=\"1031\"/>\
        </labels><columns><column width=\"100%\"><sections><section name=\"their\" id=\"{2}\"><rows><row>\
        <cell id=\"{3}\"><control id=\"name\" datafieldname=\"name\" disabled=\"false\"/></cell></row></rows></section>\
        </sections ></column></columns></tab></tabs><!-- theirs --></form>";

    fn cells() -> Vec<Cell> {
        let field = |name: &str, read_only| Cell {
            name: name.into(),
            label: "R & D".into(),
            what: What::Field { class: "{C}", read_only },
        };
        let what = What::Grid { view: "v".into(), relationship: "r".into() };
        let grid = Cell { name: "cosell_solution".into(), label: "Microsoft Solutions".into(), what };
        vec![field("cosell_a", true), field("cosell_b", false), grid]
    }

    #[test]
    fn our_section_is_put_in_once_and_nothing_else_changes() {
        let once = with(FORM, "f", &cells()).unwrap().unwrap();
        assert_eq!(with(&once, "f", &cells()).unwrap(), None);
        let at = FORM.find("</sections >").unwrap();
        assert!(once.starts_with(&FORM[..at]) && once.ends_with(&FORM[at..]), "{once}");
        assert!(once.contains("description=\"R &amp; D\" languagecode=\"1031\""), "{once}");
        let shown: Vec<_> = shown(&once).unwrap().into_iter().map(|one| (one.name, one.read_only)).collect();
        let wanted = [("name", false), ("cosell_a", true), ("cosell_b", false), ("cosell_solution", false)];
        assert_eq!(shown, wanted.map(|(name, read_only)| (name.to_owned(), read_only)));
        assert_eq!(without(&once, |name| name.starts_with("cosell_")).unwrap().as_deref(), Some(FORM));
    }

    #[test]
    fn what_is_there_already_is_not_put_in_again_and_what_is_new_joins_it() {
        let some = with(FORM, "f", &cells()[..1]).unwrap().unwrap();
        let all = with(&some, "f", &cells()).unwrap().unwrap();
        assert_eq!(all.matches("cosell_partnercenter").count(), 1);
        assert_eq!(all.matches("datafieldname=\"cosell_a\"").count(), 1);
        assert_eq!(with(&all, "f", &cells()).unwrap(), None);
        // Laid out by hand, in a section of the organisation's own.
        let by_hand = FORM.replace("\"name\" disabled", "\"cosell_a\" disabled");
        let rest = with(&by_hand, "f", &cells()).unwrap().unwrap();
        assert_eq!(rest.matches("datafieldname=\"cosell_a\"").count(), 1);
    }

    #[test]
    fn a_section_of_ours_with_something_foreign_in_it_stays() {
        let once = with(FORM, "f", &cells()).unwrap().unwrap();
        let mixed = once.replace("datafieldname=\"cosell_b\"", "datafieldname=\"new_b\"");
        let left = without(&mixed, |name| name.starts_with("cosell_")).unwrap().unwrap();
        assert!(
            left.contains("new_b") && left.contains("cosell_partnercenter") && !left.contains("cosell_a")
        );
        assert_eq!(without(FORM, |name| name.starts_with("cosell_")).unwrap(), None);
    }

    #[test]
    fn an_empty_place_is_filled_and_what_is_no_form_is_named() {
        let empty = "<form><tabs><tab><columns><column><sections /></column></columns></tab></tabs></form>";
        let once = with(empty, "f", &cells()).unwrap().unwrap();
        assert!(once.contains("<sections><section name") && with(&once, "f", &cells()).unwrap().is_none());
        for (bad, word) in [("<form>", "not readable"), ("<form/>", "no sections")] {
            assert!(with(bad, "f", &cells()).unwrap_err().contains(word), "{bad}");
        }
    }

    #[test]
    fn ids_are_of_one_form_and_stay() {
        let once = |form| with(FORM, form, &cells()).unwrap().unwrap();
        assert_eq!(once("f"), once("f"));
        assert_ne!(once("f"), once("g"));
    }
}

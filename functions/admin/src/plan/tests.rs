//! What is a plan, and what is none.

use super::*;

fn read(event: Value) -> Result<Option<(Planning, Value)>, String> {
    Planning::read(event.as_object().unwrap())
}

#[test]
fn a_command_is_shown_done_as_shown_or_just_done() {
    let plain = json!({ "command": "retry", "filter": "x" });
    assert_eq!(read(plain.clone()), Ok(None));
    let shown = json!({ "command": "retry", "filter": "x", "preview": "yes" });
    assert_eq!(read(shown), Ok(Some((Planning::Preview, plain))));
    let plan = json!({ "command": "retry", "map": "m", "deals": [
        { "id": "7", "partner_center": "\"1\"", "crm": null },
    ] });
    let (planning, rest) = read(json!({ "command": "retry", "plan": plan })).unwrap().unwrap();
    assert_eq!(rest, json!({ "command": "retry" }));
    assert_eq!(planning.command(), Some(Command::Retry { filter: None }));
    // Of a deal, `preview` is a command of its own.
    assert_eq!(read(json!({ "command": "preview", "all": "yes" })), Ok(None));
}

#[test]
fn a_plan_of_something_else_is_none() {
    let plan = json!({ "command": "relink", "map": "m", "deals": [] });
    for (event, word) in [
        (json!({ "command": "retry", "plan": plan }), "relink"),
        (json!({ "command": "relink", "plan": plan, "preview": "yes" }), "both"),
        (json!({ "command": "relink", "plan": "all" }), "`plan`"),
        (json!({ "command": "retry", "preview": 7 }), "`preview`"),
    ] {
        let told = read(event.clone()).unwrap_err();
        assert!(told.contains(word), "{event}: {told}");
    }
}

#[test]
fn another_map_refuses_everything() {
    let plan = Plan { command: "retry".into(), map: "one".into(), count: 0, deals: vec![] };
    assert!(refused(&plan, "one").is_none());
    let refused = refused(&plan, "other").unwrap();
    assert!(!refused.ok && refused.lines[0].text.contains("map has changed"), "{refused:?}");
}

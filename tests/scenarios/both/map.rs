//! A stored map that this version cannot read: `map` puts another one in its place, and nothing that waited is lost.

use super::open;
use crate::{
    answers::{command, told},
    deal::{Stage, text},
};
use serde_json::json;
use sync::{
    ports::Links,
    table::{Change, Expect, Item, Key, StoredMap},
};

/// What is in effect from now on is no TOML, as if a version before had taken it.
async fn break_the_map(stage: &Stage) {
    let row = stage.links.read(&[Key::active_map()]).await.expect("the table").pop().flatten();
    let row = row.expect("a map was set");
    let Item::Map(map) = row.item else { panic!("{:?} is no map", row.key) };
    let broken = StoredMap { version: map.version + 1, toml: "[switches".to_owned(), ..map };
    let changes = vec![
        Change::put(Key::active_map(), Expect::Rev(row.rev), Item::Map(broken.clone())),
        Change::put(Key::map(broken.version), Expect::Absent, Item::Map(broken)),
    ];
    assert!(stage.links.commit(changes).await.expect("the table"));
}

#[tokio::test]
async fn a_stored_map_that_cannot_be_read_is_replaced_and_all_goes_on() {
    for (cure, name) in [
        (json!({ "command": "map", "action": "rollback" }), "Harbor Line – rail"),
        (json!({ "command": "map", "action": "set", "map": "" }), "✔ Harbor Line – rail"),
    ] {
        let stage = open().await;
        let without_marks = "[switches]\ncheck_mark = false\n";
        command(&stage, json!({ "command": "map", "action": "set", "map": without_marks })).await;
        break_the_map(&stage).await;
        stage.refer(json!({ "name": "Harbor Line – rail" }));
        stage.webhooks().await;
        stage.pump().await.unwrap();
        assert!(stage.messages() > 0 && stage.opportunities().is_empty(), "it waits");
        let (ok, words) = told(&stage, json!({ "command": "retry" })).await;
        assert!(!ok && words.contains("map version 2"), "{words}");
        command(&stage, cure.clone()).await;
        stage.rest().await;
        assert_eq!(text(&stage.opportunity(), "name"), name, "{cure}");
        let acts = command(&stage, json!({ "command": "acts" })).await;
        let newest = &acts["data"]["acts"][0];
        assert!(newest["command"] == "map" && newest["outcome"].is_string(), "{acts:#}");
        stage.close().await;
    }
}

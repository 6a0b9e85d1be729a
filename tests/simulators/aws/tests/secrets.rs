//! Secrets Manager: versions, stages, repeats.

use super::*;

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";

fn put(world: &mut World, token: &str, value: &str) -> Value {
    let body = json!({ "SecretId": "crm", "ClientRequestToken": token, "SecretString": value });
    world.call("secretsmanager.PutSecretValue", body)
}

fn value(world: &mut World, more: Value) -> Value {
    let mut body = json!({ "SecretId": "crm" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.call("secretsmanager.GetSecretValue", body)
}

fn create(world: &mut World) -> Value {
    let body = json!({ "Name": "crm", "ClientRequestToken": ONE, "SecretString": "first" });
    world.call("secretsmanager.CreateSecret", body)
}

#[test]
fn a_secret_is_found_by_name_and_by_arn() {
    let mut world = World::new();
    let arn = create(&mut world)["ARN"].as_str().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:secretsmanager:us-east-1:000000000000:secret:crm-"), "{arn}");
    for id in ["crm", &arn, &arn[..arn.len() - 7]] {
        let got = value(&mut world, json!({ "SecretId": id }));
        assert_eq!(got["SecretString"], "first");
        assert_eq!(got["VersionId"], ONE);
        assert_eq!(got["VersionStages"], json!(["AWSCURRENT"]));
        assert_eq!(got["CreatedDate"], 1767225600.0);
        assert_eq!(world.aws.secret(id).as_deref(), Some("first"));
    }
    assert_eq!(world.aws.secret("other"), None);
}

#[test]
fn what_is_missing_is_not_found() {
    let mut world = World::new();
    let get = "secretsmanager.GetSecretValue";
    let response = world.raw(get, json!({ "SecretId": "crm" }));
    assert_eq!(response.status, 400);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(body["__type"], "ResourceNotFoundException");
    assert_eq!(body["Message"], "Secrets Manager can't find the specified secret.");
    create(&mut world);
    for missing in [json!({ "VersionId": TWO }), json!({ "VersionStage": "AWSPREVIOUS" })] {
        let mut body = json!({ "SecretId": "crm" });
        body.as_object_mut().unwrap().extend(missing.as_object().unwrap().clone());
        assert_eq!(world.refused(get, body).0, "ResourceNotFoundException");
    }
    assert_eq!(world.refused(get, json!({})).0, "InvalidParameterException");
}

#[test]
fn a_new_value_becomes_current_and_the_old_one_previous() {
    let mut world = World::new();
    create(&mut world);
    world.pass(60);
    let answer = put(&mut world, TWO, "second");
    assert_eq!((&answer["VersionId"], &answer["VersionStages"]), (&json!(TWO), &json!(["AWSCURRENT"])));
    assert_eq!(value(&mut world, json!({}))["SecretString"], "second");
    assert_eq!(value(&mut world, json!({ "VersionStage": "AWSPREVIOUS" }))["SecretString"], "first");
    assert_eq!(value(&mut world, json!({ "VersionId": ONE }))["SecretString"], "first");
    let described = world.call("secretsmanager.DescribeSecret", json!({ "SecretId": "crm" }));
    assert_eq!(described["VersionIdsToStages"], json!({ ONE: ["AWSPREVIOUS"], TWO: ["AWSCURRENT"] }));
    assert_eq!(described["LastChangedDate"], 1767225660.0);
    world.aws.put_secret("crm", "third");
    assert_eq!(world.aws.secret("crm").as_deref(), Some("third"));
    let described = world.call("secretsmanager.DescribeSecret", json!({ "SecretId": "crm" }));
    assert_eq!(described["VersionIdsToStages"][ONE], Value::Null, "a version without stages is not listed");
}

#[test]
fn a_repeated_put_changes_nothing_and_a_different_one_is_refused() {
    let mut world = World::new();
    create(&mut world);
    put(&mut world, TWO, "second");
    put(&mut world, ONE, "first");
    assert_eq!(world.aws.secret("crm").as_deref(), Some("second"), "a repeat does not take the stage back");
    let put = "secretsmanager.PutSecretValue";
    let other = json!({ "SecretId": "crm", "ClientRequestToken": TWO, "SecretString": "third" });
    assert_eq!(world.refused(put, other).0, "ResourceExistsException");
    let short = json!({ "SecretId": "crm", "ClientRequestToken": "short", "SecretString": "third" });
    assert_eq!(world.refused(put, short).0, "InvalidParameterException");
    let empty = json!({ "SecretId": "crm", "ClientRequestToken": TWO });
    assert_eq!(world.refused(put, empty).0, "InvalidParameterException");
    let again = json!({ "Name": "crm", "ClientRequestToken": TWO, "SecretString": "x" });
    assert_eq!(world.refused("secretsmanager.CreateSecret", again).0, "ResourceExistsException");
}

#[test]
fn stages_move_on_request() {
    let mut world = World::new();
    create(&mut world);
    let pending = json!({ "SecretId": "crm", "ClientRequestToken": TWO, "SecretString": "second",
        "VersionStages": ["AWSPENDING"] });
    world.call("secretsmanager.PutSecretValue", pending);
    assert_eq!(world.aws.secret("crm").as_deref(), Some("first"));
    let update = "secretsmanager.UpdateSecretVersionStage";
    let to_two = json!({ "SecretId": "crm", "VersionStage": "AWSCURRENT", "MoveToVersionId": TWO });
    assert_eq!(world.refused(update, to_two.clone()).0, "InvalidParameterException", "names no holder");
    let mut named = to_two;
    named["RemoveFromVersionId"] = json!(ONE);
    world.call(update, named.clone());
    assert_eq!(world.aws.secret("crm").as_deref(), Some("second"));
    assert_eq!(value(&mut world, json!({ "VersionStage": "AWSPREVIOUS" }))["SecretString"], "first");
    assert_eq!(world.refused(update, named).0, "InvalidParameterException", "not the holder any more");
    let off = json!({ "SecretId": "crm", "VersionStage": "AWSPENDING", "RemoveFromVersionId": TWO });
    world.call(update, off);
    let described = world.call("secretsmanager.DescribeSecret", json!({ "SecretId": "crm" }));
    assert_eq!(described["VersionIdsToStages"], json!({ ONE: ["AWSPREVIOUS"], TWO: ["AWSCURRENT"] }));
    let none = json!({ "SecretId": "crm", "VersionStage": "AWSCURRENT", "RemoveFromVersionId": TWO });
    assert_eq!(world.refused(update, none).0, "InvalidParameterException", "never without a current version");
}

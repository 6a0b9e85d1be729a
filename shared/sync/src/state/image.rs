//! The image of a value, by which a later read finds out whether the value changed: the value itself, or a digest of a
//! long one.

use mapping::Value;

/// Text of more bytes than this is kept as a digest.
const LONG: usize = 256;

/// The image that is stored for a value. In a group or list each member has its own.
pub fn image(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.len() > LONG => Value::Text(format!("digest:{}", digest(text))),
        Value::Map(members) => Value::Map(members.iter().map(|(k, v)| (k.clone(), image(v))).collect()),
        other => other.clone(),
    }
}

/// Whether an image is only a digest, from which the value cannot be recovered.
pub(crate) fn is_digest(image: &Value) -> bool {
    image.text().is_some_and(|text| text.starts_with("digest:"))
}

/// Whether `of` is the image of `value`, whole lists that were reduced to one digest included.
pub(crate) fn is_image(value: &Value, of: &Value) -> bool {
    match (value, of) {
        (Value::Map(members), Value::Map(images)) => {
            members.len() == images.len()
                && members.iter().zip(images).all(|((a, value), (b, of))| a == b && is_image(value, of))
        }
        (Value::Text(text), of) if text.len() > LONG => image(value) == *of,
        (Value::Map(_), Value::Text(_)) => is_whole(value, of),
        _ => value == of,
    }
}

/// One digest for the image of a whole group or list: the smallest form it can be stored in.
pub(super) fn whole(image: &Value) -> Value {
    Value::Text(format!("digest:{}", digest(&serde_json::json!(image).to_string())))
}

/// Whether `of` is the one digest that [`whole`] makes of this value's image.
fn is_whole(value: &Value, of: &Value) -> bool {
    whole(&image(value)) == *of
}

/// A short digest (UUIDv5) of a text that is compared and never displayed.
pub fn digest(text: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}

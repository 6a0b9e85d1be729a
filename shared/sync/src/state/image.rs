//! What is kept of a value to tell later whether it changed: the value itself, or a digest of what is long.

use mapping::Value;

/// Text beyond this many bytes is kept as digest.
const LONG: usize = 256;

/// What is kept of a value to tell later whether it changed.
pub fn image(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.len() > LONG => Value::Text(format!("digest:{}", digest(text))),
        Value::Map(members) => Value::Map(members.iter().map(|(k, v)| (k.clone(), image(v))).collect()),
        other => other.clone(),
    }
}

/// An image that does not say what the value was.
pub(crate) fn is_digest(image: &Value) -> bool {
    image.text().is_some_and(|text| text.starts_with("digest:"))
}

/// Whether a value's image is this one.
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

/// The digest of a whole image.
pub(super) fn whole(image: &Value) -> Value {
    Value::Text(format!("digest:{}", digest(&serde_json::json!(image).to_string())))
}

/// Whether a value's image was made this digest.
fn is_whole(value: &Value, of: &Value) -> bool {
    whole(&image(value)) == *of
}

/// A short digest (UUIDv5) of anything that is compared and never shown.
pub fn digest(text: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
}

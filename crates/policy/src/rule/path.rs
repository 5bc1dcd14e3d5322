//! Fields below the top: `reasoning.effort` is the field `effort` of the object `reasoning`.
//!
//! Objects on the way are made where something is to be put; what stands there and is no object is left as it is, for its
//! API to judge.

use wire::RawObject;

/// The JSON text of a field.
pub(super) fn value(body: &RawObject, path: &str) -> Option<String> {
    match path.split_once('.') {
        None => body.raw(path).map(str::to_owned),
        Some((first, rest)) => value(&inner(body, first)?, rest),
    }
}

/// Puts a value there.
pub(super) fn set(body: &mut RawObject, path: &str, json: &str) {
    let Some((first, rest)) = path.split_once('.') else { return body.set_raw(path, json.to_owned()) };
    let absent = body.raw(first).is_none_or(|text| text == "null");
    let made = || RawObject::parse("{}".into()).ok();
    if let Some(mut inner) = if absent { made() } else { inner(body, first) } {
        set(&mut inner, rest, json);
        put(body, first, inner);
    }
}

/// Takes it out; an object that is left empty stays.
pub(super) fn remove(body: &mut RawObject, path: &str) {
    let Some((first, rest)) = path.split_once('.') else { return body.remove(path) };
    if value(body, path).is_some()
        && let Some(mut inner) = inner(body, first)
    {
        remove(&mut inner, rest);
        put(body, first, inner);
    }
}

fn inner(body: &RawObject, field: &str) -> Option<RawObject> {
    RawObject::parse(body.raw(field)?.to_owned().into()).ok()
}

fn put(body: &mut RawObject, field: &str, inner: RawObject) {
    body.set_raw(field, String::from_utf8_lossy(&inner.into_bytes()).into_owned());
}

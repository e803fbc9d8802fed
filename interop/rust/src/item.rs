//! DynamoDB JSON, both ways.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use serde_json::{json, Map, Value};
use std::collections::HashMap;

pub type Error = Box<dyn std::error::Error>;
pub type Item = HashMap<String, AttributeValue>;

pub fn parse(v: &Value) -> Result<Item, Error> {
    let members = v.as_object().ok_or("an item is an object")?;
    members.iter().map(|(k, v)| Ok((k.clone(), value(v)?))).collect()
}

fn value(v: &Value) -> Result<AttributeValue, Error> {
    let (kind, v) = v.as_object().and_then(|o| o.iter().next()).ok_or("a value has one member")?;
    Ok(match kind.as_str() {
        "S" => AttributeValue::S(text(v)?),
        "N" => AttributeValue::N(text(v)?),
        "B" => AttributeValue::B(blob(v)?),
        "BOOL" => AttributeValue::Bool(v.as_bool().ok_or("BOOL is true or false")?),
        "NULL" => AttributeValue::Null(v.as_bool().ok_or("NULL is true or false")?),
        "SS" => AttributeValue::Ss(list(v, text)?),
        "NS" => AttributeValue::Ns(list(v, text)?),
        "BS" => AttributeValue::Bs(list(v, blob)?),
        "L" => AttributeValue::L(list(v, value)?),
        "M" => AttributeValue::M(parse(v)?),
        other => return Err(format!("unknown type {other}").into()),
    })
}

fn text(v: &Value) -> Result<String, Error> {
    Ok(v.as_str().ok_or("a string is expected")?.to_string())
}

fn blob(v: &Value) -> Result<Blob, Error> {
    Ok(Blob::new(BASE64_STANDARD.decode(v.as_str().ok_or("base64 is expected")?)?))
}

fn list<T>(v: &Value, each: fn(&Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    v.as_array().ok_or("an array is expected")?.iter().map(each).collect()
}

pub fn print(item: &Item) -> Value {
    Value::Object(item.iter().map(|(k, v)| (k.clone(), print_value(v))).collect::<Map<_, _>>())
}

fn print_value(v: &AttributeValue) -> Value {
    let encode = |b: &Blob| BASE64_STANDARD.encode(b.as_ref());
    match v {
        AttributeValue::S(s) => json!({ "S": s }),
        AttributeValue::N(n) => json!({ "N": n }),
        AttributeValue::B(b) => json!({ "B": encode(b) }),
        AttributeValue::Bool(b) => json!({ "BOOL": b }),
        AttributeValue::Null(b) => json!({ "NULL": b }),
        AttributeValue::Ss(s) => json!({ "SS": s }),
        AttributeValue::Ns(n) => json!({ "NS": n }),
        AttributeValue::Bs(b) => json!({ "BS": b.iter().map(encode).collect::<Vec<_>>() }),
        AttributeValue::L(l) => json!({ "L": l.iter().map(print_value).collect::<Vec<_>>() }),
        AttributeValue::M(m) => json!({ "M": print(m) }),
        _ => Value::Null,
    }
}

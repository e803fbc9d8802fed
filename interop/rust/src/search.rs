//! The member search of the JSON that `ddbseal item` takes, with the transforms that the tests use.

use crate::aws;
use crate::item::Error;
use crate::keyring::member;
use aws_db_esdk::dynamodb::types::{
    AsSet, BeaconKeySource, BeaconStyle, BeaconVersion, CompoundBeacon, Constructor, ConstructorPart, EncryptedPart,
    GetPrefix, MultiKeyStore, PartOnly, SearchConfig, Shared, SharedSet, SignedPart, SingleKeyStore, StandardBeacon, Upper,
    VirtualField, VirtualPart, VirtualTransform,
};
use serde_json::Value;

pub async fn config(v: &Value) -> Result<Option<SearchConfig>, Error> {
    if !v.is_object() {
        return Ok(None);
    }
    let version = BeaconVersion::builder()
        .version(1)
        .key_store(aws::key_store(&v["keySource"]).await?)
        .key_source(source(&v["keySource"])?)
        .set_standard_beacons(list(&v["standardBeacons"], standard)?)
        .set_virtual_fields(list(&v["virtualFields"], virtual_field)?)
        .set_compound_beacons(list(&v["compoundBeacons"], compound)?)
        .set_signed_parts(list(&v["signedParts"], signed)?)
        .set_encrypted_parts(list(&v["encryptedParts"], encrypted)?)
        .set_maximum_number_of_partitions(number(&v["maximumNumberOfPartitions"])?)
        .set_default_number_of_partitions(number(&v["defaultNumberOfPartitions"])?)
        .build()?;
    Ok(Some(SearchConfig::builder().write_version(1).versions(vec![version]).build()?))
}

fn source(v: &Value) -> Result<BeaconKeySource, Error> {
    if let Some(id) = v["keyId"].as_str() {
        return Ok(BeaconKeySource::Single(SingleKeyStore::builder().key_id(id).cache_ttl(600).build()?));
    }
    let field = member(v, "keyFieldName")?;
    Ok(BeaconKeySource::Multi(MultiKeyStore::builder().key_field_name(field).cache_ttl(600).build()?))
}

fn standard(v: &Value) -> Result<StandardBeacon, Error> {
    Ok(StandardBeacon::builder()
        .name(member(v, "name")?)
        .set_length(number(&v["length"])?)
        .set_loc(v["loc"].as_str().map(String::from))
        .set_style(style(&v["style"])?)
        .set_number_of_partitions(number(&v["numberOfPartitions"])?)
        .build()?)
}

fn style(v: &Value) -> Result<Option<BeaconStyle>, Error> {
    let Some((name, style)) = v.as_object().and_then(|o| o.iter().next()) else { return Ok(None) };
    Ok(Some(match name.as_str() {
        "partOnly" => BeaconStyle::PartOnly(PartOnly::builder().build()?),
        "asSet" => BeaconStyle::AsSet(AsSet::builder().build()?),
        "shared" => BeaconStyle::Shared(Shared::builder().other(member(style, "other")?).build()?),
        "sharedSet" => BeaconStyle::SharedSet(SharedSet::builder().other(member(style, "other")?).build()?),
        other => return Err(format!("unknown style {other}").into()),
    }))
}

fn virtual_field(v: &Value) -> Result<VirtualField, Error> {
    let parts = list(&v["parts"], |p| {
        let trans = list(&p["trans"], transform)?;
        Ok(VirtualPart::builder().loc(member(p, "loc")?).set_trans(trans).build()?)
    })?;
    Ok(VirtualField::builder().name(member(v, "name")?).set_parts(parts).build()?)
}

fn transform(v: &Value) -> Result<VirtualTransform, Error> {
    let (name, transform) = v.as_object().and_then(|o| o.iter().next()).ok_or("a transform has one member")?;
    Ok(match name.as_str() {
        "upper" => VirtualTransform::Upper(Upper::builder().build()?),
        "prefix" => VirtualTransform::Prefix(GetPrefix::builder().set_length(number(&transform["length"])?).build()?),
        other => return Err(format!("unknown transform {other}").into()),
    })
}

fn compound(v: &Value) -> Result<CompoundBeacon, Error> {
    let constructors = list(&v["constructors"], |c| {
        let parts = list(&c["parts"], |p| {
            let required = p["required"].as_bool().unwrap_or_default();
            Ok(ConstructorPart::builder().name(member(p, "name")?).required(required).build()?)
        })?;
        Ok(Constructor::builder().set_parts(parts).build()?)
    })?;
    Ok(CompoundBeacon::builder()
        .name(member(v, "name")?)
        .split(member(v, "split")?)
        .set_signed(list(&v["signed"], signed)?)
        .set_encrypted(list(&v["encrypted"], encrypted)?)
        .set_constructors(constructors)
        .build()?)
}

fn signed(v: &Value) -> Result<SignedPart, Error> {
    let loc = v["loc"].as_str().map(String::from);
    Ok(SignedPart::builder().name(member(v, "name")?).prefix(member(v, "prefix")?).set_loc(loc).build()?)
}

fn encrypted(v: &Value) -> Result<EncryptedPart, Error> {
    Ok(EncryptedPart::builder().name(member(v, "name")?).prefix(member(v, "prefix")?).build()?)
}

fn number(v: &Value) -> Result<Option<i32>, Error> {
    Ok(v.as_i64().map(i32::try_from).transpose()?)
}

fn list<T>(v: &Value, each: impl Fn(&Value) -> Result<T, Error>) -> Result<Option<Vec<T>>, Error> {
    v.as_array().map(|l| l.iter().map(each).collect()).transpose()
}

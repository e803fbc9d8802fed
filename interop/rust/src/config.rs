//! Configurations of the official library from the JSON that `ddbseal item` takes.

use crate::item::Error;
use crate::{keyring, search};
use aws_db_esdk::dynamodb::types::DynamoDbTableEncryptionConfig;
use aws_db_esdk::item_encryptor::client::Client;
use aws_db_esdk::item_encryptor::types::dynamo_db_item_encryptor_config::DynamoDbItemEncryptorConfig;
use aws_db_esdk::material_providers::types::DbeAlgorithmSuiteId;
use aws_db_esdk::CryptoAction;
use serde_json::Value;
use std::collections::HashMap;

pub async fn encryptor(c: &Value) -> Result<Client, Error> {
    let config = DynamoDbItemEncryptorConfig::builder()
        .logical_table_name(keyring::member(c, "table")?)
        .partition_key_name(keyring::member(c, "partitionKey")?)
        .set_sort_key_name(text(c, "sortKey"))
        .attribute_actions_on_encrypt(actions(c)?)
        .set_allowed_unsigned_attributes(unsigned(c)?)
        .set_allowed_unsigned_attribute_prefix(text(c, "allowedUnsignedAttributePrefix"))
        .set_algorithm_suite_id(suite(c)?)
        .keyring(keyring::open(&c["keyring"]).await?)
        .build()?;
    Ok(Client::from_conf(config)?)
}

/// The same for the interceptor.
pub async fn table(c: &Value) -> Result<DynamoDbTableEncryptionConfig, Error> {
    Ok(DynamoDbTableEncryptionConfig::builder()
        .logical_table_name(keyring::member(c, "table")?)
        .partition_key_name(keyring::member(c, "partitionKey")?)
        .set_sort_key_name(text(c, "sortKey"))
        .attribute_actions_on_encrypt(actions(c)?)
        .set_allowed_unsigned_attributes(unsigned(c)?)
        .set_allowed_unsigned_attribute_prefix(text(c, "allowedUnsignedAttributePrefix"))
        .set_algorithm_suite_id(suite(c)?)
        .set_search(search::config(&c["search"]).await?)
        .keyring(keyring::open(&c["keyring"]).await?)
        .build()?)
}

fn text(c: &Value, name: &str) -> Option<String> {
    c[name].as_str().map(String::from)
}

fn actions(c: &Value) -> Result<HashMap<String, CryptoAction>, Error> {
    let mut actions = HashMap::new();
    for (name, action) in c["attributeActions"].as_object().ok_or("attributeActions is missing")? {
        let action = match action.as_str() {
            Some("ENCRYPT_AND_SIGN") => CryptoAction::EncryptAndSign,
            Some("SIGN_ONLY") => CryptoAction::SignOnly,
            Some("SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT") => CryptoAction::SignAndIncludeInEncryptionContext,
            Some("DO_NOTHING") => CryptoAction::DoNothing,
            _ => return Err(format!("unknown action {action}").into()),
        };
        actions.insert(name.clone(), action);
    }
    Ok(actions)
}

fn unsigned(c: &Value) -> Result<Option<Vec<String>>, Error> {
    let Some(list) = c["allowedUnsignedAttributes"].as_array() else { return Ok(None) };
    let names = list.iter().map(|v| v.as_str().map(String::from).ok_or("a name is a string"));
    Ok(Some(names.collect::<Result<_, _>>()?))
}

fn suite(c: &Value) -> Result<Option<DbeAlgorithmSuiteId>, Error> {
    match c["algorithmSuite"].as_str() {
        None => Ok(None),
        Some("ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_SYMSIG_HMAC_SHA384") => {
            Ok(Some(DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeySymsigHmacSha384))
        }
        Some("ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384_SYMSIG_HMAC_SHA384") => {
            Ok(Some(DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384SymsigHmacSha384))
        }
        Some(other) => Err(format!("unknown algorithm suite {other}").into()),
    }
}

//! The official library behind the interface of `ddbseal item`: `encrypt` or `decrypt`, `--config FILE`, items as
//! JSON lines. `serve` takes one request a line, {"op":…,"config":…,"item":…}, and answers {"item":…} or {"error":…}.

mod item;
mod keyring;

use aws_db_esdk::item_encryptor::client::Client;
use aws_db_esdk::item_encryptor::types::dynamo_db_item_encryptor_config::DynamoDbItemEncryptorConfig;
use aws_db_esdk::material_providers::types::DbeAlgorithmSuiteId;
use aws_db_esdk::CryptoAction;
use item::{Error, Item};
use serde_json::{json, Value};
use std::collections::HashMap;
use std::io::{BufRead, Write};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let fixed = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => None,
        [_, "--config", file] => Some(serde_json::from_str::<Value>(&std::fs::read_to_string(file)?)?),
        _ => return Err("usage: serve | encrypt --config FILE | decrypt --config FILE".into()),
    };
    let mut out = std::io::stdout().lock();
    let mut failed = false;
    for (i, line) in std::io::stdin().lock().lines().enumerate() {
        let request: Value = serde_json::from_str(&line?)?;
        if fixed.is_none() && request["op"].as_str().is_some_and(|op| op.starts_with("bench-")) {
            match bench(&request).await {
                Ok(nanoseconds) => writeln!(out, "{}", json!({ "nanoseconds": nanoseconds }))?,
                Err(e) => writeln!(out, "{}", json!({ "error": e.to_string() }))?,
            }
            out.flush()?;
            continue;
        }
        let result = match &fixed {
            None => run(&request["op"], &request["config"], &request["item"]).await,
            Some(config) => run(&json!(args[0]), config, &request).await,
        };
        match (result, &fixed) {
            (Ok(item), None) => writeln!(out, "{}", json!({ "item": item::print(&item) }))?,
            (Ok(item), Some(_)) => writeln!(out, "{}", item::print(&item))?,
            (Err(e), None) => writeln!(out, "{}", json!({ "error": e.to_string() }))?,
            (Err(e), Some(_)) => {
                failed = true;
                eprintln!("line {}: {e}", i + 1);
            }
        }
        out.flush()?;
    }
    if failed {
        std::process::exit(1);
    }
    Ok(())
}

/// Repeats one operation for the given time and returns the mean of its nanoseconds.
async fn bench(request: &Value) -> Result<u64, Error> {
    let encryptor = encryptor(&request["config"]).await?;
    let item = item::parse(&request["item"])?;
    let wanted = std::time::Duration::from_millis(request["milliseconds"].as_u64().ok_or("milliseconds is missing")?);
    let start = std::time::Instant::now();
    let mut n = 0;
    while n == 0 || start.elapsed() < wanted {
        if request["op"] == "bench-encrypt" {
            encryptor.encrypt_item().plaintext_item(item.clone()).send().await?;
        } else {
            encryptor.decrypt_item().encrypted_item(item.clone()).send().await?;
        }
        n += 1;
    }
    Ok(start.elapsed().as_nanos() as u64 / n)
}

async fn run(op: &Value, config: &Value, request: &Value) -> Result<Item, Error> {
    let encryptor = encryptor(config).await?;
    let item = item::parse(request)?;
    if op == "encrypt" {
        let out = encryptor.encrypt_item().plaintext_item(item).send().await?;
        return out.encrypted_item.ok_or_else(|| "no item".into());
    }
    let out = encryptor.decrypt_item().encrypted_item(item).send().await?;
    out.plaintext_item.ok_or_else(|| "no item".into())
}

async fn encryptor(c: &Value) -> Result<Client, Error> {
    let mut actions = HashMap::new();
    for (name, action) in c["attributeActions"].as_object().ok_or("attributeActions is missing")? {
        actions.insert(
            name.clone(),
            match action.as_str() {
                Some("ENCRYPT_AND_SIGN") => CryptoAction::EncryptAndSign,
                Some("SIGN_ONLY") => CryptoAction::SignOnly,
                Some("SIGN_AND_INCLUDE_IN_ENCRYPTION_CONTEXT") => CryptoAction::SignAndIncludeInEncryptionContext,
                _ => CryptoAction::DoNothing,
            },
        );
    }
    let suite = if c["algorithmSuite"].as_str().is_some_and(|s| !s.contains("ECDSA")) {
        DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeySymsigHmacSha384
    } else {
        DbeAlgorithmSuiteId::AlgAes256GcmHkdfSha512CommitKeyEcdsaP384SymsigHmacSha384
    };
    let mut b = DynamoDbItemEncryptorConfig::builder()
        .logical_table_name(keyring::member(c, "table")?)
        .partition_key_name(keyring::member(c, "partitionKey")?)
        .attribute_actions_on_encrypt(actions)
        .algorithm_suite_id(suite)
        .keyring(keyring::open(&c["keyring"]).await?);
    if let Some(sort) = c["sortKey"].as_str() {
        b = b.sort_key_name(sort);
    }
    if let Some(list) = c["allowedUnsignedAttributes"].as_array() {
        b = b.allowed_unsigned_attributes(list.iter().filter_map(|v| v.as_str().map(String::from)).collect::<Vec<_>>());
    }
    if let Some(prefix) = c["allowedUnsignedAttributePrefix"].as_str() {
        b = b.allowed_unsigned_attribute_prefix(prefix);
    }
    Ok(Client::from_conf(b.build()?)?)
}

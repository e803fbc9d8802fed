//! What needs AWS: clients from the environment (AWS_ENDPOINT_URL, AWS_REGION and credentials), the key store of the
//! official library, and a DynamoDB client with its interceptor.

use crate::item::{self, Error, Item};
use crate::{config, keyring};
use aws_db_esdk::intercept::DbEsdkInterceptor;
use aws_db_esdk::key_store::client::Client as KeyStore;
use aws_db_esdk::key_store::types::key_store_config::KeyStoreConfig;
use aws_db_esdk::key_store::types::KmsConfiguration;
use aws_db_esdk::DynamoDbTablesEncryptionConfig;
use serde_json::{json, Value};
use std::collections::{BTreeMap, HashMap};
use tokio::sync::{Mutex, OnceCell};

// Making a client reads the machine's root certificates.
static CONFIG: OnceCell<aws_config::SdkConfig> = OnceCell::const_new();
static KMS: Mutex<BTreeMap<String, aws_sdk_kms::Client>> = Mutex::const_new(BTreeMap::new()); // by Region
static DYNAMODB: OnceCell<aws_sdk_dynamodb::Client> = OnceCell::const_new();

async fn sdk() -> &'static aws_config::SdkConfig {
    CONFIG.get_or_init(|| aws_config::load_defaults(aws_config::BehaviorVersion::latest())).await
}

/// A client for a Region; None is that of the environment.
pub async fn kms(region: Option<&str>) -> aws_sdk_kms::Client {
    let mut clients = KMS.lock().await;
    if let Some(client) = clients.get(region.unwrap_or_default()) {
        return client.clone();
    }
    let mut config = aws_sdk_kms::config::Builder::from(sdk().await);
    if let Some(region) = region {
        config = config.region(aws_config::Region::new(region.to_string()));
    }
    let client = aws_sdk_kms::Client::from_conf(config.build());
    clients.insert(region.unwrap_or_default().to_string(), client.clone());
    client
}

async fn dynamodb() -> aws_sdk_dynamodb::Client {
    DYNAMODB.get_or_init(|| async { aws_sdk_dynamodb::Client::new(sdk().await) }).await.clone()
}

pub async fn key_store(v: &Value) -> Result<KeyStore, Error> {
    let config = KeyStoreConfig::builder()
        .ddb_table_name(keyring::member(v, "table")?)
        .logical_key_store_name(keyring::member(v, "logicalName")?)
        .kms_configuration(KmsConfiguration::KmsKeyArn(keyring::member(v, "kmsKeyId")?.to_string()))
        .ddb_client(dynamodb().await)
        .kms_client(kms(None).await)
        .build()?;
    Ok(KeyStore::from_conf(config)?)
}

/// Makes a branch key, or a new version of one; answers its id.
pub async fn branch_key(op: &str, v: &Value) -> Result<Value, Error> {
    let store = key_store(v).await?;
    let id = keyring::member(v, "branchKeyId")?;
    if op == "version-key" {
        store.version_key().branch_key_identifier(id).send().await?;
        return Ok(json!({ "branchKeyId": id }));
    }
    let mut context = HashMap::new();
    for (name, value) in v["context"].as_object().ok_or("context is missing")? {
        context.insert(name.clone(), value.as_str().ok_or("a context value is a string")?.to_string());
    }
    let made = store.create_key().branch_key_identifier(id).encryption_context(context).send().await?;
    Ok(json!({ "branchKeyId": made.branch_key_identifier }))
}

/// A plain DynamoDB client with the official interceptor, as an application uses it.
async fn table(name: &str, c: &Value) -> Result<aws_sdk_dynamodb::Client, Error> {
    let interceptor = DbEsdkInterceptor::new(tables(name, c).await?)?;
    let config = aws_sdk_dynamodb::config::Builder::from(sdk().await).interceptor(interceptor).build();
    Ok(aws_sdk_dynamodb::Client::from_conf(config))
}

async fn tables(name: &str, c: &Value) -> Result<DynamoDbTablesEncryptionConfig, Error> {
    Ok(DynamoDbTablesEncryptionConfig::builder()
        .table_encryption_configs(HashMap::from([(name.to_string(), config::table(c).await?)]))
        .build()?)
}

pub async fn table_put(request: &Value) -> Result<Value, Error> {
    let name = keyring::member(request, "tableName")?;
    let client = table(name, &request["config"]).await?;
    client.put_item().table_name(name).set_item(Some(item::parse(&request["item"])?)).send().await?;
    Ok(json!({}))
}

pub async fn table_get(request: &Value) -> Result<Item, Error> {
    let name = keyring::member(request, "tableName")?;
    let client = table(name, &request["config"]).await?;
    let key = item::parse(&request["item"])?;
    let out = client.get_item().table_name(name).set_key(Some(key)).consistent_read(true).send().await?;
    out.item.ok_or_else(|| "no such item".into())
}

/// All items that a Query or, without a key condition, a Scan finds by the plaintext expressions of the request.
pub async fn table_search(request: &Value) -> Result<Value, Error> {
    let name = keyring::member(request, "tableName")?;
    let client = table(name, &request["config"]).await?;
    let r = &request["request"];
    let text = |name: &str| r[name].as_str().map(String::from);
    let values = Some(item::parse(&r["values"])?);
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page;
        if text("keyCondition").is_some() {
            let out = client
                .query()
                .table_name(name)
                .set_index_name(text("index"))
                .set_key_condition_expression(text("keyCondition"))
                .set_filter_expression(text("filter"))
                .set_expression_attribute_values(values.clone())
                .set_exclusive_start_key(start)
                .send()
                .await?;
            (page, start) = (out.items, out.last_evaluated_key);
        } else {
            let out = client
                .scan()
                .table_name(name)
                .set_index_name(text("index"))
                .set_filter_expression(text("filter"))
                .set_expression_attribute_values(values.clone())
                .set_exclusive_start_key(start)
                .send()
                .await?;
            (page, start) = (out.items, out.last_evaluated_key);
        }
        items.extend(page.unwrap_or_default().iter().map(item::print));
        if start.is_none() {
            return Ok(json!({ "items": items }));
        }
    }
}

/// The number of queries that find the items of all partitions.
pub async fn number_of_queries(request: &Value) -> Result<Value, Error> {
    let name = keyring::member(request, "tableName")?;
    let client = aws_db_esdk::Client::from_conf(tables(name, &request["config"]).await?)?;
    let r = &request["request"];
    let text = |name: &str| r[name].as_str().map(String::from);
    let query = aws_sdk_dynamodb::operation::query::QueryInput::builder()
        .table_name(name)
        .set_index_name(text("index"))
        .set_key_condition_expression(text("keyCondition"))
        .set_filter_expression(text("filter"))
        .set_expression_attribute_values(Some(item::parse(&r["values"])?))
        .build()?;
    let out = client.get_number_of_queries().input(query).send().await?;
    Ok(json!({ "queries": out.number_of_queries }))
}

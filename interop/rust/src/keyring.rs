//! Keyrings of the official library from the JSON that `ddbseal item` takes. Those of a key agreement are missing:
//! the library does not export the type of their curve, so no program can create them.

use crate::aws;
use crate::item::Error;
use aws_db_esdk::material_providers::client::Client;
use aws_db_esdk::material_providers::types::keyring::KeyringRef;
use aws_db_esdk::material_providers::types::material_providers_config::MaterialProvidersConfig;
use aws_db_esdk::material_providers::types::{AesWrappingAlg, DiscoveryFilter, PaddingScheme};
use aws_sdk_kms::types::EncryptionAlgorithmSpec;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;

pub fn member<'a>(v: &'a Value, name: &str) -> Result<&'a str, Error> {
    v[name].as_str().ok_or_else(|| format!("{name} is missing").into())
}

/// The Region of the key or, without one, the Region that is named.
fn region(v: &Value) -> Option<&str> {
    match v["keyId"].as_str() {
        Some(arn) => arn.split(':').nth(3),
        None => v["region"].as_str(),
    }
}

fn filter(v: &Value) -> Result<Option<DiscoveryFilter>, Error> {
    let Some(accounts) = v["accounts"].as_array() else { return Ok(None) };
    let ids = accounts.iter().map(|a| a.as_str().map(String::from).ok_or("an account is a string"));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(DiscoveryFilter::builder().partition("aws").account_ids(ids).build()?))
}

pub fn open(v: &Value) -> Pin<Box<dyn Future<Output = Result<KeyringRef, Error>> + '_>> {
    Box::pin(async move {
        let providers = Client::from_conf(MaterialProvidersConfig::builder().build()?)?;
        match member(v, "type")? {
            "raw-aes" => {
                let key = BASE64_STANDARD.decode(member(&v["key"], "base64")?)?;
                let algorithm = match key.len() {
                    16 => AesWrappingAlg::AlgAes128GcmIv12Tag16,
                    24 => AesWrappingAlg::AlgAes192GcmIv12Tag16,
                    _ => AesWrappingAlg::AlgAes256GcmIv12Tag16,
                };
                Ok(providers
                    .create_raw_aes_keyring()
                    .key_namespace(member(v, "namespace")?)
                    .key_name(member(v, "name")?)
                    .wrapping_key(key)
                    .wrapping_alg(algorithm)
                    .send()
                    .await?)
            }
            "raw-rsa" => {
                let padding = match member(v, "padding")? {
                    "PKCS1" => PaddingScheme::Pkcs1,
                    "OAEP_SHA1_MGF1" => PaddingScheme::OaepSha1Mgf1,
                    "OAEP_SHA256_MGF1" => PaddingScheme::OaepSha256Mgf1,
                    "OAEP_SHA384_MGF1" => PaddingScheme::OaepSha384Mgf1,
                    _ => PaddingScheme::OaepSha512Mgf1,
                };
                Ok(providers
                    .create_raw_rsa_keyring()
                    .key_namespace(member(v, "namespace")?)
                    .key_name(member(v, "name")?)
                    .padding_scheme(padding)
                    .public_key(member(v, "publicKey")?.as_bytes().to_vec())
                    .private_key(member(v, "privateKey")?.as_bytes().to_vec())
                    .send()
                    .await?)
            }
            "multi" => {
                let mut children = Vec::new();
                for child in v["children"].as_array().unwrap_or(&Vec::new()) {
                    children.push(open(child).await?);
                }
                let mut multi = providers.create_multi_keyring().child_keyrings(children);
                if v["generator"].is_object() {
                    multi = multi.generator(open(&v["generator"]).await?);
                }
                Ok(multi.send().await?)
            }
            "aws-kms" => Ok(providers
                .create_aws_kms_keyring()
                .kms_key_id(member(v, "keyId")?)
                .kms_client(aws::kms(region(v)).await)
                .send()
                .await?),
            "aws-kms-mrk" => Ok(providers
                .create_aws_kms_mrk_keyring()
                .kms_key_id(member(v, "keyId")?)
                .kms_client(aws::kms(region(v)).await)
                .send()
                .await?),
            "aws-kms-discovery" => Ok(providers
                .create_aws_kms_discovery_keyring()
                .kms_client(aws::kms(region(v)).await)
                .set_discovery_filter(filter(v)?)
                .send()
                .await?),
            "aws-kms-mrk-discovery" => Ok(providers
                .create_aws_kms_mrk_discovery_keyring()
                .kms_client(aws::kms(region(v)).await)
                .region(member(v, "region")?)
                .set_discovery_filter(filter(v)?)
                .send()
                .await?),
            "aws-kms-rsa" => {
                let mut rsa = providers
                    .create_aws_kms_rsa_keyring()
                    .kms_key_id(member(v, "keyId")?)
                    .kms_client(aws::kms(region(v)).await)
                    .encryption_algorithm(EncryptionAlgorithmSpec::from(member(v, "encryptionAlgorithm")?));
                if let Some(key) = v["publicKey"].as_str() {
                    rsa = rsa.public_key(key.as_bytes().to_vec());
                }
                Ok(rsa.send().await?)
            }
            "hierarchical" => Ok(providers
                .create_aws_kms_hierarchical_keyring()
                .branch_key_id(member(v, "branchKeyId")?)
                .key_store(aws::key_store(v).await?)
                .ttl_seconds(600)
                .send()
                .await?),
            other => Err(format!("unknown keyring type {other}").into()),
        }
    })
}

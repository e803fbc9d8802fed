//! The official library behind the interface of `ddbseal item`: `encrypt` or `decrypt`, `--config FILE`, items as
//! JSON lines. `serve` takes one request a line, {"op":…,"config":…,"item":…}, and answers {"item":…} or {"error":…}.

mod aws;
mod config;
mod item;
mod keyring;
mod search;

use item::{Error, Item};
use serde_json::{json, Value};
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
        match &fixed {
            None => {
                let answer = serve(&request).await.unwrap_or_else(|e| json!({ "error": e.to_string() }));
                writeln!(out, "{answer}")?;
            }
            Some(config) => match run(&args[0], config, &request).await {
                Ok(item) => writeln!(out, "{}", item::print(&item))?,
                Err(e) => {
                    failed = true;
                    eprintln!("line {}: {e}", i + 1);
                }
            },
        }
        out.flush()?;
    }
    if failed {
        std::process::exit(1);
    }
    Ok(())
}

async fn serve(request: &Value) -> Result<Value, Error> {
    let config = &request["config"];
    let item = match keyring::member(request, "op")? {
        op @ ("create-key" | "version-key") => return aws::branch_key(op, config).await,
        "bench-encrypt" | "bench-decrypt" => return Ok(json!({ "nanoseconds": bench(request).await? })),
        "table-put" => return aws::table_put(request).await,
        "table-search" => return aws::table_search(request).await,
        "number-of-queries" => return aws::number_of_queries(request).await,
        "table-get" => aws::table_get(request).await?,
        op => run(op, config, &request["item"]).await?,
    };
    Ok(json!({ "item": item::print(&item) }))
}

/// Repeats one operation for the given time and returns the mean of its nanoseconds.
async fn bench(request: &Value) -> Result<u64, Error> {
    let encryptor = config::encryptor(&request["config"]).await?;
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

async fn run(op: &str, config: &Value, item: &Value) -> Result<Item, Error> {
    let encryptor = config::encryptor(config).await?;
    let item = item::parse(item)?;
    let out = match op {
        "encrypt" => encryptor.encrypt_item().plaintext_item(item).send().await?.encrypted_item,
        "decrypt" => encryptor.decrypt_item().encrypted_item(item).send().await?.plaintext_item,
        _ => return Err(format!("unknown operation {op}").into()),
    };
    out.ok_or_else(|| "no item".into())
}

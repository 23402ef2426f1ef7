//! `socklab claims`: the claims of labs, checked on this machine.

use std::collections::BTreeMap;
use std::process::{ExitCode, ExitStatus, Stdio};

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use socklab::course::labs::{Row, find_row, rows};
use socklab::lab::exit;
use socklab::output::{self, Reader};

use super::child::lab_command;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name, for its claims with what they rest on; without it a line for each claim of all labs
    lab: Option<String>,
    /// One JSON object a claim
    #[arg(long)]
    json: bool,
}

/// What a lab says of one claim.
#[derive(Deserialize)]
struct Judged {
    source: String,
    says: String,
    verdict: String,
    condition: Option<String>,
}

/// Has the lab, or each lab, check its claims.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = match &arguments.lab {
        Some(word) => vec![find_row(word)?],
        None => rows(),
    };
    if arguments.lab.is_none() && !arguments.json {
        return list(&chosen);
    }
    let mut worst = exit::OK;
    for row in &chosen {
        let folder = row.folder();
        let mut command = lab_command(&folder);
        command.arg("--claims").args(arguments.json.then_some("--json"));
        let status = command.status().with_context(|| format!("start lab {folder}"))?;
        worst = code_of(status).max(worst);
    }
    Ok(ExitCode::from(worst))
}

/// A line for each claim of each lab, and how often each verdict came.
fn list(rows: &[Row]) -> Result<ExitCode> {
    let mut worst = exit::OK;
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let folder = row.folder();
        let mut command = lab_command(&folder);
        let command = command.args(["--claims", "--json"]).stderr(Stdio::inherit());
        let played = command.output().with_context(|| format!("start lab {folder}"))?;
        worst = code_of(played.status).max(worst);
        let mut text = String::new();
        for line in String::from_utf8_lossy(&played.stdout).lines() {
            let claim: Judged = serde_json::from_str(line).with_context(|| format!("the claims of lab {folder}"))?;
            text += &told(row, &claim);
            *count.entry(claim.verdict).or_default() += 1;
        }
        if output::print(&text)? == Reader::Gone {
            return Ok(ExitCode::from(worst));
        }
    }
    let all: usize = count.values().sum();
    let each: Vec<String> = count.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    output::print(&format!(
        "\n{all} claims: {}. just claims 05 shows what those of lab 05 rest on.\n",
        each.join(", ")
    ))?;
    Ok(ExitCode::from(worst))
}

/// `05  confirmed            S0-C09  …`
fn told(row: &Row, claim: &Judged) -> String {
    let condition = claim.condition.as_ref().map_or_else(String::new, |condition| format!(" (only when {condition})"));
    format!("{:02}  {:<19}  {:<6}  {}{condition}\n", row.number, claim.verdict, claim.source, claim.says)
}

fn code_of(status: ExitStatus) -> u8 {
    if status.success() {
        return exit::OK;
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::DIED)
}

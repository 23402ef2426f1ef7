//! `socklab claims`: the claims of labs, checked on this machine.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use socklab::lab::exit;

use super::{contents, programs};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lab's number or name; all labs where none is given
    lab: Option<String>,
    /// One JSON object a claim
    #[arg(long)]
    json: bool,
}

/// Has each lab check its claims, one after the other.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let rows = match &arguments.lab {
        Some(word) => vec![contents::find(word)?],
        None => contents::rows(),
    };
    let names: Vec<String> = rows.iter().map(contents::Row::program).collect();
    let folder = programs::build(&names)?;
    let mut worst = exit::OK;
    for (index, name) in names.iter().enumerate() {
        if index > 0 && !arguments.json {
            println!();
        }
        let mut command = Command::new(folder.join(name));
        command.arg("--claims").args(arguments.json.then_some("--json"));
        let status = command.status().with_context(|| format!("start {name}"))?;
        if !status.success() {
            worst = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::DIED);
        }
    }
    Ok(ExitCode::from(worst))
}

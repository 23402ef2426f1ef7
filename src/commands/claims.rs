//! `socklab claims`: the claims of labs, checked on this machine.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use socklab::course::labs::{find_row, rows};
use socklab::lab::exit;
use socklab::output::{self, Reader};

use super::child::lab_command;

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
        Some(word) => vec![find_row(word)?],
        None => rows(),
    };
    let mut worst = exit::OK;
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && !arguments.json && output::print("\n")? == Reader::Gone {
            break;
        }
        let folder = row.folder();
        let mut command = lab_command(&folder);
        command.arg("--claims").args(arguments.json.then_some("--json"));
        let status = command.status().with_context(|| format!("start lab {folder}"))?;
        if !status.success() {
            worst = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::DIED);
        }
    }
    Ok(ExitCode::from(worst))
}

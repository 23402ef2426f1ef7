//! Where the labs' programs are, and how they get there.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Makes sure that these programs are built as the sources now are, and returns the folder that they are in.
///
/// Started by `cargo run` it has cargo build them; started by itself it takes what lies beside it.
pub fn build(programs: &[String]) -> Result<PathBuf> {
    let ours = env::current_exe().context("where this program is")?;
    let folder = ours.parent().context("where this program is")?.to_owned();
    if let Some(checkout) = checkout() {
        let cargo = env::var_os("CARGO").context("the variable CARGO")?;
        let mut command = Command::new(cargo);
        command.current_dir(checkout).args(["build", "--quiet"]).stdout(Stdio::null());
        command.args(programs.iter().flat_map(|program| ["--bin", program]));
        if folder.ends_with("release") {
            command.arg("--release");
        }
        if !command.status().context("cargo build")?.success() {
            bail!("the lab could not be built; cargo says above why");
        }
    }
    for program in programs {
        if !folder.join(program).is_file() {
            bail!("{program} is not beside this program: build it with `cargo build --bin {program}`");
        }
    }
    Ok(folder)
}

/// The sources, if cargo started us.
pub fn checkout() -> Option<PathBuf> {
    env::var_os("CARGO")?;
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    has_labs(&folder).then_some(folder)
}

fn has_labs(folder: &Path) -> bool {
    folder.join("labs/README.md").is_file()
}

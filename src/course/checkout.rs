//! The checkout of this project, found while the program runs: a copy of the program works in any folder, and writes
//! nothing where it was built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the checkout: the one that cargo names to a program that it runs (`CARGO_MANIFEST_DIR`), or else the
/// nearest one above the current folder. `None` where there is none.
pub fn checkout() -> Option<PathBuf> {
    let of_cargo = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| is_checkout(folder));
    of_cargo.or_else(|| env::current_dir().ok()?.ancestors().find(|folder| is_checkout(folder)).map(Path::to_owned))
}

/// The folders of the checkout in which the solutions and the checks are, or what tells of them.
pub fn own_folders() -> Vec<PathBuf> {
    let of_ours = ["benches", "docs", "fuzz", "labs", "programs", "src", "tests"];
    let folders = checkout().into_iter().flat_map(|checkout| of_ours.map(|name| checkout.join(name)));
    folders.filter_map(|folder| fs::canonicalize(folder).ok()).collect()
}

/// Whether a folder is a checkout of this project: it has labs, and a package of this name.
fn is_checkout(folder: &Path) -> bool {
    let is_named = |line: &str| line == concat!("name = \"", env!("CARGO_PKG_NAME"), "\"");
    folder.join("labs/README.md").is_file()
        && fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.lines().any(is_named))
}

//! Finds the labs and the exercises, and has them compiled into the library: adding one touches nothing else.
//!
//! A lab is a folder `labs/NN-name` with a `main.rs`, whose `lab()` describes it, and a `lesson.toml`, which says what
//! its page needs besides. An exercise is a folder `labs/NN-name/exercise` or `exercise-WORD` with a `checks.rs`; all
//! its files are compiled in.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
    let labs = root.join("labs");
    println!("cargo::rerun-if-changed={}", labs.display());
    write("labs.rs", &table_of_labs(&labs));
    write("lessons.rs", &table_of_lessons(&labs));
    write("exercises.rs", &table_of_exercises(&labs));
}

/// A module for each lab, and the list of their functions.
fn table_of_labs(labs: &Path) -> String {
    let mut table = String::from("static ALL: &[Found] = &[\n");
    let mut modules = String::new();
    for lab in entries(labs).into_iter().filter(|lab| lab.join("main.rs").is_file()) {
        let folder = file_name(&lab);
        let module = format!("lab_{}", folder.replace('-', "_"));
        let _ = writeln!(modules, "#[path = {:?}]\nmod {module};", lab.join("main.rs"));
        let _ = writeln!(table, "    Found {{ folder: {folder:?}, lab: {module}::lab }},");
    }
    modules + &table + "];\n"
}

/// The list of the labs that have a `lesson.toml`, with its text.
fn table_of_lessons(labs: &Path) -> String {
    let mut table = String::from("static ALL: &[(&str, &str)] = &[\n");
    for lab in entries(labs) {
        let lesson = lab.join("lesson.toml");
        if lesson.is_file() {
            let _ = writeln!(table, "    ({:?}, include_str!({lesson:?})),", file_name(&lab));
        }
    }
    table + "];\n"
}

/// A module for each exercise's checks, and the list of exercises with their files.
fn table_of_exercises(labs: &Path) -> String {
    let mut table = String::from("static ALL: &[ExerciseFolder] = &[\n");
    let mut modules = String::new();
    for lab in entries(labs) {
        for folder in entries(&lab).into_iter().filter(|folder| folder.join("checks.rs").is_file()) {
            let (lab_name, name) = (file_name(&lab), file_name(&folder));
            let Some(suffix) = name.strip_prefix("exercise") else { continue };
            let number = lab_name.split('-').next().unwrap_or_default().to_owned();
            let module = format!("e{number}{}", suffix.replace('-', "_"));
            let _ = writeln!(modules, "#[path = {:?}]\nmod {module};", folder.join("checks.rs"));
            let _ = writeln!(
                table,
                "    ExerciseFolder {{ id: {:?}, lab: {lab_name:?}, exercise: {module}::exercise, files: &[",
                number + suffix
            );
            for file in files(&folder) {
                let path = file.strip_prefix(&folder).expect("it is in there").display().to_string();
                let _ = writeln!(table, "        ({path:?}, include_bytes!({file:?})),");
            }
            table.push_str("    ] },\n");
        }
    }
    modules + &table + "];\n"
}

/// Writes a file for the library to include.
fn write(name: &str, text: &str) {
    let to = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write")).join(name);
    fs::write(&to, text).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
}

/// What is in a folder, in the order of the names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(found) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = found.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in entries(folder).into_iter().filter(|path| !file_name(path).starts_with(['.', '_'])) {
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

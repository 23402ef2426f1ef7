//! The Python programs of the labs and our roles by hand are twins: any of them can take the other's place, and its
//! user sees what the scene's transcript shows.
//!
//! Each lab with a folder `python/` is played once with every role of its scene in turn in Python, and once with all of
//! them; each time on a private host of its own, where the classic ports are free. The scene is `[python] scene` of
//! `lesson.toml`, the first where there is none. What is typed, who starts when and who is ended when is taken from the
//! scene's own record; nothing is timed (see `stage.rs`).
//!
//! Compared is what each program prints with what its role prints there, line by line. Three things are written as
//! Python writes them, and mean the same: bytes (`b'hello'` for `"hello"`), an address (`('127.0.0.1', 9000)` for
//! `127.0.0.1:9000`), an error (`[Errno 32] Broken pipe` for `Broken pipe (os error 32)`). In which order the messages
//! of several clients reach a server is free here: where that can be seen, clients are started one after the other,
//! each when all others wait.

mod program;
mod script;
mod seen;
mod stage;

use std::path::PathBuf;

use crate::support::{
    Host, Lab, chosen_labs, forgotten_goodbyes, has, has_private_hosts, project, read, side_by_side, skip, skip_here,
};
use program::Language;
use script::Script;

/// Labs whose numbers are other ones by hand, and why: their digits are not compared.
const NUMBERS_DIFFER: [(u64, &str); 4] = [
    (8, "the clock of the stage stands; by hand it goes"),
    (16, "how often the kernel repeats a SYN meanwhile depends on time"),
    (24, "on the wire a segment has 1448 bytes, on one host as many as 65,483"),
    (42, "the two hosts of the wire have other addresses than one host"),
];

#[test]
fn python_programs_and_our_roles_can_take_each_others_place() {
    let test = "python_programs_and_our_roles_can_take_each_others_place";
    if !has("python3") {
        return skip(test, "python3 is not installed");
    }
    if !has_private_hosts() {
        return skip(test, "it takes private hosts");
    }
    let labs: Vec<Lab> = chosen_labs().into_iter().filter(|lab| folder(lab).is_dir()).collect();
    let complaints: Vec<String> = side_by_side(&labs, complaints_about).into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

fn folder(lab: &Lab) -> PathBuf {
    project(&format!("labs/{}/python", lab.folder))
}

fn complaints_about(lab: &Lab) -> Vec<String> {
    let number = scene(lab);
    let script = match script(lab, number) {
        Ok(script) => script,
        Err(complaint) => return vec![format!("lab {:02}, scene {number}, by hand: {complaint}", lab.number)],
    };
    let programs: Vec<Option<PathBuf>> = script.roles.iter().map(|role| program_of(lab, &role.name)).collect();
    let digits = NUMBERS_DIFFER.iter().all(|(differs, _why)| *differs != lab.number);
    let mut complaints = superfluous(lab, &script);
    for chosen in choices(&programs) {
        let cast: Vec<Language> =
            programs.iter().zip(&chosen).map(|(program, chosen)| cast(program, *chosen)).collect();
        let host = Host::open();
        if let Err(complaint) = stage::play(&host, lab, number, &script, &cast, digits) {
            if forgotten_goodbyes(&host.table("netstat")) > 0 {
                skip_here(&lab.folder, "the machine's table of TIME-WAIT is full, net.ipv4.tcp_max_tw_buckets");
                continue;
            }
            let who: Vec<String> = script
                .roles
                .iter()
                .zip(&cast)
                .map(|(role, language)| format!("{} {}", role.name, language.name()))
                .collect();
            complaints.push(format!("lab {:02}, scene {number} ({}): {complaint}", lab.number, who.join(", ")));
        }
    }
    complaints
}

/// What happens in the scene. Where its wire has faults, no program by hand sees what the scene shows: it is to see
/// what our roles by hand do.
fn script(lab: &Lab, number: u32) -> Result<Script, String> {
    let script = Script::of(&lab.shown_events(&["--scene", &number.to_string()]));
    if !script.has_faults {
        return Ok(script);
    }
    let nothing = script.roles.iter().map(|_| String::new()).collect();
    let script = script.with_words(nothing);
    let sees = stage::watch(&Host::open(), lab, number, &script)?;
    Ok(script.with_words(sees))
}

/// The scene that the Python programs are.
fn scene(lab: &Lab) -> u32 {
    let file = format!("labs/{}/lesson.toml", lab.folder);
    if !project(&file).exists() {
        return 1;
    }
    let lesson: toml::Table = read(&file).parse().expect("TOML");
    let python = lesson.get("python").and_then(toml::Value::as_table);
    let scene = python.and_then(|python| python.get("scene")).and_then(toml::Value::as_integer);
    scene.map_or(1, |scene| u32::try_from(scene).expect("a scene"))
}

/// The Python program of a role: one of its name, or one that several roles have in common: `client.py` for
/// `second-client`.
fn program_of(lab: &Lab, role: &str) -> Option<PathBuf> {
    let common = role.rsplit('-').next().unwrap_or(role);
    let mut files = [role, common].into_iter().map(|name| folder(lab).join(format!("{name}.py")));
    files.find(|file| file.exists())
}

/// Which roles are played in Python: each by itself, and all together.
fn choices(programs: &[Option<PathBuf>]) -> Vec<Vec<bool>> {
    let all: Vec<bool> = programs.iter().map(Option::is_some).collect();
    let alone = |one: usize| (0..all.len()).map(|other| other == one).collect::<Vec<bool>>();
    let mut choices: Vec<Vec<bool>> = (0..all.len()).filter(|one| all[*one]).map(alone).collect();
    if !choices.contains(&all) {
        choices.push(all);
    }
    choices
}

fn cast(program: &Option<PathBuf>, chosen: bool) -> Language {
    match program {
        Some(file) if chosen => Language::Python(file.clone()),
        _ => Language::Ours,
    }
}

/// Programs that no role of the scene has.
fn superfluous(lab: &Lab, script: &Script) -> Vec<String> {
    let files = std::fs::read_dir(folder(lab)).expect("a folder").map(|entry| entry.expect("an entry").path());
    let played: Vec<PathBuf> = script.roles.iter().filter_map(|role| program_of(lab, &role.name)).collect();
    let strange = files.filter(|file| file.extension().is_some_and(|is| is == "py") && !played.contains(file));
    strange.map(|file| format!("{}: no role of the scene is called so", file.display())).collect()
}

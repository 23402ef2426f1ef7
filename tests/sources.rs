//! The old texts' claims and programs, `docs/sources.toml`: nothing is missing, and what it says of labs is so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::support::{Lab, labs, played_here, read};

/// All of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    pub labs_to_come: BTreeMap<String, String>,
    #[serde(rename = "claim")]
    pub claims: Vec<SourceClaim>,
    #[serde(rename = "program")]
    pub programs: Vec<SourceProgram>,
    #[serde(rename = "mistake")]
    pub mistakes: Vec<SourceMistake>,
}

/// A claim of an old text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceClaim {
    pub id: String,
    /// Where it stands there.
    pub place: String,
    /// The sentence, if no lab has it.
    pub says: Option<String>,
    /// The lab to come that will judge it.
    pub lab: Option<u64>,
    /// The claim that says the same.
    pub same_as: Option<String>,
    /// Why no run can judge it.
    pub why: Option<String>,
}

/// A program of an old text, or two that belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceProgram {
    pub id: String,
    pub what: String,
    pub parts: Vec<String>,
    pub lab: Option<u64>,
    /// The scene of that lab, if the lab is there.
    pub scene: Option<u64>,
    /// Why it is in no lab.
    pub why: Option<String>,
}

/// A mistake in programs of the old texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceMistake {
    pub id: String,
    /// The programs that make it.
    pub who: String,
    pub what: String,
    /// The lab that shows what comes of it, or will.
    pub lab: Option<u64>,
    /// The scene of that lab, if the lab is there.
    pub scene: Option<u64>,
    /// Lab and scene of its cure.
    pub cure: Option<(u64, u64)>,
    /// Why there is no scene of it, or none of a cure.
    pub why: Option<String>,
}

pub fn sources() -> Sources {
    toml::from_str(&read("docs/sources.toml")).unwrap_or_else(|error| panic!("docs/sources.toml: {error}"))
}

/// The sources that the claims of a lab name, as its snapshot has them.
fn judged_by(lab: &Lab) -> BTreeSet<String> {
    let recorded = read(&format!("tests/snapshots/{}.claims.snap", lab.folder));
    let in_brackets = recorded.lines().filter_map(|line| line.split_once("  (")?.1.split([')', ',']).next());
    in_brackets.filter(|source| source.starts_with('S')).map(str::to_owned).collect()
}

/// Whether numbers go on from one to the next in each document: `S0-C01`, `S0-C02` …, beginning with `first`.
#[track_caller]
fn are_contiguous<'a>(ids: impl Iterator<Item = &'a str>, kind: char, first: u32) {
    let mut last: BTreeMap<&str, u32> = BTreeMap::new();
    for id in ids {
        let (text, number) = id.split_once('-').unwrap_or_else(|| panic!("{id}"));
        let number: u32 = number.strip_prefix(kind).and_then(|digits| digits.parse().ok()).expect(id);
        let expected = last.get(text).map_or(first, |last| last + 1);
        // The last text has no program of number 0.
        assert!(
            number == expected || (kind == 'D' && text == "S4" && number == 1),
            "{id} does not follow the one before"
        );
        last.insert(text, number);
    }
    assert_eq!(last.keys().copied().collect::<Vec<_>>(), ["S0", "S1", "S2", "S3", "S4"]);
}

#[test]
fn no_claim_and_no_program_of_the_texts_is_missing() {
    let sources = sources();
    are_contiguous(sources.claims.iter().map(|claim| claim.id.as_str()), 'C', 1);
    are_contiguous(sources.programs.iter().map(|program| program.id.as_str()), 'D', 0);
    let count = |text: &str| sources.claims.iter().filter(|claim| claim.id.starts_with(text)).count();
    assert_eq!(["S0", "S1", "S2", "S3", "S4"].map(count), [34, 22, 20, 15, 11]);
    assert_eq!(sources.programs.iter().map(|program| program.parts.len()).sum::<usize>(), 71);
}

#[test]
fn each_claim_is_judged_by_a_lab_or_says_where_it_will_be_or_why_not() {
    let sources = sources();
    let judged: BTreeSet<String> = labs().iter().flat_map(judged_by).collect();
    let known: BTreeSet<&str> = sources.claims.iter().map(|claim| claim.id.as_str()).collect();
    let programs: BTreeSet<&str> = sources.programs.iter().map(|program| program.id.as_str()).collect();
    for id in &judged {
        let is_there = known.contains(id.as_str()) || programs.contains(id.as_str());
        assert!(is_there, "a lab judges {id}, which docs/sources.toml does not have");
    }
    for claim in &sources.claims {
        let id = &claim.id;
        assert!(!claim.place.is_empty(), "{id}: where does it stand?");
        let elsewhere = [claim.lab.is_some(), claim.same_as.is_some(), claim.why.is_some()];
        let elsewhere = elsewhere.into_iter().filter(|is| *is).count();
        if judged.contains(id) {
            assert!(
                claim.says.is_none() && elsewhere == 0,
                "{id} is judged by a lab: docs/sources.toml says no more of it"
            );
            continue;
        }
        assert!(
            claim.says.is_some() && elsewhere == 1,
            "no lab judges {id}: docs/sources.toml has to say what, and why"
        );
        let same = claim.same_as.as_ref();
        assert!(same.is_none_or(|same| judged.contains(same) || known.contains(same.as_str())), "{id}: {same:?}");
        assert!(claim.lab.is_none_or(|lab| is_to_come(&sources, lab)), "{id}: is lab {:?} to come?", claim.lab);
    }
}

#[test]
fn two_labs_that_judge_the_same_sentence_come_to_the_same_verdict() {
    let mut verdicts: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for lab in played_here("two_labs_that_judge_the_same_sentence_come_to_the_same_verdict") {
        for line in lab.shows(&["--claims", "--json"]).lines() {
            let claim: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let field = |name: &str| claim[name].as_str().expect(name).to_owned();
            if field("source") != "ours" && field("verdict") != "not observable here" {
                verdicts.entry((field("source"), field("says"))).or_default().insert(field("verdict"));
            }
        }
    }
    verdicts.retain(|_, verdicts| verdicts.len() > 1);
    assert!(verdicts.is_empty(), "{verdicts:#?}");
}

#[test]
fn each_program_is_in_a_scene_that_there_is_or_in_a_lab_to_come() {
    let (sources, labs) = (sources(), labs());
    for (number, name) in &sources.labs_to_come {
        let number: u64 = number.parse().expect(number);
        assert!(!labs.iter().any(|lab| lab.number == number), "lab {number} {name} is there");
    }
    for program in &sources.programs {
        let id = &program.id;
        let there = labs.iter().find(|lab| Some(lab.number) == program.lab);
        match (there, program.lab, program.scene, &program.why) {
            (Some(lab), _, Some(scene), None) => {
                assert!(has_scene(lab, scene), "{id}: lab {} has no scene {scene}", lab.number);
            }
            (None, Some(lab), None, None) => assert!(is_to_come(&sources, lab), "{id}: there is no lab {lab} to come"),
            (None, None, None, Some(why)) => assert!(!why.is_empty(), "{id}"),
            _ => panic!("{id}: a lab that there is and its scene, or a lab to come, or why not"),
        }
    }
}

#[test]
fn each_mistake_of_the_texts_programs_has_its_scene_and_its_cure_or_says_why_not() {
    let (sources, labs) = (sources(), labs());
    let there = |number: u64, scene: u64| labs.iter().any(|lab| lab.number == number && has_scene(lab, scene));
    for (mistake, number) in sources.mistakes.iter().zip(1..) {
        let SourceMistake { id, who, what, lab, scene, cure, why } = mistake;
        assert_eq!(*id, format!("B{number:02}"));
        assert!(!who.is_empty() && !what.is_empty(), "{id}");
        match (lab, scene) {
            (Some(lab), Some(scene)) => {
                assert!(there(*lab, *scene), "{id}: there is no scene {scene} of lab {lab}");
                assert!(cure.is_some() || why.is_some(), "{id}: what is its cure?");
            }
            (Some(lab), None) => assert!(is_to_come(&sources, *lab), "{id}: which scene of lab {lab}?"),
            (None, _) => assert!(why.is_some(), "{id}: a lab, or why not"),
        }
        assert!(cure.is_none_or(|(lab, scene)| there(lab, scene)), "{id}: there is no {cure:?}");
    }
    assert_eq!(sources.mistakes.len(), 40);
}

/// Whether a lab's recorded transcript has this scene.
fn has_scene(lab: &Lab, scene: u64) -> bool {
    read(&format!("tests/snapshots/{}.transcript.snap", lab.folder)).contains(&format!("\n── {scene}. "))
}

fn is_to_come(sources: &Sources, lab: u64) -> bool {
    sources.labs_to_come.contains_key(&lab.to_string())
}

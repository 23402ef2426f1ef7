//! Every claim can fail: for some other report of the kernel its check comes to the opposite verdict.
//!
//! `lab NN --claims --prove` mutates the trace in the process that played the lab, and says what turned each verdict.

use serde_json::Value as Json;

use crate::support::{played_here, side_by_side};

/// Labs whose claims have not been proved yet.
const UNPROVED: &[u64] = &[];

/// What is wrong with the proof of a claim, if anything is.
fn fault(proof: &Json) -> Option<&'static str> {
    let is_seen = proof["verdict"] != "not observable here";
    if is_seen && proof["turned_by"].is_null() {
        return Some("no report of the kernel gives the opposite verdict");
    }
    if proof["about_programs"] == false && !proof["turned_by_program"].is_null() {
        return Some("what the program alone does otherwise gives the opposite verdict");
    }
    (proof["of_nothing"] != "not observable here").then_some("an empty trace has a verdict")
}

#[test]
fn every_claim_can_come_out_the_other_way() {
    let faults = side_by_side(&played_here("every_claim_can_come_out_the_other_way"), |lab| {
        let mut faults = Vec::new();
        let proofs = lab.shows(&["--claims", "--prove", "--json"]);
        for proof in proofs.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON")) {
            if let Some(fault) = fault(&proof) {
                let how = proof["turned_by_program"].as_str().unwrap_or_default();
                faults.push(format!("{} {} {}: {fault} {how}", lab.folder, proof["source"], proof["says"]));
            }
        }
        match (faults.is_empty(), UNPROVED.contains(&lab.number)) {
            (true, true) => vec![format!("{}: all claims are proved: take it off the list", lab.folder)],
            (false, true) => Vec::new(),
            (_, false) => faults,
        }
    });
    let faults = faults.concat();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_claim_that_nothing_turns_is_a_fault_and_so_is_one_that_an_empty_trace_decides() {
    let proof = |turned: Json, by_program: Json, programs: bool, nothing: &str| {
        serde_json::json!({ "verdict": "confirmed", "turned_by": turned, "turned_by_program": by_program,
            "about_programs": programs, "of_nothing": nothing })
    };
    let unseen = "not observable here";
    assert_eq!(fault(&proof("x".into(), Json::Null, false, unseen)), None);
    assert_eq!(fault(&proof("x".into(), "y".into(), true, unseen)), None);
    assert!(fault(&proof(Json::Null, Json::Null, false, unseen)).is_some());
    assert!(fault(&proof("x".into(), "y".into(), false, unseen)).is_some());
    assert!(fault(&proof("x".into(), Json::Null, false, "confirmed")).is_some());
}

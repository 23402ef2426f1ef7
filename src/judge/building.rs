//! The time that a build takes: it is a part of its attempt's.

use std::time::Duration;

use super::budget::{Budget, Clock, Cost, MAX_BUILD, MAX_CLOCK, Standing};
use super::failure::Done;
use super::snapshot::how_it_ended;
use super::waiting::too_busy;
use crate::sandbox::Sandbox;

/// The time between two looks at a build.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A build that is over.
#[derive(Clone, Debug)]
pub struct Building {
    /// What it has cost.
    pub cost: Cost,
    /// The limit that it met, in words.
    pub over: Option<String>,
}

/// Waits until the program that was started in a sandbox has ended, or has used up the time of a build: then it is
/// killed.
///
/// # Errors
/// What went wrong with the sandbox, or that the machine was busy with something else for too long.
pub fn watch(sandbox: &mut Sandbox) -> Done<Building> {
    let budget = Budget::after(Cost::default());
    let clock = Clock::start(&budget, MAX_BUILD);
    let mut over = None;
    while sandbox.ended().is_none() && over.is_none() {
        sandbox.wait(&mut [], LOOK_EVERY)?;
        if clock.age() < LOOK_EVERY {
            continue;
        }
        over = match clock.look(sandbox)?.standing {
            Standing::Within => None,
            Standing::CheckOver | Standing::AttemptOver => {
                Some(format!("the {} s of time that a build has are over", MAX_BUILD.as_secs()))
            }
            Standing::MachineOver => return Err(too_busy(MAX_CLOCK)),
        };
    }
    if let Some(ending) = sandbox.ended().filter(|ending| ending.limit.is_some()) {
        over = over.or_else(|| Some(format!("the build {}", how_it_ended(ending))));
    }
    let remains = sandbox.kill_program()?;
    clock.finish(remains.cpu);
    Ok(Building { cost: budget.cost(), over })
}

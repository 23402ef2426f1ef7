//! What protects the machine from a program, and what does not.

use std::fmt;
use std::path::Path;
use std::sync::OnceLock;

use super::config::{Layer, Layers, SandboxConfig};
use super::message::Note;
use super::{Fault, Sandbox};

/// What holds around a program.
#[derive(Clone, Debug)]
pub struct Protection {
    /// 0 to 3.
    pub tier: u8,
    /// The walls that are up.
    pub layers: Layers,
    /// Those that are not, and why.
    pub missing: Vec<Missing>,
    /// What holds less than it might, or how it holds.
    pub notes: Vec<Missing>,
    /// Why it could not be found out what holds here: not for want of a wall, and so it may be another time.
    pub fault: Option<Fault>,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The wall.
    pub layer: Layer,
    /// Why it is missing, or holds less.
    pub why: String,
}

impl Protection {
    /// The tier in a word.
    pub fn name(&self) -> &'static str {
        ["supervised", "fenced", "isolated", "sealed"][usize::from(self.tier.min(3))]
    }

    /// The tier, and the walls that are not up: `tier 2 (isolated), without cgroup`.
    pub fn told(&self) -> String {
        let missing: Vec<String> = self.missing.iter().map(|missing| missing.layer.to_string()).collect();
        if missing.is_empty() { self.to_string() } else { format!("{self}, without {}", missing.join(", ")) }
    }

    pub(super) fn of(layers: Layers, notes: Vec<Note>, why_not: impl Fn(Layer) -> String) -> Protection {
        let notes: Vec<_> = notes.into_iter().map(|note| Missing { layer: note.layer, why: note.why }).collect();
        let missing = Layer::ALL.into_iter().filter(|layer| !layers.has(*layer));
        let missing = missing.map(|layer| Missing { layer, why: why_not(layer) }).collect();
        let landlock_is_whole = layers.has(Layer::Landlock) && !notes.iter().any(|note| note.layer == Layer::Landlock);
        Protection { tier: tier(layers, landlock_is_whole), layers, missing, notes, fault: None }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tier {} ({})", self.tier, self.name())
    }
}

fn tier(layers: Layers, landlock_is_whole: bool) -> u8 {
    use Layer::{Cgroup, Files, Ipc, Limits, Network, Processes, Seccomp, User};
    let all = |wanted: &[Layer]| wanted.iter().all(|layer| layers.has(*layer));
    if all(&[User, Network, Processes, Files, Ipc, Seccomp, Limits]) {
        if layers.has(Cgroup) { 3 } else { 2 }
    } else if landlock_is_whole && all(&[Seccomp, Limits]) {
        1
    } else {
        0
    }
}

/// What this machine can do, found out by doing it once: used by `socklab doctor`, and before sandboxes are configured.
pub fn tier_of_this_machine() -> Protection {
    probed(&SandboxConfig::default().keeper).clone()
}

impl Layers {
    /// The walls that can be put up here, found out by doing it once. `keeper` is as in [`SandboxConfig`].
    pub fn here(keeper: &Path) -> Layers {
        probed(keeper).layers
    }
}

static PROBED: OnceLock<Protection> = OnceLock::new();

fn probed(keeper: &Path) -> &'static Protection {
    PROBED.get_or_init(|| probe(keeper))
}

/// Why a wall is not up: what was found out here, or else that it was not asked for.
pub(super) fn why_not(layer: Layer) -> String {
    let known = PROBED.get().and_then(|here| here.missing.iter().find(|missing| missing.layer == layer));
    known.map_or_else(|| "not asked for".to_owned(), |missing| missing.why.clone())
}

/// Asks for everything, and for less and less of it.
pub(super) fn probe(keeper: &Path) -> Protection {
    let mut layers = Layers::ALL;
    let mut missing: Vec<Missing> = Vec::new();
    loop {
        let config = SandboxConfig { layers, keeper: keeper.to_owned(), ..SandboxConfig::default() };
        let fault = match try_out(&config) {
            Ok(mut protection) => {
                for one in &mut protection.missing {
                    if let Some(known) = missing.iter().find(|known| known.layer == one.layer) {
                        one.why.clone_from(&known.why);
                    }
                }
                return protection;
            }
            Err(fault) => fault,
        };
        // What fails for another reason than that it is not to be had may succeed at once.
        let Some(layer) = fault.layer.filter(|layer| fault.is_lack() && layers.has(*layer)) else {
            return try_out(&config).unwrap_or_else(|fault| Protection {
                tier: 0,
                layers: Layers::NONE,
                missing: Layer::ALL.into_iter().map(|layer| Missing { layer, why: fault.to_string() }).collect(),
                notes: Vec::new(),
                fault: Some(fault),
            });
        };
        for lost in lost_with(layer, layers) {
            layers = layers.without(lost);
            missing.push(Missing { layer: lost, why: format!("{}: {}", fault.step, fault.why) });
        }
    }
}

fn try_out(config: &SandboxConfig) -> Result<Protection, Fault> {
    let mut sandbox = Sandbox::open(config)?;
    let protection = sandbox.protection().clone();
    let program = super::Program { argv: vec!["/bin/true".into()], env: Vec::new(), input: super::Input::Nothing };
    sandbox.start(&program)?;
    sandbox.close()?;
    Ok(protection)
}

/// What cannot be had, either. Without a user namespace an ordinary user may have none of the others; root may still
/// give the program another user id, without any namespace.
fn lost_with(layer: Layer, layers: Layers) -> Vec<Layer> {
    use Layer::{Files, Ipc, Names, Network, Processes, User};
    let namespaces = [Network, Processes, Files, Ipc, Names].into_iter().filter(|one| layers.has(*one));
    let lost: Vec<Layer> = if layer == User { namespaces.collect() } else { Vec::new() };
    if lost.is_empty() { vec![layer] } else { lost }
}

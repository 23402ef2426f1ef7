//! What a sandbox is asked for.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::SharedGroup;
use super::archive::Archive;
use super::own;

/// What is to hold around a program, and what it finds there.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The walls. One that cannot be put up is a [`Fault`](super::Fault): ask for what
    /// [`Layers::here`](super::Layers::here) says.
    pub layers: Layers,
    /// How much of everything the program may have.
    pub limits: Limits,
    /// Files that are laid into the scratch folder `/box`, the program's current folder.
    pub archive: Archive,
    /// Folders and files outside `/usr` that are shown read-only at the same path, a toolchain for example.
    pub visible: Vec<PathBuf>,
    /// Folders and files that are not shown, also where something that is shown contains them. By default they are what
    /// is known to be the judge's own.
    pub hidden: Vec<PathBuf>,
    /// The port that the exercise calls its own.
    pub port: u16,
    /// Whether it may be another one where the host is not private: one that nobody else has.
    pub may_borrow_port: bool,
    /// Whether the packets of its host are to be heard: see [`Sandbox::packets`](super::Sandbox::packets).
    pub capture: bool,
    /// What sandboxes that are open at once may have together; it takes the cgroup layer. `None`: this one has a group
    /// of its own.
    pub shared: Option<SharedGroup>,
    /// The program whose `main` calls [`keeper`](super::keeper) first: this one, where nothing else is said.
    pub keeper: PathBuf,
}

impl Default for SandboxConfig {
    fn default() -> SandboxConfig {
        SandboxConfig {
            layers: Layers::USUAL,
            limits: Limits::default(),
            archive: Archive::default(),
            visible: Vec::new(),
            hidden: own::own_files().to_vec(),
            port: 9000,
            may_borrow_port: true,
            capture: false,
            shared: None,
            keeper: PathBuf::from("/proc/self/exe"),
        }
    }
}

/// One wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// A user of its own: a user namespace, or for root another user id.
    User,
    /// A network namespace: its own loopback and ports, and no way out.
    Network,
    /// A process namespace: it sees no other processes, and all that it started ends with it.
    Processes,
    /// A file system of its own, read-only but for `/box`, `/tmp` and `/dev/shm`.
    Files,
    /// Its own System V shared memory and message queues.
    Ipc,
    /// Its own host name, and control groups of which it sees no name from outside.
    Names,
    /// A second wall around files and signals, `landlock(7)`.
    Landlock,
    /// System calls that it has no business with are refused, `seccomp(2)`.
    Seccomp,
    /// Limits of each process, `setrlimit(2)`, and a watch over the sockets of a private host.
    Limits,
    /// A limit on the memory of all its processes together, `cgroups(7)`.
    Cgroup,
}

impl Layer {
    /// All of them, outermost first.
    pub const ALL: [Layer; 10] = [
        Layer::User,
        Layer::Network,
        Layer::Processes,
        Layer::Files,
        Layer::Ipc,
        Layer::Names,
        Layer::Landlock,
        Layer::Seccomp,
        Layer::Limits,
        Layer::Cgroup,
    ];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Layer::User => "user",
            Layer::Network => "network",
            Layer::Processes => "processes",
            Layer::Files => "files",
            Layer::Ipc => "ipc",
            Layer::Names => "names",
            Layer::Landlock => "landlock",
            Layer::Seccomp => "seccomp",
            Layer::Limits => "limits",
            Layer::Cgroup => "cgroup",
        }
    }

    /// The layer of this name.
    pub fn of_name(name: &str) -> Option<Layer> {
        Layer::ALL.into_iter().find(|layer| layer.name() == name)
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of walls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layers(u16);

impl Layers {
    /// No wall at all.
    pub const NONE: Layers = Layers(0);
    /// Every wall there is.
    pub const ALL: Layers = Layers((1 << Layer::ALL.len()) - 1);
    /// What tier 2 takes: all but a control group.
    pub const USUAL: Layers = Layers::ALL.without(Layer::Cgroup);

    /// Whether this wall is one of them.
    pub const fn has(self, layer: Layer) -> bool {
        self.0 & Layers::bit(layer) != 0
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, layer: Layer) -> Layers {
        Layers(self.0 | Layers::bit(layer))
    }

    /// These but for one.
    #[must_use]
    pub const fn without(self, layer: Layer) -> Layers {
        Layers(self.0 & !Layers::bit(layer))
    }

    /// One after the other, in the order of [`Layer::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Layer> {
        Layer::ALL.into_iter().filter(move |layer| self.has(*layer))
    }

    const fn bit(layer: Layer) -> u16 {
        1 << layer as u16
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// How much of everything a program may have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// From its start to its end.
    pub wall: Duration,
    /// CPU time of each process; the kernel counts whole seconds.
    pub cpu: Duration,
    /// Data of each process (`RLIMIT_DATA`), in MiB; `None` for programs built with a sanitizer.
    pub data_mib: Option<u64>,
    /// Memory of all processes and of their files in memory together, in MiB; it takes the cgroup layer. Version 2 of
    /// control groups counts what sockets hold, too.
    pub memory_mib: u64,
    /// What the sockets of its host may hold in the kernel's memory, in MiB: it is ended when they hold more. Without a
    /// private host they are not counted.
    pub socket_mib: u64,
    /// Sockets on its host, ours among them: it is ended when there are more.
    pub sockets: u64,
    /// Processes and threads at one time, those that have ended and were not waited for among them. The same on every
    /// machine: a program's grade must not depend on it.
    pub processes: u64,
    /// The machine's processors of which it may use any. Runtimes start threads for each one that they see.
    pub processors: usize,
    /// Open descriptors of each process.
    pub files: u64,
    /// The largest file, in MiB.
    pub file_mib: u64,
    /// All files in `/box` together, beyond what the archive brought, in MiB.
    pub scratch_mib: u64,
    /// The most files in `/box`.
    pub scratch_files: u64,
    /// Output on which the program is killed, in MiB.
    pub output_mib: u64,
}

impl Default for Limits {
    /// Any language's server starts under these.
    fn default() -> Limits {
        Limits {
            wall: Duration::from_secs(30),
            cpu: Duration::from_secs(10),
            data_mib: Some(512),
            memory_mib: Limits::MEMORY_MIB,
            socket_mib: 64,
            sockets: 2048,
            processes: Limits::PROCESSES,
            processors: Limits::PROCESSORS,
            files: 256,
            file_mib: 16,
            scratch_mib: 64,
            scratch_files: 4096,
            output_mib: 64,
        }
    }
}

impl Limits {
    /// What a sandbox takes besides its program, in MiB: its init, and the kernel's own for both.
    pub const BESIDES_MIB: u64 = 32;

    /// How many processes and threads a program may have at one time.
    pub const PROCESSES: u64 = 80;

    /// How many of the machine's processors a program may use.
    pub const PROCESSORS: usize = 4;

    /// What a program may have in memory, in MiB.
    pub const MEMORY_MIB: u64 = 512;

    /// What all sandboxes of one attempt may have together, in MiB: more than a build may have, and more than the
    /// checks that are under way at once may.
    pub const ATTEMPT_MIB: u64 = 5 << 10;

    /// What a build may have: compilers are large, and so is what they write.
    pub fn for_build() -> Limits {
        let usual = Limits::default();
        Limits {
            wall: Duration::from_secs(120),
            cpu: Duration::from_secs(120),
            data_mib: Some(4096),
            memory_mib: 4096,
            processes: 4 * usual.processes,
            processors: usize::MAX,
            files: 1024,
            file_mib: 256,
            scratch_mib: 1024,
            scratch_files: 65_536,
            ..usual
        }
    }
}

/// A program to be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// `argv[0]` is a path, as [`resolve`](super::resolve) gives it.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// What it finds on its standard input.
    pub input: Input,
}

/// What a program finds on its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// `/dev/null`.
    #[default]
    Nothing,
    /// A pipe with these bytes, and then its end.
    Lines(Vec<u8>),
}

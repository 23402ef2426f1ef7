//! One scene of a lab: its roles, what a demo shows of it, and how it is meant to end.

use super::Role;
use crate::stage::Watch;

/// A part of a lab: roles that start anew, on a host of their own.
pub struct Scene {
    pub(super) title: &'static str,
    pub(super) roles: Vec<RoleSpec>,
    pub(super) watch: Watch,
    pub(super) ends_waiting: bool,
    pub(super) loops_forever: bool,
    /// Whether its transcript leaves out rounds that are like those before.
    pub(super) collapses_repeats: bool,
    /// What a wire does to its frames, line by line.
    pub(super) faults: &'static [&'static str],
    /// Whether its hosts have to ask for each other's hardware address.
    pub(super) needs_arp: bool,
    pub(super) one_host: bool,
    /// Whether its roles share a folder.
    pub(super) one_folder: bool,
    /// Whether it is played without the baton only.
    pub(super) by_chance: bool,
    /// Whether its roles make processes or threads.
    pub(super) has_children: bool,
    /// The time of day that its roles' clocks show, if it is not the machine's.
    pub(super) clock: Option<&'static str>,
    /// What its host has otherwise than other hosts of a stage.
    pub(super) settings: Vec<(&'static str, &'static str)>,
}

/// A role and what it needs.
pub(super) struct RoleSpec {
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) lines: Vec<&'static str>,
    /// Whether its user takes longer to type than anybody else to act.
    pub(super) slow: bool,
    pub(super) runs_commands: bool,
    /// What words it takes by hand, for help.
    pub(super) words: Option<&'static str>,
    /// Commands of the scene that nobody types as they are.
    pub(super) more_commands: Vec<String>,
    /// Whether the scene means it to be killed.
    pub(super) dies: bool,
    /// Whether it has a folder of its own.
    pub(super) has_folder: bool,
}

impl Scene {
    /// A scene with a title.
    pub fn new(title: &'static str) -> Scene {
        Scene {
            title,
            roles: Vec::new(),
            watch: Watch::default(),
            ends_waiting: false,
            loops_forever: false,
            collapses_repeats: false,
            faults: &[],
            needs_arp: false,
            one_host: false,
            one_folder: false,
            by_chance: false,
            has_children: false,
            clock: None,
            settings: Vec::new(),
        }
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, name: &'static str, role: Role) -> Scene {
        let (lines, more_commands) = (Vec::new(), Vec::new());
        self.roles.push(RoleSpec {
            name,
            role,
            lines,
            slow: false,
            runs_commands: false,
            words: None,
            more_commands,
            dies: false,
            has_folder: false,
        });
        self
    }

    /// Adds the role `server`.
    #[must_use]
    pub fn server(self, role: Role) -> Scene {
        self.role("server", role)
    }

    /// Adds the role `client`.
    #[must_use]
    pub fn client(self, role: Role) -> Scene {
        self.role("client", role)
    }

    /// What the user of the role that was added last types in a demo, before the input ends.
    #[must_use]
    pub fn typed(mut self, lines: &[&'static str]) -> Scene {
        self.last().lines = lines.to_vec();
        self
    }

    /// The same by a person who takes longer to type than anybody else to act: at a prompt, all others go first.
    #[must_use]
    pub fn typed_slowly(mut self, lines: &[&'static str]) -> Scene {
        self.last().slow = true;
        self.typed(lines)
    }

    /// The scene means the role that was added last to be killed.
    #[must_use]
    pub fn killed(mut self) -> Scene {
        self.last().dies = true;
        self
    }

    /// The role that was added last executes commands that come over the network: by hand it must be allowed to, and in
    /// a demo it executes those that somebody types in this scene.
    #[must_use]
    pub fn runs_commands(mut self) -> Scene {
        self.last().runs_commands = true;
        self
    }

    /// The same, and these commands too: what reaches a server need not be what anybody typed, since requests stick
    /// together and are cut.
    #[must_use]
    pub fn runs_also<S: Into<String>>(mut self, commands: impl IntoIterator<Item = S>) -> Scene {
        self.last().more_commands.extend(commands.into_iter().map(Into::into));
        self.runs_commands()
    }

    /// In a demo the role that was added last runs in a folder of its own, which is new and empty, and goes with the
    /// demo: `own_folder` opens it.
    #[must_use]
    pub fn with_folder(mut self) -> Scene {
        self.last().has_folder = true;
        self
    }

    /// By hand, the role that was added last takes words behind its name, which [`words`](super::words()) gives it, and
    /// its prompt remembers what was typed. `help` says which words.
    #[must_use]
    pub fn takes_words(mut self, help: &'static str) -> Scene {
        self.last().words = Some(help);
        self
    }

    /// Shows how many bytes wait in each receive queue.
    #[must_use]
    pub fn show_receive_queues(mut self) -> Scene {
        self.watch.receive_queues = true;
        self
    }

    /// Shows how many bytes are sent and not acknowledged, and waits as [`acknowledged`](Scene::acknowledged) does.
    #[must_use]
    pub fn show_send_queues(mut self) -> Scene {
        self.watch.send_queues = true;
        self.acknowledged()
    }

    /// On one host, what was sent is acknowledged before the scene goes on, however long the kernel delays that.
    #[must_use]
    pub fn acknowledged(mut self) -> Scene {
        self.watch.acknowledged = true;
        self
    }

    /// Shows the states of TCP connections.
    #[must_use]
    pub fn show_states(mut self) -> Scene {
        self.watch.states = true;
        self
    }

    /// Shows the states of TCP connections also between two frames, and after their sockets have been closed: until
    /// nothing is left of them.
    #[must_use]
    pub fn show_all_states(mut self) -> Scene {
        self.watch.states = true;
        self.watch.all_states = true;
        self
    }

    /// Shows how many connections wait for `accept`.
    #[must_use]
    pub fn show_accept_queues(mut self) -> Scene {
        self.watch.accept_queues = true;
        self
    }

    /// Shows, on a wire, which options the first segments of a connection carry.
    #[must_use]
    pub fn show_options(mut self) -> Scene {
        self.watch.options = true;
        self
    }

    /// Shows, on a wire, how much more these roles can take, in each of their segments. Where a role has not set its
    /// receive buffer, that depends on the machine.
    #[must_use]
    pub fn show_windows_of(mut self, roles: &'static [&'static str]) -> Scene {
        self.watch.windows_of = roles;
        self
    }

    /// The scene is about one host: on a wire it would not be the same at every run, and is left out.
    #[must_use]
    pub fn without_a_wire(mut self) -> Scene {
        self.one_host = true;
        self
    }

    /// In a demo all roles run in one folder, which is new and empty, and goes with the demo, but for those that have
    /// one of their own. By hand they run where their users are, who have to be in one folder, too.
    #[must_use]
    pub fn in_one_folder(mut self) -> Scene {
        self.one_folder = true;
        self
    }

    /// What comes of the scene is left to chance: it is played without the baton only (`--repeat`, `--free`), and no
    /// record has it. There, `at_full_speed` may hold calls that wait.
    #[must_use]
    pub fn by_chance(mut self) -> Scene {
        self.by_chance = true;
        self
    }

    /// Roles of the scene make processes or threads: a transcript has room for their names, as `server/1`.
    #[must_use]
    pub fn with_children(mut self) -> Scene {
        self.has_children = true;
        self
    }

    /// Shows the frames with these numbers byte by byte.
    #[must_use]
    pub fn show_bytes_of(mut self, frames: &'static [u32]) -> Scene {
        self.watch.bytes_of = frames;
        self
    }

    /// The scene is meant to end with roles that wait for ever.
    #[must_use]
    pub fn ends_waiting(mut self) -> Scene {
        self.ends_waiting = true;
        self
    }

    /// A role of the scene is meant to do the same for ever, and never wait: it is left when that is clear.
    #[must_use]
    pub fn ends_going_round(mut self) -> Scene {
        self.loops_forever = true;
        self
    }

    /// Roles do the same very often: a transcript shows the first three rounds and the last, and says how many there
    /// are between. `--json` and `--step` show them all.
    #[must_use]
    pub fn collapse_repeats(mut self) -> Scene {
        self.collapses_repeats = true;
        self
    }

    /// What the wire does to frames, where there is one: lines such as `drop client:data:2` or `delay 10ms`, as the
    /// flags have them.
    #[must_use]
    pub fn faults(mut self, script: &'static [&'static str]) -> Scene {
        self.faults = script;
        self
    }

    /// On a wire, neither host knows the other one's hardware address: it has to ask, by ARP.
    #[must_use]
    pub fn hosts_need_arp(mut self) -> Scene {
        self.needs_arp = true;
        self
    }

    /// In a demo it is always this time of day, in UTC: `2026-11-21 02:01:06`. The transcript says so.
    #[must_use]
    pub fn clock_stands_at(mut self, time: &'static str) -> Scene {
        self.clock = Some(time);
        self
    }

    /// On a private host, a file under `/proc/sys/net` holds this. The transcript says so. The machine's own
    /// loopback stays as it is, and the scene is left out there.
    #[must_use]
    pub fn with_setting(mut self, file: &'static str, value: &'static str) -> Scene {
        self.settings.push((file, value));
        self
    }

    fn last(&mut self) -> &mut RoleSpec {
        self.roles.last_mut().expect("a scene has a role before the role is described")
    }
}

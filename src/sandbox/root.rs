//! A file system of its own: nothing but programs and libraries, read-only, and a few small places in memory to write.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, openat, openat2, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags,
    fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount_change, move_mount, open_tree, unmount,
};

use super::config::Layer;
use super::fault::{Fault, Step};
use super::message::{Note, Plan};
use crate::sys;

/// The scratch folder.
pub const BOX: &str = "/box";

/// A folder in which there is nothing.
const NOTHING: &str = "mnt";

/// What of `/etc` programs need: the rest says who works on this machine and how.
const OF_ETC: [&str; 11] = [
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "protocols",
    "services",
    "ssl/openssl.cnf",
    "timezone",
    "python3",
];

/// What of `/proc` tells of the machine's disks, keys, devices and start, and of no program: it is empty here. The rest
/// of what is no process's own stays: runtimes read how much memory and how many processors there are.
const MASKED: [&str; 12] = [
    "cmdline",
    "diskstats",
    "fs",
    "interrupts",
    "key-users",
    "keys",
    "mdstat",
    "modules",
    "partitions",
    "swaps",
    "sys/kernel/core_pattern",
    "version",
];

/// Attributes of what is shown from outside.
const SHOWN: MountAttrFlags =
    MountAttrFlags::MOUNT_ATTR_RDONLY.union(MountAttrFlags::MOUNT_ATTR_NOSUID).union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// Attributes of places that can be written to.
const WRITABLE: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// A symbolic link of the new root.
struct Link {
    path: String,
    target: String,
}

/// Something that waits for its place in the new root.
struct Shown {
    path: String,
    tree: OwnedFd,
    is_folder: bool,
}

/// The new root, which is there as long as this is open.
pub struct Root(#[expect(dead_code, reason = "it is held, and that is all")] OwnedFd);

/// Gives this process a new root, for good. `owner`, a user and a group, may write to the scratch folder.
///
/// # Errors
/// A fault of [`Layer::Files`]: the step that was refused.
pub fn change(plan: &Plan, owner: (u32, u32)) -> Result<(Root, Vec<Note>), Fault> {
    let at = Layer::Files;
    sys::unshare(libc::CLONE_NEWNS).of(at, "unshare(CLONE_NEWNS)")?;
    // What happens here shall not be seen outside.
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).of(at, "make the mounts private")?;
    // First everything is taken hold of, then laid out: the new root covers a part of the old one.
    let (shown, links) = gather(plan)?;
    let root = memory("4m", "4096", "0755", None).of(at, "make the new root")?;
    let from_fd = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    move_mount(&root, "", CWD, "/tmp", from_fd).of(at, "put the new root at its place")?;
    lay_out(root.as_fd(), plan, owner, &links)?;
    let mut notes = Vec::new();
    if let Err(fault) = show_processes(root.as_fd(), plan) {
        if !proc_is_masked() {
            return Err(fault);
        }
        notes.push(Note { layer: at, why: "no /proc: parts of this machine's are hidden, as in a container".into() });
    }
    for one in shown {
        place(root.as_fd(), &one).of(at, &format!("show {}", one.path))?;
    }
    hide(root.as_fd(), plan)?;
    sys::children::set_mount_attributes(root.as_fd(), MountAttrFlags::MOUNT_ATTR_RDONLY.bits().into(), false)
        .of(at, "make the root read-only")?;
    let whole = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = open_tree(&root, "", whole).of(at, "copy the new root")?;
    leave_the_old_root().of(at, "let go of the old root")?;
    rustix::process::fchdir(&tree).of(at, "enter the new root")?;
    rustix::process::chroot(".").of(at, "chroot")?;
    rustix::process::chdir(BOX).of(at, "enter /box")?;
    Ok((Root(tree), notes))
}

/// Leaves this mount namespace with nothing in it but an empty folder. The new root hangs nowhere: so
/// `/proc/PID/mountinfo`, in which the kernel tells what of a namespace a process can reach and from where of the
/// machine it comes, has no line.
fn leave_the_old_root() -> io::Result<()> {
    let nothing = nothing()?;
    move_mount(&nothing, "", CWD, "/tmp", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    rustix::process::fchdir(&nothing)?;
    rustix::process::pivot_root(".", ".")?;
    Ok(unmount(".", UnmountFlags::DETACH)?)
}

/// What is to be shown from outside, and the symbolic links of the root.
fn gather(plan: &Plan) -> Result<(Vec<Shown>, Vec<Link>), Fault> {
    let (mut shown, mut links) = (Vec::new(), Vec::new());
    let mut take = |path: &str, attributes: MountAttrFlags| -> Result<(), Fault> {
        let step = || format!("take hold of {path}");
        let about = statat(CWD, path, AtFlags::empty()).of(Layer::Files, &step())?;
        let tree = clone(path, attributes).of(Layer::Files, &step())?;
        let is_folder = FileType::from_raw_mode(about.st_mode) == FileType::Directory;
        shown.push(Shown { path: path.to_owned(), tree, is_folder });
        Ok(())
    };
    take("/usr", SHOWN)?;
    for path in ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"] {
        match fs::read_link(path) {
            Ok(target) => links.push(Link { path: path.to_owned(), target: target.to_string_lossy().into_owned() }),
            Err(_) if Path::new(path).is_dir() => take(path, SHOWN)?,
            Err(_) => {}
        }
    }
    for name in OF_ETC {
        let path = format!("/etc/{name}");
        if let Ok(target) = fs::read_link(&path) {
            links.push(Link { path, target: target.to_string_lossy().into_owned() });
        } else if Path::new(&path).exists() {
            take(&path, SHOWN)?;
        }
    }
    for entry in fs::read_dir("/etc").into_iter().flatten().flatten() {
        if let Some(name) = entry.file_name().to_str().filter(|name| name.starts_with("java")) {
            take(&format!("/etc/{name}"), SHOWN)?;
        }
    }
    for device in ["null", "zero", "full", "random", "urandom"] {
        take(&format!("/dev/{device}"), MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC)?;
    }
    let mut visible: Vec<&Path> = plan.visible.iter().map(Path::new).collect();
    visible.sort();
    // What lies below another one is shown with it.
    visible.dedup_by(|below, above| below.starts_with(*above));
    for path in visible {
        let Some(path) = path.to_str() else {
            return Err(Fault::new(format!("show {}", path.display()), "its name is not UTF-8"));
        };
        if Path::new(path).is_relative() || path.split('/').any(|part| part == "..") {
            return Err(Fault::new(format!("show {path}"), "it must be a full path"));
        }
        if path == "/" || Path::new(path).starts_with("/usr") {
            continue;
        }
        take(path.trim_end_matches('/'), SHOWN)?;
    }
    Ok((shown, links))
}

/// A copy of a part of the old tree, which hangs nowhere yet.
fn clone(path: &str, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    let tree = open_tree(CWD, path, flags)?;
    sys::children::set_mount_attributes(tree.as_fd(), attributes.bits().into(), true)?;
    Ok(tree)
}

/// A file system in memory, `tmpfs(5)`, whose root belongs to `owner`, a user and a group, or to this process.
fn memory(size: &str, files: &str, mode: &str, owner: Option<(u32, u32)>) -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in [("size", size), ("nr_inodes", files), ("mode", mode)] {
        fsconfig_set_string(&context, key, value)?;
    }
    if let Some((user, group)) = owner {
        fsconfig_set_string(&context, "uid", user.to_string())?;
        fsconfig_set_string(&context, "gid", group.to_string())?;
    }
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, WRITABLE)?)
}

/// Makes the folders, the links, the few files and the places to write to.
fn lay_out(root: BorrowedFd<'_>, plan: &Plan, owner: (u32, u32), links: &[Link]) -> Result<(), Fault> {
    let at = Layer::Files;
    for folder in ["box", "tmp", "proc", "dev", "dev/shm", "etc", "etc/ssl", NOTHING] {
        mkdirat(root, folder, Mode::from_raw_mode(0o755)).of(at, "make the root's folders")?;
    }
    for (path, target) in links.iter().map(|link| (link.path.as_str(), link.target.as_str())).chain([
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
    ]) {
        symlinkat(target, root, &path[1..]).of(at, "make the root's links")?;
    }
    let (user, group) = owner;
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for (path, text) in [
        ("etc/passwd", format!("root:x:0:0:root:/:/bin/false\nstudent:x:{user}:{group}::/box:/bin/sh\n")),
        ("etc/group", format!("root:x:0:\nstudent:x:{group}:\n")),
        ("etc/hosts", format!("127.0.0.1 localhost {name}\n::1 localhost\n")),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\n".to_owned()),
        ("etc/resolv.conf", String::new()),
    ] {
        write(root, path, text.as_bytes()).of(at, "write the root's files")?;
    }
    let limits = &plan.limits;
    let scratch = format!("{}k", limits.scratch_mib * 1024 + plan.archive.unwrap_or(0).div_ceil(1024));
    for (path, size, files, mode) in [
        ("box", scratch.as_str(), limits.scratch_files.to_string().as_str(), "0700"),
        ("tmp", "32m", "1024", "1777"),
        ("dev/shm", "8m", "256", "1777"),
    ] {
        let place = memory(size, files, mode, Some(owner)).of(at, "make a place to write to")?;
        move_mount(&place, "", root, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).of(at, "put it at its place")?;
    }
    Ok(())
}

fn write(root: BorrowedFd<'_>, path: &str, text: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = fs::File::from(openat(root, path, flags, Mode::from_raw_mode(0o644))?);
    io::Write::write_all(&mut file, text)
}

/// Shows `/proc`: that of this process namespace, or the machine's where there is none of its own.
fn show_processes(root: BorrowedFd<'_>, plan: &Plan) -> Result<(), Fault> {
    let at = Layer::Files;
    let proc = if plan.layers.has(Layer::Processes) {
        let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC).of(at, "fsopen(proc)")?;
        fsconfig_create(&context).of(at, "make /proc")?;
        let attributes = WRITABLE | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).of(at, "mount /proc")?
    } else {
        clone("/proc", WRITABLE | MountAttrFlags::MOUNT_ATTR_NOEXEC).of(at, "take hold of /proc")?
    };
    move_mount(&proc, "", root, "proc", MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH).of(at, "put /proc at its place")?;
    mask(proc.as_fd()).of(at, "hide parts of /proc")
}

/// Lays something empty over what tells of the machine. What this kernel does not have needs none.
fn mask(proc: BorrowedFd<'_>) -> io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    for name in MASKED {
        let over = if name == "fs" { nothing()? } else { open_tree(CWD, "/dev/null", flags)? };
        match move_mount(&over, "", proc, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH) {
            Err(rustix::io::Errno::NOENT) => {}
            moved => moved?,
        }
    }
    Ok(())
}

/// An empty folder.
fn nothing() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, SHOWN)?)
}

/// Whether something is mounted over parts of `/proc`, as container engines do: then the kernel lets no ordinary user
/// mount a new one.
fn proc_is_masked() -> bool {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|point| point.starts_with("/proc/"))
}

/// Lays an empty folder over what must not be seen though it lies in something that is shown; over files, `/dev/null`.
fn hide(root: BorrowedFd<'_>, plan: &Plan) -> Result<(), Fault> {
    let at = Layer::Files;
    let mut hidden: Vec<&Path> = plan.hidden.iter().map(Path::new).filter(|path| path.is_absolute()).collect();
    hidden.sort();
    for path in hidden {
        let step = || format!("hide {}", path.display());
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        // The new root is not ours yet, and its links lead on in it.
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let place = match openat2(root, path, flags, Mode::empty(), resolve) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => continue,
            opened => opened.of(at, &step())?,
        };
        let kind = FileType::from_raw_mode(fstat(&place).of(at, &step())?.st_mode);
        let cover = match kind {
            FileType::Directory => NOTHING,
            FileType::RegularFile => "dev/null",
            _ => continue,
        };
        let tree = open_tree(root, cover, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC);
        let tree = tree.of(at, &step())?;
        if kind == FileType::Directory {
            sys::children::set_mount_attributes(tree.as_fd(), SHOWN.bits().into(), false).of(at, &step())?;
        }
        let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&tree, "", &place, "", both).of(at, &step())?;
    }
    Ok(())
}

/// Puts something at its path, and makes the folders above it.
fn place(root: BorrowedFd<'_>, one: &Shown) -> io::Result<()> {
    let path = &one.path[1..];
    let mode = Mode::from_raw_mode(0o755);
    let above = path.match_indices('/').map(|(end, _)| &path[..end]);
    let folders = above.chain(one.is_folder.then_some(path));
    for folder in folders {
        match mkdirat(root, folder, mode) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if !one.is_folder {
        openat(root, path, OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC, Mode::from_raw_mode(0o644))?;
    }
    Ok(move_mount(&one.tree, "", root, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

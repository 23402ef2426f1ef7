//! What a file is opened with, and what it is, by the names of C.

use rustix::fs::{FileType, OFlags, ResolveFlags};

use crate::trace::Value;

const FLAGS: [(OFlags, &str); 7] = [
    (OFlags::CREATE, "O_CREAT"),
    (OFlags::EXCL, "O_EXCL"),
    (OFlags::TRUNC, "O_TRUNC"),
    (OFlags::DIRECTORY, "O_DIRECTORY"),
    (OFlags::NOFOLLOW, "O_NOFOLLOW"),
    (OFlags::NONBLOCK, "O_NONBLOCK"),
    (OFlags::NOCTTY, "O_NOCTTY"),
];

const RESOLVE: [(ResolveFlags, &str); 3] = [
    (ResolveFlags::BENEATH, "RESOLVE_BENEATH"),
    (ResolveFlags::NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"),
    (ResolveFlags::NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"),
];

/// Flags of `open(2)`, but for `O_CLOEXEC`, which each of our descriptors has, and which no word is made of.
pub(super) fn opening(flags: OFlags) -> Value {
    let access = match flags & OFlags::ACCMODE {
        OFlags::WRONLY => "O_WRONLY",
        OFlags::RDWR => "O_RDWR",
        _ => "O_RDONLY",
    };
    let others = FLAGS.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    std::iter::once(access).chain(others).collect::<Vec<&str>>().join("|").into()
}

/// How a path is resolved, `openat2(2)`.
pub(super) fn resolving(resolve: ResolveFlags) -> Value {
    let names = RESOLVE.iter().filter(|(flag, _)| resolve.contains(*flag)).map(|(_, name)| *name);
    names.collect::<Vec<&str>>().join("|").into()
}

/// What a file is: its type's name in C, and in words.
pub(super) fn kind(kind: FileType) -> (&'static str, &'static str) {
    match kind {
        FileType::RegularFile => ("S_IFREG", "a regular file"),
        FileType::Directory => ("S_IFDIR", "a folder"),
        FileType::Symlink => ("S_IFLNK", "a symbolic link"),
        FileType::Fifo => ("S_IFIFO", "a FIFO"),
        FileType::Socket => ("S_IFSOCK", "a socket"),
        FileType::CharacterDevice => ("S_IFCHR", "a character device"),
        FileType::BlockDevice => ("S_IFBLK", "a block device"),
        FileType::Unknown => ("S_IFMT", "of no type that is known"),
    }
}

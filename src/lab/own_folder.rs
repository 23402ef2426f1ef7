//! The folder in which a role keeps its files.
//!
//! It is the folder in which the role runs, as the classic programs have it. In a demo a scene gives a role one that is
//! new and empty, and goes with the demo, however that ends: a process that outlives the stage for a moment removes it.
//! No path stands in a trace: the role says `.`. By hand it is where its user is, or the folder that was named.

use std::cell::RefCell;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, WaitOptions, getpid, setpgid, waitpid};

use crate::file::Folder;
use crate::stage::Attempted;
use crate::sys::{self, Forked};

thread_local! {
    static PLACE: RefCell<PathBuf> = RefCell::new(PathBuf::from("."));
}

/// From now on this is the role's own folder, by hand.
pub fn use_folder(path: impl Into<PathBuf>) {
    PLACE.with(|place| *place.borrow_mut() = path.into());
}

/// From now on relative paths begin in the role's own folder, as those of the classic programs do.
///
/// # Errors
///
/// That of `chdir(2)`.
pub fn work_in_own_folder() -> io::Result<()> {
    PLACE.with(|place| std::env::set_current_dir(place.replace(PathBuf::from("."))))
}

/// The role's own folder, held open.
///
/// # Errors
///
/// That of `openat2(2)`: `ENOENT` or `ENOTDIR` for a folder that is none, `EACCES`.
pub fn own_folder() -> io::Result<Folder> {
    PLACE.with(|place| Folder::open(&*place.borrow()))
}

/// A new folder, which goes when this value does, and when this process ends.
pub(super) struct FreshFolder {
    path: PathBuf,
    /// While it is open, the folder stays.
    keeps: Option<UnixStream>,
    remover: Pid,
}

impl FreshFolder {
    /// Makes one among the machine's temporary files, for this user alone.
    ///
    /// # Errors
    ///
    /// `mkdir(2)`, `socketpair(2)` or `fork(2)` failed, or this process has threads.
    pub fn make() -> io::Result<FreshFolder> {
        let (mut ours, theirs) = UnixStream::pair().attempted("socketpair")?;
        match sys::fork().attempted("clone")? {
            Forked::Parent(remover) => {
                drop(theirs);
                // Both do it: Ctrl-C goes to the stage's group, and shall not reach this process.
                let _ = setpgid(Some(remover), Some(remover));
                let mut answer = [0; 8];
                ours.read_exact(&mut answer)?;
                let [number, errno] = answer.as_chunks::<4>().0 else { return Err(io::ErrorKind::InvalidData.into()) };
                let folder =
                    FreshFolder { path: path(remover, u32::from_ne_bytes(*number)), keeps: Some(ours), remover };
                match i32::from_ne_bytes(*errno) {
                    0 => Ok(folder),
                    errno => Err(io::Error::from_raw_os_error(errno)).attempted("mkdir"),
                }
            }
            Forked::Child => {
                let _ = setpgid(None, None);
                drop(ours);
                let _ = keep(theirs);
                sys::exit_now(0)
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for FreshFolder {
    fn drop(&mut self) {
        self.keeps = None;
        let _ = sys::retry_on_intr(|| waitpid(Some(self.remover), WaitOptions::empty()));
    }
}

/// The name is one that nobody else has, unless somebody has made it on purpose.
fn path(remover: Pid, number: u32) -> PathBuf {
    std::env::temp_dir().join(format!("socklab-role-{}-{number}", remover.as_raw_nonzero()))
}

/// Makes the folder, says so, and removes it when nobody wants it any more.
fn keep(mut channel: UnixStream) -> io::Result<()> {
    // What this process has inherited would be open for longer than its owners think.
    let own = channel.as_raw_fd();
    sys::close_inherited(0, own - 1)?;
    sys::close_inherited(own + 1, i32::MAX)?;
    let mut number: u32 = 0;
    let made = loop {
        let made = DirBuilder::new().mode(0o700).create(path(getpid(), number));
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            made => break made,
        }
    };
    let errno = made.as_ref().err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
    // Whether or not anybody hears it.
    let told = channel.write_all(&[number.to_ne_bytes(), errno.to_ne_bytes()].concat());
    made?;
    if told.is_ok() {
        // Nothing is ever written: this returns at the end.
        let _ = channel.read(&mut [0]);
    }
    remove(&path(getpid(), number))
}

/// Removes a folder and all that is in it, whatever its owner may do with it. Links are not followed.
fn remove(path: &Path) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path);
    }
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        remove(&entry?.path())?;
    }
    fs::remove_dir(path)
}

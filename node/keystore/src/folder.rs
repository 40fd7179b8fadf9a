//! The folder on disk: its permissions, its lock, and writes that happen whole or not at all.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{KeystoreError, file::MAX_SIZE};

const LOCK_FILE: &str = "keystore.lock";

/// Present while the new files of a change of password replace the old ones.
const MARK_FILE: &str = "change.complete";

/// Ending of a key file.
const KEY: &str = "json";

/// Ending of a key file that waits to replace the old one.
const NEW: &str = "new";

/// Ending of a file that is not written to its end.
const TEMPORARY: &str = "tmp";

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The permission bits of a file.
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}

/// Whether anybody but the owner may do anything.
pub(crate) const fn is_loose(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// A locked folder.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens or makes the folder, locks it, and finishes what was interrupted.
    pub(crate) fn open(path: &Path) -> Result<Self, KeystoreError> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(failed(path))?;
        check_mode(path, FOLDER_MODE)?;
        let folder = Self { path: path.to_path_buf(), _lock: lock(path)? };
        folder.recover()?;
        Ok(folder)
    }

    /// The key files of a folder with their contents, sorted by name.
    pub(crate) fn read(path: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, KeystoreError> {
        check_mode(path, FOLDER_MODE)?;
        let mut names = with_ending(path, KEY)?;
        names.sort();
        names.into_iter().map(|name| read_file(&name).map(|bytes| (name, bytes))).collect()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), KeystoreError> {
        self.write_new(name, bytes)?;
        self.sync()
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), KeystoreError> {
        remove_file(&self.path.join(name))?;
        self.sync()
    }

    /// Replaces several files together: after an interruption all are old or all are new.
    pub(crate) fn replace(&self, files: &[(String, Vec<u8>)]) -> Result<(), KeystoreError> {
        self.prepare(files)?;
        self.write(MARK_FILE, b"")?;
        self.recover()
    }

    /// Lays the new files beside the old ones.
    fn prepare(&self, files: &[(String, Vec<u8>)]) -> Result<(), KeystoreError> {
        for (name, bytes) in files {
            self.write_new(&format!("{name}.{NEW}"), bytes)?;
        }
        self.sync()
    }

    /// Finishes a change that was marked as complete, forgets one that was not.
    fn recover(&self) -> Result<(), KeystoreError> {
        let mark = self.path.join(MARK_FILE);
        let complete = mark.try_exists().map_err(failed(&mark))?;
        for new in with_ending(&self.path, NEW)? {
            if complete {
                fs::rename(&new, new.with_extension("")).map_err(failed(&new))?;
            } else {
                remove_file(&new)?;
            }
        }
        for unfinished in with_ending(&self.path, TEMPORARY)? {
            remove_file(&unfinished)?;
        }
        // The mark goes only when the renames are on disk.
        self.sync()?;
        if complete {
            remove_file(&mark)?;
            self.sync()?;
        }
        Ok(())
    }

    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<(), KeystoreError> {
        let temporary = self.path.join(format!("{name}.{TEMPORARY}"));
        remove_file(&temporary)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(FILE_MODE)
            .open(&temporary)
            .map_err(failed(&temporary))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed(&temporary))?;
        fs::rename(&temporary, self.path.join(name)).map_err(failed(&temporary))
    }

    fn sync(&self) -> Result<(), KeystoreError> {
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed(&self.path))
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> KeystoreError + '_ {
    move |source| KeystoreError::File { path: path.to_path_buf(), source }
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), KeystoreError> {
    let mode = mode(&fs::metadata(path).map_err(failed(path))?);
    if is_loose(mode) {
        return Err(KeystoreError::Loose { path: path.to_path_buf(), mode, wanted });
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, KeystoreError> {
    let name = path.join(LOCK_FILE);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(&name)
        .map_err(failed(&name))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(KeystoreError::Locked { path: path.to_path_buf() }),
        Err(TryLockError::Error(source)) => Err(KeystoreError::File { path: name, source }),
    }
}

fn with_ending(path: &Path, ending: &str) -> Result<Vec<PathBuf>, KeystoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed(path))? {
        let name = entry.map_err(failed(path))?.path();
        if name.extension().is_some_and(|found| found == ending) {
            names.push(name);
        }
    }
    Ok(names)
}

fn read_file(name: &Path) -> Result<Vec<u8>, KeystoreError> {
    check_mode(name, FILE_MODE)?;
    let mut bytes = Vec::new();
    File::open(name)
        .and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut bytes))
        .map_err(failed(name))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_SIZE) {
        let reason = format!("it has more than {MAX_SIZE} bytes");
        return Err(KeystoreError::Format { path: name.to_path_buf(), reason });
    }
    Ok(bytes)
}

fn remove_file(name: &Path) -> Result<(), KeystoreError> {
    match fs::remove_file(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(name)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(folder: &Folder) -> Vec<(String, Vec<u8>)> {
        let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        Folder::read(folder.path()).unwrap().into_iter().map(|(path, bytes)| (name(path), bytes)).collect()
    }

    fn files(text: &[u8]) -> Vec<(String, Vec<u8>)> {
        ["a.json", "b.json"].map(|name| (name.to_owned(), text.to_vec())).to_vec()
    }

    /// A folder with two old files and everything laid out to replace them.
    fn prepared(parent: &Path) -> Folder {
        let folder = Folder::open(&parent.join("keys")).unwrap();
        for (name, bytes) in files(b"old") {
            folder.write(&name, &bytes).unwrap();
        }
        folder.prepare(&files(b"new")).unwrap();
        folder
    }

    #[test]
    fn a_change_that_stops_before_its_mark_never_happened() {
        let parent = tempfile::tempdir().unwrap();
        drop(prepared(parent.path()));
        let folder = Folder::open(&parent.path().join("keys")).unwrap();
        assert_eq!(contents(&folder), files(b"old"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "two keys and the lock");
    }

    #[test]
    fn a_change_that_stops_between_its_renames_is_finished() {
        let parent = tempfile::tempdir().unwrap();
        let folder = prepared(parent.path());
        folder.write(MARK_FILE, b"").unwrap();
        fs::rename(folder.path.join("a.json.new"), folder.path.join("a.json")).unwrap();
        drop(folder);
        let folder = Folder::open(&parent.path().join("keys")).unwrap();
        assert_eq!(contents(&folder), files(b"new"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "two keys and the lock");
    }
}

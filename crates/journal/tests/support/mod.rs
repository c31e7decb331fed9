//! A simulated disk for tests: in memory, with operations that fail and with
//! crashes that keep only what was synced and any part of what was not.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "every test file uses a part of it"
)]

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

// The unit tests and the integration tests share this file, and each has these
// names in `raw` at its root.
use super::raw::{AppendFile, DirEntry, FileSystem, Kind, LockGuard, ReadFile};

/// The kinds of operations that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    CreateDir,
    OpenAppend,
    OpenRead,
    CreateNew,
    Hint,
    Lock,
    Rename,
    Remove,
    SyncDir,
    List,
    Append,
    Sync,
    SetLen,
    Size,
    ReadAt,
    IsAt,
}

/// How the chosen operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EIO, and nothing was done.
    Io,
    /// ENOSPC; a write leaves the half of its bytes.
    Full,
    /// EIO although it was done, as on a network's file system.
    DoneButIo,
    /// A write writes less than all and says so; everything else succeeds.
    Short,
    /// A write writes another byte in the middle and says nothing.
    Alters,
    /// The machine stops: this and all that follows fails and does nothing.
    Stop,
}

/// Which operations fail: the one at `at`, counted from 0, or all from it on.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub at: u64,
    /// A second one that fails.
    pub and: Option<u64>,
    pub on: bool,
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Dir,
    File(u64),
}

#[derive(Debug, Clone)]
enum NameOp {
    Put {
        path: PathBuf,
        entry: Entry,
    },
    Remove {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
        entry: Entry,
    },
}

impl NameOp {
    fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Put { path, .. } | Self::Remove { path } => vec![path],
            Self::Rename { from, to, .. } => vec![from, to],
        }
    }

    /// The name that the operation makes: a rename is durable when the
    /// directory that got the name is synced, and not sooner.
    fn made(&self) -> &Path {
        match self {
            Self::Put { path, .. } | Self::Remove { path } => path,
            Self::Rename { to, .. } => to,
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            Self::Put { path, entry } => {
                names.insert(path.clone(), *entry);
            }
            Self::Remove { path } => {
                names.remove(path);
            }
            Self::Rename { from, to, entry } => {
                names.remove(from);
                names.insert(to.clone(), *entry);
            }
        }
    }
}

#[derive(Debug, Clone)]
enum FileOp {
    Write { at: usize, bytes: Vec<u8> },
    SetLen(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pending,
    /// A sync failed: no later sync writes it.
    Lost,
    Durable,
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<(FileOp, Fate)>,
}

impl File {
    fn durable(bytes: Vec<u8>) -> Self {
        Self {
            synced: bytes.clone(),
            bytes,
            since: Vec::new(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let bytes = bytes.to_vec();
        self.since
            .push((FileOp::Write { at, bytes }, Fate::Pending));
    }

    fn set_len(&mut self, len: usize) {
        self.bytes.resize(len, 0);
        self.since.push((FileOp::SetLen(len), Fate::Pending));
    }

    fn sync(&mut self) {
        for (_, fate) in &mut self.since {
            if *fate == Fate::Pending {
                *fate = Fate::Durable;
            }
        }
        if self.since.iter().all(|(_, fate)| *fate == Fate::Durable) {
            self.synced.clone_from(&self.bytes);
            self.since.clear();
        }
    }

    fn sync_failed(&mut self) {
        for (_, fate) in &mut self.since {
            if *fate == Fate::Pending {
                *fate = Fate::Lost;
            }
        }
    }
}

#[derive(Debug, Default)]
struct Disk {
    files: HashMap<u64, File>,
    names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
    since: Vec<NameOp>,
    locked: HashSet<u64>,
    next_file: u64,
    count: u64,
    kinds: Vec<Op>,
    plan: Option<Plan>,
    /// What the fault hit.
    hit: Vec<Op>,
    /// How the next syncs of files fail, whatever the plan says.
    syncs: VecDeque<Option<Fault>>,
    syncs_no_directories: bool,
}

/// What a power failure keeps of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Nothing,
    Everything,
    /// Any part: names, sectors and lengths are chosen at random.
    Some(u64),
}

/// A simulated disk; a clone is the same disk.
#[derive(Debug, Clone, Default)]
pub struct SimFs(Arc<Mutex<Disk>>);

/// The directory that is there from the start.
pub const ROOT: &str = "/disk";

fn injected(fault: Fault) -> io::Error {
    match fault {
        Fault::Full => ErrorKind::StorageFull.into(),
        _ => io::Error::other("injected"),
    }
}

impl Disk {
    /// Counts an operation; gives the fault that it is to suffer.
    fn enter(&mut self, op: Op) -> Option<Fault> {
        let at = self.count;
        self.count += 1;
        self.kinds.push(op);
        let plan = self.plan?;
        let stopped = plan.fault == Fault::Stop;
        let hit = at == plan.at || plan.and == Some(at) || (at > plan.at && (plan.on || stopped));
        // Opening, reading and giving back need no room.
        let needs_room = matches!(
            op,
            Op::CreateDir
                | Op::OpenAppend
                | Op::CreateNew
                | Op::Hint
                | Op::Lock
                | Op::Append
                | Op::Sync
        );
        let applies = match plan.fault {
            Fault::Full => needs_room,
            Fault::Short | Fault::Alters => op == Op::Append,
            Fault::DoneButIo => matches!(
                op,
                Op::Rename
                    | Op::Append
                    | Op::SetLen
                    | Op::Remove
                    | Op::CreateNew
                    | Op::Sync
                    | Op::SyncDir
            ),
            Fault::Io | Fault::Stop => true,
        };
        (hit && applies).then(|| {
            self.hit.push(op);
            plan.fault
        })
    }

    fn put(&mut self, path: &Path, entry: Entry) {
        let path = path.to_owned();
        self.names.insert(path.clone(), entry);
        self.since.push(NameOp::Put { path, entry });
    }

    fn file_at(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Entry::File(id)) => Ok(*id),
            Some(Entry::Dir) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        let parent = path.parent().unwrap();
        if self.names.get(parent) != Some(&Entry::Dir) {
            return Err(ErrorKind::NotFound.into());
        }
        let id = self.next_file;
        self.next_file += 1;
        self.files.insert(id, File::default());
        self.put(path, Entry::File(id));
        Ok(id)
    }

    fn sync_dir(&mut self, dir: &Path) {
        // What is below depends on what was done earlier to the same names.
        let mut wanted: HashSet<PathBuf> = HashSet::new();
        let mut chosen = vec![false; self.since.len()];
        for (op, chosen) in self.since.iter().zip(&mut chosen).rev() {
            let made = op.made();
            if made.parent() == Some(dir) || wanted.contains(made) {
                wanted.extend(op.paths().into_iter().map(Path::to_owned));
                *chosen = true;
            }
        }
        let mut rest = Vec::new();
        for (op, chosen) in std::mem::take(&mut self.since).into_iter().zip(chosen) {
            if chosen {
                op.apply(&mut self.durable_names);
            } else {
                rest.push(op);
            }
        }
        self.since = rest;
    }
}

/// A small generator (splitmix64), so that every case can be repeated.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.roll() % limit.max(1) as u64).unwrap()
    }

    pub fn coin(&mut self) -> bool {
        self.roll() & 1 == 1
    }
}

impl SimFs {
    pub fn new() -> Self {
        let disk = Self::default();
        let root = BTreeMap::from([(PathBuf::from(ROOT), Entry::Dir)]);
        disk.disk().names.clone_from(&root);
        disk.disk().durable_names = root;
        disk
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on operations are counted from 0 and fail as planned.
    pub fn plan(&self, plan: Option<Plan>) {
        let mut disk = self.disk();
        disk.count = 0;
        disk.kinds.clear();
        disk.hit.clear();
        disk.plan = plan;
    }

    /// The next syncs of files fail in these ways.
    pub fn fail_syncs(&self, faults: &[Option<Fault>]) {
        self.disk().syncs = faults.iter().copied().collect();
    }

    /// From now on it refuses to sync directories, as some network file systems do.
    pub fn sync_no_directories(&self) {
        self.disk().syncs_no_directories = true;
    }

    /// How many operations there were since the plan was made.
    pub fn count(&self) -> u64 {
        self.disk().count
    }

    pub fn kinds(&self) -> Vec<Op> {
        self.disk().kinds.clone()
    }

    /// What the plan has hit.
    pub fn hit(&self) -> Vec<Op> {
        self.disk().hit.clone()
    }

    /// Puts a file on the disk, as if it had been there forever.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.disk();
        for dir in path.ancestors().skip(1) {
            disk.names.insert(dir.to_owned(), Entry::Dir);
            disk.durable_names.insert(dir.to_owned(), Entry::Dir);
        }
        let id = disk.next_file;
        disk.next_file += 1;
        disk.files.insert(id, File::durable(bytes.to_vec()));
        disk.names.insert(path.to_owned(), Entry::File(id));
        disk.durable_names.insert(path.to_owned(), Entry::File(id));
    }

    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let disk = self.disk();
        disk.files[&disk.file_at(path).unwrap()].bytes.clone()
    }

    pub fn exists(&self, path: &Path) -> bool {
        self.disk().names.contains_key(path)
    }

    /// The disk as it is found after a power failure.
    pub fn crashed(&self, keep: Keep) -> Self {
        let disk = self.disk();
        let mut dice = Dice(match keep {
            Keep::Some(seed) => seed,
            _ => 0,
        });
        let kept = |dice: &mut Dice| match keep {
            Keep::Nothing => false,
            Keep::Everything => true,
            Keep::Some(_) => dice.coin(),
        };
        let mut names = disk.durable_names.clone();
        for op in &disk.since {
            if kept(&mut dice) {
                op.apply(&mut names);
            }
        }
        let known = names.clone();
        let reachable = |path: &Path| {
            path == Path::new(ROOT)
                || path
                    .ancestors()
                    .skip(1)
                    .take_while(|dir| *dir != Path::new("/"))
                    .all(|dir| known.get(dir) == Some(&Entry::Dir))
        };
        names.retain(|path, _| reachable(path));
        let mut ids: Vec<_> = disk.files.keys().copied().collect();
        ids.sort_unstable();
        let mut files = HashMap::new();
        for id in ids {
            let file = &disk.files[&id];
            let mut bytes = file.synced.clone();
            for (op, fate) in &file.since {
                let whole = *fate == Fate::Durable;
                match op {
                    FileOp::SetLen(len) if whole || kept(&mut dice) => bytes.resize(*len, 0),
                    FileOp::SetLen(_) => {}
                    FileOp::Write { at, bytes: written } => {
                        keep_write(&mut bytes, *at, written, whole, keep, &mut dice);
                    }
                }
            }
            files.insert(id, File::durable(bytes));
        }
        let disk = Disk {
            files,
            durable_names: names.clone(),
            names,
            next_file: disk.next_file,
            ..Disk::default()
        };
        Self(Arc::new(Mutex::new(disk)))
    }
}

/// Keeps a write as a whole, not at all, a first part of it, or any of its
/// sectors; those that never arrived are zero.
fn keep_write(
    bytes: &mut Vec<u8>,
    at: usize,
    written: &[u8],
    whole: bool,
    keep: Keep,
    dice: &mut Dice,
) {
    const SECTOR: usize = 64;
    let way = match keep {
        _ if whole => 1,
        Keep::Nothing => 0,
        Keep::Everything => 1,
        Keep::Some(_) => dice.below(4),
    };
    let mut put = |from: usize, part: &[u8]| {
        if bytes.len() < from + part.len() {
            bytes.resize(from + part.len(), 0);
        }
        bytes[from..from + part.len()].copy_from_slice(part);
    };
    match way {
        0 => {}
        1 => put(at, written),
        2 => put(at, &written[..dice.below(written.len() + 1)]),
        _ => {
            for (i, sector) in written.chunks(SECTOR).enumerate() {
                let arrived = dice.coin();
                let zero = vec![0; sector.len()];
                put(at + i * SECTOR, if arrived { sector } else { &zero });
            }
        }
    }
}

macro_rules! enter {
    ($disk:expr, $op:expr) => {
        match $disk.enter($op) {
            Some(fault @ (Fault::Io | Fault::Stop | Fault::Full)) => return Err(injected(fault)),
            other => other,
        }
    };
}

fn done(fault: Option<Fault>) -> io::Result<()> {
    match fault {
        Some(Fault::DoneButIo) => Err(injected(Fault::DoneButIo)),
        _ => Ok(()),
    }
}

impl FileSystem for SimFs {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let _ = enter!(disk, Op::CreateDir);
        let mut missing: Vec<&Path> = path
            .ancestors()
            .take_while(|dir| !disk.names.contains_key(*dir))
            .collect();
        missing.reverse();
        for dir in missing {
            disk.put(dir, Entry::Dir);
            let parent = dir.parent().unwrap().to_owned();
            disk.sync_dir(&parent);
        }
        Ok(())
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut disk = self.disk();
        let found = disk.file_at(path);
        let id = match found {
            // Opening what is there needs no room.
            Ok(id) => {
                if let Some(fault @ (Fault::Io | Fault::Stop)) = disk.enter(Op::OpenAppend) {
                    return Err(injected(fault));
                }
                id
            }
            Err(_) => {
                let _ = enter!(disk, Op::OpenAppend);
                disk.create(path)?
            }
        };
        let fs = self.clone();
        Ok(Box::new(SimFile { fs, id }))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let mut disk = self.disk();
        let _ = enter!(disk, Op::OpenRead);
        let (fs, id) = (self.clone(), disk.file_at(path)?);
        Ok(Box::new(SimFile { fs, id }))
    }

    fn create_new(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let fault = enter!(disk, Op::CreateNew);
        if disk.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        disk.create(path)?;
        done(fault)
    }

    fn write_hint(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        let _ = enter!(disk, Op::Hint);
        let id = match disk.file_at(path) {
            Ok(id) => id,
            Err(_) => disk.create(path)?,
        };
        let file = disk.files.get_mut(&id).unwrap();
        file.set_len(0);
        file.write(contents);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        let mut disk = self.disk();
        let _ = enter!(disk, Op::Lock);
        let id = match disk.file_at(path) {
            Ok(id) => id,
            Err(_) => disk.create(path)?,
        };
        if !disk.locked.insert(id) {
            return Err(ErrorKind::WouldBlock.into());
        }
        let fs = self.clone();
        Ok(Box::new(SimLock { fs, id }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let fault = enter!(disk, Op::Rename);
        let entry = Entry::File(disk.file_at(from)?);
        let (from, to) = (from.to_owned(), to.to_owned());
        let op = NameOp::Rename { from, to, entry };
        op.apply(&mut disk.names);
        disk.since.push(op);
        done(fault)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let fault = enter!(disk, Op::Remove);
        disk.file_at(path)?;
        disk.names.remove(path);
        let path = path.to_owned();
        disk.since.push(NameOp::Remove { path });
        done(fault)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        let fault = enter!(disk, Op::SyncDir);
        if disk.syncs_no_directories {
            return Err(ErrorKind::InvalidInput.into());
        }
        if !disk.names.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        disk.sync_dir(path);
        done(fault)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut disk = self.disk();
        let _ = enter!(disk, Op::List);
        if !disk.names.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        let mut found = Vec::new();
        for (name, entry) in &disk.names {
            if let (true, Entry::File(id)) = (name.parent() == Some(path), entry) {
                let name = name.file_name().unwrap().to_str().unwrap().to_owned();
                found.push(DirEntry {
                    name,
                    kind: Kind::File,
                    bytes: disk.files[id].bytes.len() as u64,
                });
            }
        }
        Ok(found)
    }
}

#[derive(Debug)]
struct SimFile {
    fs: SimFs,
    id: u64,
}

#[derive(Debug)]
struct SimLock {
    fs: SimFs,
    id: u64,
}

impl LockGuard for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.fs.disk().locked.remove(&self.id);
    }
}

impl AppendFile for SimFile {
    fn reading(&self) -> Arc<dyn ReadFile> {
        let (fs, id) = (self.fs.clone(), self.id);
        Arc::new(Self { fs, id })
    }

    fn append(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let mut disk = self.fs.disk();
        let fault = disk.enter(Op::Append);
        let file = disk.files.get_mut(&self.id).unwrap();
        match fault {
            None => {
                file.write(&all);
                Ok(all.len())
            }
            Some(Fault::Short) => {
                let count = all.len().div_ceil(2);
                file.write(&all[..count]);
                Ok(count)
            }
            Some(Fault::Alters) => {
                let middle = all.len() / 2;
                if let Some(byte) = all.get_mut(middle) {
                    *byte ^= 0x55;
                }
                file.write(&all);
                Ok(all.len())
            }
            Some(fault @ Fault::Full) => {
                file.write(&all[..all.len() / 2]);
                Err(injected(fault))
            }
            Some(fault @ Fault::DoneButIo) => {
                file.write(&all);
                Err(injected(fault))
            }
            Some(fault) => Err(injected(fault)),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.fs.disk();
        let planned = disk.enter(Op::Sync);
        let fault = disk.syncs.pop_front().unwrap_or(planned);
        let file = disk.files.get_mut(&self.id).unwrap();
        match fault {
            None => {
                file.sync();
                Ok(())
            }
            Some(fault) => {
                if fault == Fault::DoneButIo {
                    file.sync();
                } else if fault != Fault::Stop {
                    file.sync_failed();
                }
                Err(injected(fault))
            }
        }
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        let mut disk = self.fs.disk();
        let fault = enter!(disk, Op::SetLen);
        let file = disk.files.get_mut(&self.id).unwrap();
        file.set_len(usize::try_from(len).unwrap());
        done(fault)
    }

    fn size(&self) -> io::Result<u64> {
        ReadFile::size(self)
    }

    fn is_at(&self, path: &Path) -> bool {
        let mut disk = self.fs.disk();
        let fault = disk.enter(Op::IsAt);
        fault.is_none() && disk.names.get(path) == Some(&Entry::File(self.id))
    }
}

impl ReadFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut disk = self.fs.disk();
        let _ = enter!(disk, Op::ReadAt);
        let bytes = &disk.files[&self.id].bytes;
        let from = bytes.len().min(usize::try_from(offset).unwrap());
        let count = buf.len().min(bytes.len() - from);
        buf[..count].copy_from_slice(&bytes[from..from + count]);
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        let mut disk = self.fs.disk();
        let _ = enter!(disk, Op::Size);
        Ok(disk.files[&self.id].bytes.len() as u64)
    }
}

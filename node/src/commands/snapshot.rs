//! `snapshot create | list | show | export | import | verify`.

use std::{
    collections::BTreeSet,
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use xln_chain_spec::ChainSpec;
use xln_keystore::Keystore;
use xln_primitives::{Hash, Timestamp};
use xln_runtime::{Genesis, Server};
use xln_store::{
    ArchiveError, ArchiveStream, ArchivedRow, ChunkReader, Manifest, Options, Staging, Store, StoreError,
    write_stream,
};

use super::{CommandError, database::open, purge::chain_folder};
use crate::{
    archive::{SnapshotError, check_certificates, load},
    cli::{DatabaseArgs, Import, Which, WhichArgs},
};

/// A snapshot as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotShown {
    /// Its name.
    pub hash: Hash,
    /// Its block.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: Hash,
    /// When the block was sealed, in milliseconds of Unix time.
    pub timestamp: Timestamp,
    /// The last slice whose effects it has.
    pub slice: u64,
    /// Where its rows lead to.
    pub state_root: Hash,
    /// How many rows it has.
    pub rows: u64,
    /// Bytes of its rows.
    pub size: u64,
    /// Bytes when compressed.
    pub compressed: u64,
    /// How many chunks it has.
    pub chunks: usize,
}

/// Snapshots as they are shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct SnapshotList(pub Vec<SnapshotShown>);

/// A snapshot in which everything fits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotChecked {
    /// The snapshot.
    #[serde(flatten)]
    pub snapshot: SnapshotShown,
    /// Entities whose roots and certificates were compared.
    pub entities: usize,
    /// Keys that they have together.
    pub keys: usize,
}

impl SnapshotShown {
    fn new(manifest: &Manifest) -> Self {
        Self {
            hash: manifest.hash(),
            block: manifest.block.number,
            block_hash: manifest.block.hash(),
            timestamp: manifest.block.timestamp,
            slice: manifest.slice,
            state_root: manifest.block.state_root,
            rows: manifest.rows(),
            size: manifest.size(),
            compressed: manifest.compressed(),
            chunks: manifest.chunks.len(),
        }
    }
}

impl SnapshotChecked {
    fn new(manifest: &Manifest, server: &Server) -> Self {
        Self {
            snapshot: SnapshotShown::new(manifest),
            entities: server.entities().len(),
            keys: server.keys(),
        }
    }
}

/// Makes a snapshot of the state as it is on the disk of a stopped node.
pub fn create_snapshot(args: &DatabaseArgs) -> Result<SnapshotShown, CommandError> {
    let store = open(args)?;
    let state = store.state()?.ok_or(CommandError::NoState)?;
    let bar = bar("rows", state.rows_estimated()?);
    let manifest = state.archive(|progress| {
        bar.set_position(progress.rows);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    let latest = store.latest_slice()?.unwrap_or(0);
    if latest > manifest.slice {
        let behind = latest.saturating_sub(manifest.slice);
        tracing::warn!(
            slices = behind,
            "what came after the last mutable snapshot is not in it: start and stop the node"
        );
    }
    Ok(SnapshotShown::new(&manifest))
}

/// The snapshots of a stopped node, by block.
pub fn list_snapshots(args: &DatabaseArgs) -> Result<SnapshotList, CommandError> {
    Ok(SnapshotList(open(args)?.archives()?.iter().map(SnapshotShown::new).collect()))
}

/// What a snapshot consists of.
pub fn show_snapshot(which: &WhichArgs, args: &DatabaseArgs) -> Result<SnapshotShown, CommandError> {
    Ok(SnapshotShown::new(&find(&open(args)?, which)?))
}

fn find(store: &Store, which: &WhichArgs) -> Result<Manifest, CommandError> {
    if let Some(Which::Hash(hash)) = which.snapshot {
        return Ok(store.archive(&hash)?);
    }
    let fits = |manifest: &Manifest| match which.snapshot {
        Some(Which::Block(block)) => manifest.block.number == block,
        _ => true,
    };
    store.archives()?.into_iter().rfind(fits).ok_or(CommandError::NoSnapshot)
}

/// Writes a snapshot to a new file, which is whole when it has its name, or to `out`.
pub fn export_snapshot(
    which: &WhichArgs,
    args: &DatabaseArgs,
    to: Option<&Path>,
    out: &mut impl Write,
) -> Result<SnapshotShown, CommandError> {
    let store = open(args)?;
    let manifest = find(&store, which)?;
    let bar = bar("bytes", manifest.compressed());
    let told = |bytes| bar.set_position(bytes);
    match to {
        None => drop(write_stream(&store, &manifest, out, told)?),
        Some(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            write_stream(&store, &manifest, &mut file, told)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path).map_err(|error| error.error)?;
        }
    }
    bar.finish_and_clear();
    Ok(SnapshotShown::new(&manifest))
}

/// Checks a snapshot in the database, or one in a file: every chunk, root and certificate.
pub fn verify_snapshot(
    which: &WhichArgs,
    file: Option<&Path>,
    args: &DatabaseArgs,
) -> Result<SnapshotChecked, CommandError> {
    let genesis = ChainSpec::load(&args.chain.chain)?.to_genesis()?;
    let (manifest, server) = match file {
        Some(file) => read(&genesis, input(file)?, None)?,
        None => {
            let store = open(args)?;
            let manifest = find(&store, which)?;
            let bar = bar("rows", manifest.rows());
            let next = |index, info: &_| store.chunk(index, info);
            let server = load(&genesis, &manifest, next, |rows| bar.set_position(rows))?;
            bar.finish_and_clear();
            check_certificates(&genesis, &server)?;
            (manifest, server)
        }
    };
    Ok(SnapshotChecked::new(&manifest, &server))
}

/// Starts an empty database from a snapshot. Nothing is changed unless all of it is right.
pub fn import_snapshot(args: &Import) -> Result<SnapshotChecked, CommandError> {
    let spec = ChainSpec::load(&args.database.chain.chain)?;
    let genesis = spec.to_genesis()?;
    let chain = chain_folder(&args.database.chain, args.database.base_path.as_deref())?;
    let database = chain.database();
    if database.exists() {
        // A database in use or of another network is refused here; whether this one is empty is seen below.
        let options = Options { create: false, ..Options::default() };
        match Store::open(&database, genesis.network, &options) {
            Ok(store) if store.is_empty()? => {}
            Ok(_) => return Err(StoreError::NotEmpty { path: database }.into()),
            Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let input = input(&args.file)?;
    let around = database.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let was_there = around.exists();
    fs::create_dir_all(&around)?;
    let staged = tempfile::Builder::new().prefix("import-").tempdir_in(&around)?;
    let staging = Staging::new(staged.path().to_path_buf());
    let checked = read(&genesis, input, Some(&staging)).and_then(|(manifest, server)| {
        check_marks(&manifest, &staging, &server)?;
        check_keys(&server, &chain.keystore(), args.take_over)?;
        Ok((manifest, server))
    });
    let (manifest, server) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            drop(staged);
            if !was_there {
                // Not what somebody else has put there meanwhile.
                let _ = fs::remove_dir(&around);
            }
            return Err(error);
        }
    };
    let shown = SnapshotChecked::new(&manifest, &server);
    // The import needs its memory.
    drop(server);
    Store::open(&database, genesis.network, &Options::default())?.import(&manifest, &staging)?;
    Ok(shown)
}

fn input(file: &Path) -> Result<Box<dyn Read>, CommandError> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    let file = File::open(file).map_err(|source| CommandError::Input { path: file.to_path_buf(), source })?;
    Ok(Box::new(io::BufReader::new(file)))
}

/// Reads a stream and checks all of it; keeps its chunks if they are to be staged.
fn read(
    genesis: &Genesis,
    input: impl Read,
    staging: Option<&Staging>,
) -> Result<(Manifest, Server), CommandError> {
    let mut stream = ArchiveStream::open(input)?;
    let manifest = stream.manifest().clone();
    let bar = bar("rows", manifest.rows());
    let next = |_, info: &_| {
        let bytes = stream.next_chunk()?.ok_or(ArchiveError::Inconsistent("it has too few chunks"))?;
        if let Some(staging) = staging {
            staging.write(info, bytes.clone())?;
        }
        Ok(bytes)
    };
    let server = load(genesis, &manifest, next, |rows| bar.set_position(rows))?;
    stream.next_chunk()?;
    bar.finish_and_clear();
    check_certificates(genesis, &server)?;
    Ok((manifest, server))
}

/// No entity may have certified more than the snapshot has of it.
fn check_marks(manifest: &Manifest, staging: &Staging, server: &Server) -> Result<(), CommandError> {
    let mut reader = ChunkReader::new();
    for (index, info) in manifest.chunks.iter().enumerate() {
        let bytes = staging.chunk(index, info)?;
        reader.read(info, &bytes, |key, value| {
            if let ArchivedRow::Signed { entity, mark } =
                ArchivedRow::parse(key, value).map_err(ArchiveError::from)?
            {
                crate::recovery::check_mark(server, entity, mark)?;
            }
            Ok::<_, CommandError>(())
        })?;
    }
    Ok(())
}

/// Keys that are here would go on certifying where the snapshot ends, perhaps for the second time.
fn check_keys(server: &Server, keystore: &Path, take_over: bool) -> Result<(), CommandError> {
    if take_over || !keystore.exists() {
        return Ok(());
    }
    let keys: BTreeSet<_> = Keystore::inspect(keystore)?.into_iter().map(|info| info.signer).collect();
    let acted = |entity: &&xln_runtime::Entity| entity.head().is_some_and(|head| head.header.height > 0);
    match server.entities().filter(acted).find(|entity| keys.contains(&entity.signer())) {
        Some(entity) => Err(CommandError::TakeOver { entity: entity.id() }),
        None => Ok(()),
    }
}

/// A bar on stderr, if that is a terminal.
fn bar(unit: &str, length: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let template = format!("{{bar:40}} {{percent}} % of {{human_len}} {unit} ({{elapsed}}, {{eta}} left)");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

impl fmt::Display for SnapshotShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "hash        {}", self.hash)?;
        writeln!(f, "block       {} {}", self.block, self.block_hash)?;
        writeln!(f, "slice       {}", self.slice)?;
        writeln!(f, "state root  {}", self.state_root)?;
        writeln!(f, "rows        {}", self.rows)?;
        writeln!(f, "size        {} bytes, compressed {}", self.size, self.compressed)?;
        writeln!(f, "chunks      {}", self.chunks)
    }
}

impl fmt::Display for SnapshotList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SnapshotShown { hash, block, rows, compressed, .. } in &self.0 {
            writeln!(f, "{hash}  block {block}, {rows} rows, {compressed} bytes")?;
        }
        Ok(())
    }
}

impl fmt::Display for SnapshotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.snapshot)?;
        writeln!(f, "entities    {}", self.entities)?;
        writeln!(f, "keys        {}", self.keys)?;
        writeln!(f, "every chunk, root and certificate fits")
    }
}

impl From<SnapshotError> for CommandError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Archive(error) => error.into(),
            error => Self::Snapshot(Box::new(error)),
        }
    }
}

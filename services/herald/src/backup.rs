//! `herald backup FILE`: a consistent copy of the running store's database.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use proto::v1::{BackupRequest, status_service_client::StatusServiceClient};
use runtime::config::Vars;
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

use crate::{cli::StoreAddress, connection::Connection, output};

const ABOUT: &str = "\
Copies the database of the running store to FILE while records come in and are
read. The copy is complete and consistent as of one moment, and opens with any
SQLite. It is written to FILE.partial and renamed when it is whole and synced:
FILE is never half a copy.";

const EXAMPLES: &str = "\
Examples:
  herald backup /safe/herald.sqlite
  herald backup --force /safe/herald.sqlite      replace yesterday's copy
  herald backup --store http://logs.example:9124 copy.sqlite
To restore, stop Herald and put the copy where the database is.";

/// Copy the database to a file while everything goes on.
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub(crate) struct Backup {
    /// The copy.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace FILE if it exists.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    store: StoreAddress,
}

/// Makes the copy.
pub(crate) async fn run(command: Backup, vars: &Vars) -> anyhow::Result<()> {
    let file = command.file;
    let connection = Connection::new(command.store, vars)?;
    if !command.force && fs::try_exists(&file).await.unwrap_or(true) {
        bail!("{} exists: --force replaces it", file.display());
    }
    let partial = partial_path(&file);
    let outcome = copy(&connection, &partial).await;
    let Ok(bytes) = outcome else {
        // Half a copy is of no use, and the error is what matters.
        let _ = fs::remove_file(&partial).await;
        return outcome.map(drop);
    };
    rename(&partial, &file)
        .await
        .with_context(|| format!("cannot rename the copy to {}", file.display()))?;
    output::say(format_args!("{}: {bytes} bytes", file.display()));
    Ok(())
}

async fn copy(connection: &Connection, partial: &Path) -> anyhow::Result<u64> {
    let cannot_write = || format!("cannot write {}", partial.display());
    let mut pieces = StatusServiceClient::new(connection.client.clone())
        .max_decoding_message_size(crate::connection::MAX_MESSAGE_BYTES)
        .backup(BackupRequest {})
        .await
        .map_err(|status| connection.explain(&status))?
        .into_inner();
    let mut file = File::create(partial).await.with_context(cannot_write)?;
    let bar = output::byte_bar(0);
    let mut total_bytes = 0;
    let mut written = 0;
    while let Some(piece) = pieces
        .message()
        .await
        .map_err(|status| connection.explain(&status))?
    {
        total_bytes = piece.total_bytes;
        bar.set_length(total_bytes);
        file.write_all(&piece.chunk)
            .await
            .with_context(cannot_write)?;
        written += piece.chunk.len() as u64;
        bar.set_position(written);
    }
    bar.finish_and_clear();
    if written == 0 || written != total_bytes {
        bail!("the store sent {written} of {total_bytes} bytes");
    }
    file.flush().await.with_context(cannot_write)?;
    file.sync_all().await.with_context(cannot_write)?;
    Ok(written)
}

/// Renames so that the new name survives a crash of the machine.
async fn rename(partial: &Path, file: &Path) -> std::io::Result<()> {
    fs::rename(partial, file).await?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).await?.sync_all().await
}

fn partial_path(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".partial");
    path.into()
}

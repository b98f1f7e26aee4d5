//! The journal without a network, for measuring it: what the server adds is the
//! difference to this.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use domain::{BridgeId, Entry};
use futures::{StreamExt, stream::FuturesOrdered};
use tokio::task::JoinHandle;

use crate::{
    catalog::Catalog,
    db::Database,
    journal::{Batch, Journal, Spool, Writer},
    metrics::Metrics,
};

/// How many batches wait for their commit at most.
const IN_FLIGHT: usize = 16;
const QUEUE_BYTES: u64 = 32 << 20;
const COMMIT_INTERVAL: Duration = Duration::from_millis(20);

/// An open database that takes batches.
#[derive(Debug)]
pub struct Direct {
    journal: Journal,
    writer: JoinHandle<()>,
}

impl Direct {
    /// Opens, or makes, a database file.
    ///
    /// # Errors
    /// It cannot be used.
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let database = Database::open(path).await?;
        let metrics = Arc::new(Metrics::new(&runtime::telemetry::meter("direct")));
        let (journal, queue) = Journal::new(QUEUE_BYTES);
        let memory = (journal.contacts.clone(), journal.seen.clone());
        let writer = Writer::new(database, Catalog::new(), COMMIT_INTERVAL, memory, metrics);
        Ok(Self {
            journal,
            writer: tokio::spawn(writer.run(queue)),
        })
    }

    /// Appends batches of a new spool, a few in flight; returns after the last commit.
    ///
    /// # Errors
    /// A batch was refused.
    pub async fn append(
        &self,
        bridge_id: BridgeId,
        batches: impl Iterator<Item = Vec<Entry>>,
    ) -> anyhow::Result<()> {
        let spool = Spool {
            bridge_id,
            name: "direct".to_owned(),
            first_sequence: 1,
            uptime: None,
        };
        let mut next_sequence = self.journal.open(spool).await?.next_sequence;
        let mut pending = FuturesOrdered::new();
        for entries in batches {
            let first_sequence = next_sequence;
            next_sequence += entries.iter().map(Entry::width).sum::<u64>();
            let batch = Batch {
                bridge_id,
                first_sequence,
                entries,
                mark: String::new(),
            };
            pending.push_back(self.journal.append(batch).await?);
            if pending.len() >= IN_FLIGHT {
                pending.next().await.transpose()?;
            }
        }
        while pending.next().await.transpose()?.is_some() {}
        Ok(())
    }

    /// Ends the writer in good order.
    ///
    /// # Errors
    /// It had ended before.
    pub async fn close(self) -> anyhow::Result<()> {
        drop(self.journal);
        self.writer.await.context("the writer failed")
    }
}

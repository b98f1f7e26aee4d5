//! The writer's connection, and what is known of the committed state. After a
//! failure nobody can say whether the last commit took place: then both are
//! given up and read again.

use std::{collections::HashMap, sync::Arc};

use domain::{BridgeId, Interruption, Micros, Order};
use sqlx::{Connection, SqliteConnection};
use tracing::info;

use super::{Position, Seen, Spool, group::Advance};
use crate::{
    block::{self, BlockError, BlockMeta},
    catalog::{Catalog, Change},
    clock::now_us,
    db::{self, Database, bridge::Bridge, counter::Totals},
    metrics::Metrics,
};

/// A connection that may have to be opened anew.
#[derive(Debug)]
pub(super) struct Session {
    database: Database,
    catalog: Catalog,
    seen: Seen,
    metrics: Arc<Metrics>,
    conn: Option<SqliteConnection>,
    /// Committed positions of the spools heard since the connection was opened.
    positions: HashMap<BridgeId, Position>,
    totals: Totals,
}

impl Session {
    /// Opens nothing yet.
    pub(super) fn new(
        database: Database,
        catalog: Catalog,
        seen: Seen,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            database,
            catalog,
            seen,
            metrics,
            conn: None,
            positions: HashMap::new(),
            totals: Totals::default(),
        }
    }

    /// The connection, with the totals committed on it; opened when there is none.
    pub(super) async fn conn(&mut self) -> sqlx::Result<(&mut SqliteConnection, Totals)> {
        if self.conn.is_none() {
            let mut conn = self.database.writer().await?;
            self.totals = db::counter::read(&mut conn).await?;
            let error = BlockError::Damaged("it has another number of records");
            for entry in self.catalog.replace(db::block::all(&mut conn).await?) {
                self.metrics.set_aside(&entry, &error);
            }
            self.catch_up(&mut conn).await?;
            self.conn = Some(conn);
        }
        let conn = self.conn.as_mut().expect("opened above");
        Ok((conn, self.totals))
    }

    /// Looks at records that were committed, but not seen by this process or not
    /// written by the one before.
    async fn catch_up(&self, conn: &mut SqliteConnection) -> sqlx::Result<()> {
        if self.seen.through_id().is_none() {
            let watch = db::watch::read(conn).await?;
            let systems = db::system::all(conn).await?;
            self.seen.load(systems, watch.seen_id);
        }
        let from_id = self.seen.through_id().unwrap_or(0) + 1;
        let ids = from_id..self.totals.records + 1;
        let blocks: Vec<BlockMeta> = {
            let view = self.catalog.view();
            let entries = view.blocks(&ids, Order::OldestFirst);
            entries.map(|entry| entry.meta.clone()).collect()
        };
        for meta in blocks {
            let parts = db::block::parts(conn, meta.first_id).await?;
            let seen = self.seen.clone();
            let look = move || {
                // What is damaged cannot be looked at: whoever searches tells of it.
                if let Ok(records) = block::decode(&meta, parts) {
                    seen.catch_up(&meta, &records, now_us());
                }
            };
            tokio::task::spawn_blocking(look)
                .await
                .map_err(|_| sqlx::Error::WorkerCrashed)?;
        }
        self.seen.came_to(self.totals.records);
        Ok(())
    }

    /// Where a spool stands; none when it is not known.
    pub(super) async fn position(
        &mut self,
        bridge_id: BridgeId,
    ) -> sqlx::Result<Option<&Position>> {
        if !self.positions.contains_key(&bridge_id) {
            let (conn, _) = self.conn().await?;
            if let Some(bridge) = db::bridge::find(conn, bridge_id).await? {
                let position = Position {
                    next_sequence: bridge.next_sequence,
                    mark: bridge.mark,
                };
                self.positions.insert(bridge_id, position);
            }
        }
        Ok(self.positions.get(&bridge_id))
    }

    /// Where a spool stands; a new one is entered, and of a known one it is noted
    /// whether its bridge was away since it was heard, at `heard_us` or before this
    /// process began.
    pub(super) async fn enter(
        &mut self,
        spool: &Spool,
        heard_us: Option<Micros>,
    ) -> sqlx::Result<Position> {
        if let Some(position) = self.position(spool.bridge_id).await?.cloned() {
            self.note_absence(spool, heard_us).await?;
            return Ok(position);
        }
        let now_us = now_us();
        let bridge = Bridge {
            bridge_id: spool.bridge_id,
            name: spool.name.clone(),
            first_sequence: spool.first_sequence,
            next_sequence: spool.first_sequence,
            first_contact_us: now_us,
            contact_us: now_us,
            mark: String::new(),
            report: None,
        };
        let (conn, _) = self.conn().await?;
        db::file::begin(conn).await?;
        db::bridge::insert(conn, &bridge).await?;
        db::file::commit(conn).await?;
        info!(bridge_id = %spool.bridge_id, name = %spool.name, "new spool");
        let position = Position {
            next_sequence: spool.first_sequence,
            mark: String::new(),
        };
        self.positions.insert(spool.bridge_id, position.clone());
        Ok(position)
    }

    async fn note_absence(&mut self, spool: &Spool, heard_us: Option<Micros>) -> sqlx::Result<()> {
        let Some(uptime) = spool.uptime else {
            return Ok(());
        };
        let uptime_us = Micros::try_from(uptime.as_micros()).unwrap_or(Micros::MAX);
        let to_us = now_us().saturating_sub(uptime_us);
        let (conn, _) = self.conn().await?;
        let from_us = match heard_us {
            Some(heard_us) => heard_us,
            None => match db::bridge::find(conn, spool.bridge_id).await? {
                Some(bridge) => bridge.contact_us,
                None => return Ok(()),
            },
        };
        if from_us >= to_us {
            return Ok(());
        }
        db::file::begin(conn).await?;
        let absence = Interruption { from_us, to_us };
        db::interruption::insert(conn, spool.bridge_id, absence).await?;
        db::file::commit(conn).await
    }

    /// A commit took place: from now on readers know of it.
    pub(super) fn committed(&mut self, totals: Totals, advances: Vec<Advance>, blocks: Change) {
        self.changed(blocks);
        self.totals = totals;
        for advance in advances {
            if let Some(position) = self.positions.get_mut(&advance.bridge_id) {
                position.next_sequence = advance.next_sequence;
                if let Some(mark) = advance.mark {
                    position.mark = mark;
                }
            }
        }
    }

    /// Blocks were changed.
    pub(super) fn changed(&mut self, blocks: Change) {
        self.catalog.apply(blocks);
    }

    /// Gives up the connection and all that is known.
    pub(super) fn reset(&mut self) {
        self.conn = None;
        self.positions.clear();
    }

    /// Closes the connection in good order: SQLite merges the log.
    pub(super) async fn close(self) -> sqlx::Result<()> {
        match self.conn {
            Some(conn) => conn.close().await,
            None => Ok(()),
        }
    }
}

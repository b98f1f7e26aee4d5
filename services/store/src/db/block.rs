//! All SQL of tables `block`, `block_part` and `block_filter`.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use domain::Micros;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Row, SqliteConnection, sqlite::SqliteRow};

use crate::block::{
    BlockMeta, EncodedBlock, FILTER_SLICES, FORMAT, Facets, Kept, MAX_PARTS, SKETCH_PART,
};

/// A block's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockRow {
    pub(crate) meta: BlockMeta,
    /// Compressed size in bytes, with the filter.
    pub(crate) bytes: u64,
    /// Size of the texts before compression.
    pub(crate) text_bytes: u64,
}

impl BlockRow {
    /// What names it, for [`remove`].
    pub(crate) fn key(&self) -> (u64, u32) {
        (self.meta.first_id, self.meta.count)
    }
}

/// What all blocks hold together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) blocks: u64,
    pub(crate) records: u64,
    /// 0 when there is no block.
    pub(crate) oldest_received_us: Micros,
}

/// Whatever the disk has made of it, it is a number that can be read.
const COUNT: &str = "max(0, min(count, 4294967295))";
const COLUMNS: &str = "SELECT first_id, max(0, min(count, 4294967295)), min_received_us, max_received_us, \
     min_created_us, max_created_us, levels, bytes, text_bytes FROM block \
     WHERE first_id BETWEEN 1 AND 72057594037927936";

const COLUMNS_AND_FACETS: &str = "SELECT first_id, max(0, min(count, 4294967295)), min_received_us, max_received_us, \
     min_created_us, max_created_us, levels, bytes, text_bytes, facets FROM block \
     WHERE first_id BETWEEN 1 AND 72057594037927936";

/// How many slices are read at once, as one row: a row costs far more than a
/// value in it.
pub(crate) const SLICES_AT_ONCE: usize = 64;
static SLICES: LazyLock<Arc<str>> = LazyLock::new(|| {
    let slice = "(SELECT bits FROM block_filter WHERE id = ?)";
    format!("SELECT {}", [slice; SLICES_AT_ONCE].join(", ")).into()
});

/// Adds a block whose first record has id `block.meta.first_id`.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    block: EncodedBlock,
    text_bytes: u64,
) -> sqlx::Result<()> {
    let first_id = block.meta.first_id;
    let parts = block.parts.iter().chain(&block.sketch);
    let bytes: usize = parts.chain(&block.filter).map(Vec::len).sum();
    let facets = block.facets.to_bytes(&block.meta);
    insert_meta(conn, &block.meta, &facets, bytes as u64, text_bytes).await?;
    let sketch = block.sketch.map(|sketch| (SKETCH_PART, sketch));
    for (part, data) in block.parts.into_iter().enumerate().chain(sketch) {
        sqlx::query("INSERT INTO block_part (id, data) VALUES (?, ?)")
            .bind(part_key(first_id, part))
            .bind(data)
            .execute(&mut *conn)
            .await?;
    }
    for (slice, bits) in block.filter.into_iter().enumerate() {
        sqlx::query("INSERT INTO block_filter (id, bits) VALUES (?, ?)")
            .bind(slice_key(first_id, slice))
            .bind(bits)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

async fn insert_meta(
    conn: &mut SqliteConnection,
    meta: &BlockMeta,
    facets: &[u8],
    bytes: u64,
    text_bytes: u64,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO block (first_id, count, min_received_us, max_received_us,
             min_created_us, max_created_us, levels, format, bytes, text_bytes, facets)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(meta.first_id.cast_signed())
    .bind(meta.count)
    .bind(meta.min_received_us)
    .bind(meta.max_received_us)
    .bind(meta.min_created_us)
    .bind(meta.max_created_us)
    .bind(levels_to_bytes(&meta.levels))
    .bind(FORMAT)
    .bind(bytes.cast_signed())
    .bind(text_bytes.cast_signed())
    .bind(facets)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a block; false when there is none with this first id and count.
pub(crate) async fn remove(
    conn: &mut SqliteConnection,
    first_id: u64,
    count: u32,
) -> sqlx::Result<bool> {
    let outcome = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM block WHERE first_id = ? AND {COUNT} = ?"
    )))
    .bind(first_id.cast_signed())
    .bind(count)
    .execute(&mut *conn)
    .await?;
    if outcome.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM block_part WHERE id BETWEEN ? AND ?")
        .bind(part_key(first_id, 0))
        .bind(part_key(first_id, MAX_PARTS - 1))
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM block_filter WHERE id IN (SELECT value FROM json_each(?))")
        .bind(slice_keys(first_id))
        .execute(conn)
        .await?;
    Ok(true)
}

/// Whether there is a block with this first id and count.
pub(crate) async fn exists(
    conn: &mut SqliteConnection,
    first_id: u64,
    count: u32,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT EXISTS (SELECT 1 FROM block WHERE first_id = ? AND {COUNT} = ?)"
    )))
    .bind(first_id.cast_signed())
    .bind(count)
    .fetch_one(conn)
    .await
}

/// All blocks with their facets, which are none when they or the summary are
/// damaged.
pub(crate) async fn all(
    conn: &mut SqliteConnection,
) -> sqlx::Result<Vec<(BlockMeta, Option<Facets>)>> {
    let mut rows = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS_AND_FACETS} ORDER BY first_id"
    )))
    .fetch(conn);
    let mut blocks = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let meta = BlockRow::try_from(&row)?.meta;
        let facets = Facets::read(&meta, row.try_get(9)?).ok();
        blocks.push((meta, facets));
    }
    Ok(blocks)
}

/// Blocks that begin at or above `from_id`, oldest first.
pub(crate) async fn since(
    conn: &mut SqliteConnection,
    from_id: u64,
    limit: usize,
) -> sqlx::Result<Vec<BlockRow>> {
    rows(
        &sqlx::query(AssertSqlSafe(format!(
            "{COLUMNS} AND first_id >= ? ORDER BY first_id LIMIT ?"
        )))
        .bind(key(from_id))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(conn)
        .await?,
    )
}

/// The oldest blocks whose newest record was received before the time given.
pub(crate) async fn received_before(
    conn: &mut SqliteConnection,
    before_us: Micros,
    limit: usize,
) -> sqlx::Result<Vec<BlockRow>> {
    rows(
        &sqlx::query(AssertSqlSafe(format!(
            "{COLUMNS} AND max_received_us < ? ORDER BY first_id LIMIT ?"
        )))
        .bind(before_us)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(conn)
        .await?,
    )
}

/// What all blocks hold together.
pub(crate) async fn sums(conn: &mut SqliteConnection) -> sqlx::Result<Sums> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT count(*), coalesce(sum({COUNT}), 0), coalesce(min(min_received_us), 0) FROM block",
    )))
    .fetch_one(conn)
    .await?;
    Ok(Sums {
        blocks: row.try_get::<i64, _>(0)?.max(0).unsigned_abs(),
        records: row.try_get::<i64, _>(1)?.max(0).unsigned_abs(),
        oldest_received_us: row.try_get(2)?,
    })
}

/// Parts of blocks, by first ids and numbers; what is not there is missing.
pub(crate) async fn some_parts(
    conn: &mut SqliteConnection,
    parts: &[(u64, usize)],
) -> sqlx::Result<HashMap<(u64, usize), Vec<u8>>> {
    let keys = json(
        parts
            .iter()
            .map(|(first_id, part)| part_key(*first_id, *part)),
    );
    let rows =
        sqlx::query("SELECT id, data FROM block_part WHERE id IN (SELECT value FROM json_each(?))")
            .bind(keys)
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            let id = row.try_get::<i64, _>(0)?.cast_unsigned();
            let (first_id, part) = (id / MAX_PARTS as u64, id % MAX_PARTS as u64);
            Ok(((first_id, part as usize), row.try_get(1)?))
        })
        .collect()
}

/// All parts of a block but the sketch, in order.
pub(crate) async fn parts(
    conn: &mut SqliteConnection,
    first_id: u64,
) -> sqlx::Result<Vec<Vec<u8>>> {
    sqlx::query_scalar("SELECT data FROM block_part WHERE id BETWEEN ? AND ? ORDER BY id")
        .bind(part_key(first_id, 0))
        .bind(part_key(first_id, SKETCH_PART - 1))
        .fetch_all(conn)
        .await
}

/// Everything that is kept of a block; none when it is not there.
pub(crate) async fn kept(conn: &mut SqliteConnection, first_id: u64) -> sqlx::Result<Option<Kept>> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "{COLUMNS_AND_FACETS} AND first_id = ?"
    )))
    .bind(key(first_id))
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let filter =
        "SELECT bits FROM block_filter WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
    let filter = sqlx::query_scalar(filter)
        .bind(slice_keys(first_id))
        .fetch_all(&mut *conn)
        .await?;
    Ok(Some(Kept {
        meta: BlockRow::try_from(&row)?.meta,
        facets: row.try_get(9)?,
        parts: parts(conn, first_id).await?,
        sketch: part(conn, first_id, SKETCH_PART).await?,
        filter,
    }))
}

/// Slices of filters, by first ids and numbers, as many as are asked for; none
/// for a block without a filter.
pub(crate) async fn slices(
    conn: &mut SqliteConnection,
    wanted: &[(u64, usize)],
) -> sqlx::Result<Vec<Option<Vec<u8>>>> {
    let mut slices = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(SLICES_AT_ONCE) {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(&SLICES)));
        for place in 0..SLICES_AT_ONCE {
            let key = some
                .get(place)
                .map(|(first_id, slice)| slice_key(*first_id, *slice));
            query = query.bind(key);
        }
        let row = query.fetch_one(&mut *conn).await?;
        for place in 0..some.len() {
            slices.push(row.try_get(place)?);
        }
    }
    Ok(slices)
}

/// What a block is opened from.
#[derive(Debug)]
pub(crate) struct Head {
    /// How many records it has.
    pub(crate) count: u32,
    pub(crate) part0: Vec<u8>,
    pub(crate) sketch: Option<Vec<u8>>,
}

/// The heads of many blocks, by first id; with their sketches, where wanted.
pub(crate) async fn heads(
    conn: &mut SqliteConnection,
    first_ids: impl Iterator<Item = u64>,
    with_sketch: bool,
) -> sqlx::Result<HashMap<u64, Head>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT block.first_id, {COUNT}, head.data, sketch.data
         FROM json_each(?1) AS wanted
         JOIN block ON block.first_id = wanted.value
         JOIN block_part AS head ON head.id = block.first_id * ?2
         LEFT JOIN block_part AS sketch ON ?3 AND sketch.id = block.first_id * ?2 + ?4",
    )))
    .bind(json(first_ids.map(key)))
    .bind(MAX_PARTS as i64)
    .bind(with_sketch)
    .bind(SKETCH_PART as i64)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let first_id = row.try_get::<i64, _>(0)?.cast_unsigned();
            let head = Head {
                count: row.try_get(1)?,
                part0: row.try_get(2)?,
                sketch: row.try_get(3)?,
            };
            Ok((first_id, head))
        })
        .collect()
}

/// How many records some blocks have, by first id.
pub(crate) async fn counts(
    conn: &mut SqliteConnection,
    first_ids: impl Iterator<Item = u64>,
) -> sqlx::Result<HashMap<u64, u32>> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT block.first_id, {COUNT} FROM json_each(?1) AS wanted
         JOIN block ON block.first_id = wanted.value",
    )))
    .bind(json(first_ids.map(key)))
    .fetch_all(conn)
    .await?;
    let pair = |row: &SqliteRow| Ok((row.try_get::<i64, _>(0)?.cast_unsigned(), row.try_get(1)?));
    rows.iter().map(pair).collect()
}

/// One part of a block; none when it is not there.
async fn part(
    conn: &mut SqliteConnection,
    first_id: u64,
    part: usize,
) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("SELECT data FROM block_part WHERE id = ?")
        .bind(part_key(first_id, part))
        .fetch_optional(conn)
        .await
}

fn json(keys: impl Iterator<Item = i64>) -> String {
    let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
    format!("[{}]", keys.join(","))
}

fn rows(rows: &[SqliteRow]) -> sqlx::Result<Vec<BlockRow>> {
    rows.iter().map(BlockRow::try_from).collect()
}

fn key(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn part_key(first_id: u64, part: usize) -> i64 {
    key(first_id * MAX_PARTS as u64 + part as u64)
}

fn slice_key(first_id: u64, slice: usize) -> i64 {
    key(((slice as u64) << 56) + first_id)
}

fn slice_keys(first_id: u64) -> String {
    json((0..FILTER_SLICES).map(|slice| slice_key(first_id, slice)))
}

fn levels_to_bytes(levels: &[(i32, u32)]) -> Vec<u8> {
    levels
        .iter()
        .flat_map(|(level, count)| [level.to_le_bytes(), count.to_le_bytes()].concat())
        .collect()
}

fn levels_from_bytes(bytes: &[u8]) -> Vec<(i32, u32)> {
    let (words, _) = bytes.as_chunks::<4>();
    words
        .as_chunks::<2>()
        .0
        .iter()
        .map(|[level, count]| (i32::from_le_bytes(*level), u32::from_le_bytes(*count)))
        .collect()
}

impl TryFrom<&SqliteRow> for BlockRow {
    type Error = sqlx::Error;

    fn try_from(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            meta: BlockMeta {
                first_id: row.try_get::<i64, _>(0)?.cast_unsigned(),
                count: row.try_get(1)?,
                min_received_us: row.try_get(2)?,
                max_received_us: row.try_get(3)?,
                min_created_us: row.try_get(4)?,
                max_created_us: row.try_get(5)?,
                levels: levels_from_bytes(row.try_get(6)?),
            },
            bytes: row.try_get::<i64, _>(7)?.cast_unsigned(),
            text_bytes: row.try_get::<i64, _>(8)?.cast_unsigned(),
        })
    }
}

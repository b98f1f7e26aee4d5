//! The counting calls of `RecordService` on the wire.

use futures::StreamExt;
use proto::v1;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{coverage_to_proto, limit_of, records::Answers, refused, status_of};
use crate::{
    App,
    clock::now_us,
    counts::{self, Bucket, Counts, FieldCounts, Split},
    exceptions::{self, ExceptionGroup, ExceptionsQuery},
    systems::{self, System, SystemsQuery},
};

const SYSTEMS: (usize, usize) = (1_000, 10_000);
const GROUPS: (usize, usize) = (50, 1_000);

pub(super) fn count_records(
    app: &App,
    request: v1::CountRecordsRequest,
) -> Result<Answers<v1::CountRecordsResponse>, Status> {
    let query = proto::count_from_request(request, now_us()).map_err(|error| refused(&error))?;
    let deadline = Instant::now() + app.config.query_timeout;
    let (sender, counts) = mpsc::channel(1);
    let (work, metrics) = (
        counts::run(app.clone(), query, deadline, sender),
        app.metrics.clone(),
    );
    tokio::spawn(async move { metrics.timed("count_records", work).await });
    let answers = ReceiverStream::new(counts).map(|counts| match counts {
        Ok(counts) => Ok(counts_to_proto(counts)),
        Err(error) => Err(status_of(&error)),
    });
    Ok(answers.boxed())
}

pub(super) async fn list_systems(
    app: &App,
    request: v1::ListSystemsRequest,
) -> Result<v1::ListSystemsResponse, Status> {
    let query = SystemsQuery {
        from_us: request.from_us,
        to_us: request.to_us,
        buckets: proto::buckets_from_proto(request.buckets).map_err(|error| refused(&error))?,
        limit: limit_of(request.limit, SYSTEMS.0, SYSTEMS.1)?,
    };
    let deadline = Instant::now() + app.config.query_timeout;
    let list = systems::list(app, &query, deadline);
    let list = app.metrics.timed("list_systems", list).await;
    let list = list.map_err(|error| status_of(&error))?;
    let (from_us, to_us) = list.range_us.unwrap_or_default();
    Ok(v1::ListSystemsResponse {
        systems: list.systems.into_iter().map(system_to_proto).collect(),
        more: list.has_more,
        partial: list.is_partial,
        coverage: Some(coverage_to_proto(&list.coverage)),
        from_us,
        to_us,
    })
}

pub(super) async fn list_exceptions(
    app: &App,
    request: v1::ListExceptionsRequest,
) -> Result<v1::ListExceptionsResponse, Status> {
    let filter = proto::filter_from_proto(request.filter, now_us());
    let query = ExceptionsQuery {
        filter: filter.map_err(|error| refused(&error))?,
        limit: limit_of(request.limit, GROUPS.0, GROUPS.1)?,
        buckets: proto::buckets_from_proto(request.buckets).map_err(|error| refused(&error))?,
    };
    let deadline = Instant::now() + app.config.query_timeout;
    let list = exceptions::list(app, &query, deadline);
    let list = app.metrics.timed("list_exceptions", list).await;
    let list = list.map_err(|error| status_of(&error))?;
    let (from_us, to_us) = list.range_us.unwrap_or_default();
    Ok(v1::ListExceptionsResponse {
        groups: list.groups.into_iter().map(group_to_proto).collect(),
        more: list.has_more,
        partial: list.is_partial,
        coverage: Some(coverage_to_proto(&list.coverage)),
        from_us,
        to_us,
    })
}

fn system_to_proto(system: System) -> v1::System {
    v1::System {
        system_id: String::from(&*system.system_id),
        sub_system_id: String::from(&*system.sub_system_id),
        first_received_us: system.first_received_us,
        last_received_us: system.last_received_us,
        last_id: system.last_id,
        records: system.records,
        recent: system.recent,
    }
}

fn group_to_proto(group: ExceptionGroup) -> v1::ExceptionGroup {
    v1::ExceptionGroup {
        fingerprint: format!("{:016x}", group.fingerprint),
        kind: group.kind,
        summary: group.summary,
        records: group.records,
        first_received_us: group.first_received_us,
        last_received_us: group.last_received_us,
        first_id: group.first_id,
        last_id: group.last_id,
        systems: values_to_proto(group.systems),
        recent: group.recent,
    }
}

fn counts_to_proto(counts: Counts) -> v1::CountRecordsResponse {
    let levels = counts.levels.into_iter();
    v1::CountRecordsResponse {
        coverage: Some(coverage_to_proto(&counts.coverage)),
        complete: counts.is_complete,
        records: counts.records,
        levels: levels
            .map(|(level, records)| v1::LevelCount {
                level: level.number(),
                records,
            })
            .collect(),
        buckets: counts.buckets.into_iter().map(bucket_to_proto).collect(),
        fields: counts.fields.into_iter().map(field_to_proto).collect(),
    }
}

fn bucket_to_proto(bucket: Bucket) -> v1::Bucket {
    let counts = match bucket.split {
        Split::Levels(levels) => levels
            .into_iter()
            .map(|(level, records)| v1::Count {
                level: level.number(),
                value: String::new(),
                records,
            })
            .collect(),
        Split::Values(values) => values
            .into_iter()
            .map(|(value, records)| v1::Count {
                level: 0,
                value,
                records,
            })
            .collect(),
    };
    v1::Bucket {
        start_us: bucket.from_us,
        end_us: bucket.to_us,
        records: bucket.records,
        counts,
    }
}

fn field_to_proto(counts: FieldCounts) -> v1::FieldCounts {
    v1::FieldCounts {
        field: counts.field.name().to_owned(),
        values: values_to_proto(counts.top.values),
        others: counts.top.others,
        more: counts.top.has_more,
    }
}

fn values_to_proto(values: Vec<(String, u64)>) -> Vec<v1::ValueCount> {
    let values = values.into_iter();
    values
        .map(|(value, records)| v1::ValueCount { value, records })
        .collect()
}

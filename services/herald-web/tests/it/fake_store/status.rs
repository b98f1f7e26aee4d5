//! The store at a glance.

use proto::v1::{self, status_service_server::StatusService};
use tokio_stream::Empty;
use tonic::{Request, Response, Status};

use super::{Data, NOW};

#[tonic::async_trait]
impl StatusService for Data {
    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        self.behave().await?;
        let report = v1::BridgeReport {
            spool_bytes: 1,
            spool_limit_bytes: 2,
            lag_entries: 3,
            lag_ms: 4,
            connections: 5,
            received: 6,
            dropped: 7,
            version: "0.1.0".to_owned(),
            destinations: vec![
                v1::DestinationReport {
                    name: "home".to_owned(),
                    is_connected: false,
                    lag_entries: 8,
                    lag_ms: 61_000,
                    is_waiting: false,
                },
                v1::DestinationReport {
                    name: "full".to_owned(),
                    is_connected: false,
                    lag_entries: 9,
                    lag_ms: 61_000,
                    is_waiting: true,
                },
            ],
            slowed: vec![v1::SlowedClient {
                address: "10.0.0.7".to_owned(),
                records_per_second: 1_000,
                since_us: NOW,
            }],
        };
        let bridge = v1::BridgeStatus {
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            name: "web01".to_owned(),
            next_sequence: 43,
            contact_us: NOW,
            mark: String::new(),
            report: Some(report),
        };
        let records = self.records();
        Ok(Response::new(v1::GetStatusResponse {
            records: records.len() as u64,
            dead_letters: 1,
            lost: 2,
            newest_id: records.last().map_or(0, |record| record.id),
            oldest_received_us: records.first().map_or(0, |record| record.received_us),
            database_bytes: 8_192,
            free_bytes: 4_096,
            version: "0.1.0".to_owned(),
            bridges: vec![bridge],
            blocks: 5,
            blocks_damaged: 1,
            small_blocks: 3,
            wal_bytes: 1_024,
            retention_s: 30 * 86_400,
            max_bytes: 1 << 30,
            started_us: NOW - 3_600_000_000,
        }))
    }

    type BackupStream = Empty<Result<v1::BackupResponse, Status>>;

    async fn backup(
        &self,
        _request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }

    type VerifyStream = Empty<Result<v1::VerifyResponse, Status>>;

    async fn verify(
        &self,
        _request: Request<v1::VerifyRequest>,
    ) -> Result<Response<Self::VerifyStream>, Status> {
        Ok(Response::new(tokio_stream::empty()))
    }
}

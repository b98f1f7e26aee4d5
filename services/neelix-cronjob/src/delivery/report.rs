//! What the store is asked and told, once more when it was away for a moment:
//! an attempt that is not reported will be repeated.

use std::time::Duration;

use domain::Delivery;
use proto::v1::{ReportDeliveryRequest, run_service_client::RunServiceClient};
use runtime::grpc::Client;
use tonic::{Code, Response, Status};

use super::{Stop, stopped};

/// For one answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Before asking again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// Says how an attempt went.
pub(super) async fn report(
    runs: &mut RunServiceClient<Client>,
    run_id: u64,
    tried: &Delivery,
) -> Result<(), Stop> {
    let reported = asked(runs, async |runs| {
        let delivery = Some(tried.clone().into());
        runs.report_delivery(ReportDeliveryRequest { run_id, delivery })
            .await
    });
    reported
        .await
        .map(|_| ())
        .map_err(|status| stopped("noted an attempt", &status))
}

/// Asks until there is an answer or no more hope of one.
pub(super) async fn asked<T>(
    runs: &mut RunServiceClient<Client>,
    mut ask: impl AsyncFnMut(&mut RunServiceClient<Client>) -> Result<Response<T>, Status>,
) -> Result<T, Status> {
    let mut pauses = PAUSES.iter();
    loop {
        let answer = tokio::time::timeout(TIMEOUT, ask(runs)).await;
        let status = match answer {
            Ok(Ok(answer)) => return Ok(answer.into_inner()),
            Ok(Err(status)) => status,
            Err(_) => Status::deadline_exceeded("no answer"),
        };
        let may_pass = matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded);
        match pauses.next().filter(|_| may_pass) {
            Some(pause) => tokio::time::sleep(*pause).await,
            None => return Err(status),
        }
    }
}

//! Changes: asked for once, because one may have been made although the answer was
//! lost.

use tonic::{Code, Response, Status};

use super::{DEADLINE, StoreError, classify};

/// Why something was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeFailure {
    /// The name is taken.
    #[error("{0}")]
    Taken(String),
    /// There is none of this name or number.
    #[error("{0}")]
    Missing(String),
    /// The store refuses it.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// What a change gives back.
pub(super) async fn changed<T>(
    asked: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, ChangeFailure> {
    let Ok(outcome) = tokio::time::timeout(DEADLINE, asked).await else {
        return Err(StoreError::NoAnswer.into());
    };
    let status = match outcome {
        Ok(response) => return Ok(response.into_inner()),
        Err(status) => status,
    };
    let message = status.message().to_owned();
    match status.code() {
        Code::AlreadyExists => Err(ChangeFailure::Taken(message)),
        Code::NotFound => Err(ChangeFailure::Missing(message)),
        Code::InvalidArgument | Code::FailedPrecondition => Err(ChangeFailure::Refused(message)),
        _ => Err(classify(&status).into()),
    }
}

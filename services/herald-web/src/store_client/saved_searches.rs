//! Saved searches: a change is asked for once, because it may have been made
//! although the answer was lost.

use domain::{SavedSearch, SearchName, SearchQuery};
use proto::v1;
use tonic::{Code, Response, Status};

use super::{DEADLINE, StoreClient, StoreError, answer, classify, told_deadline};

/// Why a saved search was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeFailure {
    /// The name is taken.
    #[error("{0}")]
    Taken(String),
    /// There is none of this name.
    #[error("{0}")]
    Missing(String),
    /// The store refuses it.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl StoreClient {
    /// All of them, by name.
    pub(crate) async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        let answer = answer(|| {
            let mut client = self.searches.clone();
            let request = told_deadline(v1::ListSavedSearchesRequest {});
            async move { client.list_saved_searches(request).await }
        });
        let searches = answer.await?.saved_searches.into_iter();
        searches
            .map(|search| search.try_into().map_err(|_| StoreError::Failed))
            .collect()
    }

    /// Saves a view under a name.
    pub(crate) async fn save_search(
        &self,
        name: &SearchName,
        query: &SearchQuery,
        overwrite: bool,
    ) -> Result<(), ChangeFailure> {
        let mut client = self.searches.clone();
        let request = v1::SaveSearchRequest {
            name: name.to_string(),
            query: query.as_str().to_owned(),
            overwrite,
        };
        changed(client.save_search(told_deadline(request))).await
    }

    /// Gives a saved search another name.
    pub(crate) async fn rename_search(
        &self,
        name: &SearchName,
        new_name: &SearchName,
    ) -> Result<(), ChangeFailure> {
        let mut client = self.searches.clone();
        let request = v1::RenameSearchRequest {
            name: name.to_string(),
            new_name: new_name.to_string(),
        };
        changed(client.rename_search(told_deadline(request))).await
    }

    /// Forgets a saved search.
    pub(crate) async fn delete_search(&self, name: &SearchName) -> Result<(), ChangeFailure> {
        let mut client = self.searches.clone();
        let name = name.to_string();
        let request = v1::DeleteSearchRequest { name };
        changed(client.delete_search(told_deadline(request))).await
    }
}

async fn changed<T>(
    asked: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<(), ChangeFailure> {
    let Ok(outcome) = tokio::time::timeout(DEADLINE, asked).await else {
        return Err(StoreError::NoAnswer.into());
    };
    let Err(status) = outcome else {
        return Ok(());
    };
    let message = status.message().to_owned();
    match status.code() {
        Code::AlreadyExists => Err(ChangeFailure::Taken(message)),
        Code::NotFound => Err(ChangeFailure::Missing(message)),
        Code::InvalidArgument | Code::FailedPrecondition => Err(ChangeFailure::Refused(message)),
        _ => Err(classify(&status).into()),
    }
}

//! `SavedSearchService`: views of the log with a name.

use domain::{SearchName, SearchQuery};
use proto::v1::{self, saved_search_service_server::SavedSearchService};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{audit::author_of, status_of};
use crate::{App, saved_searches};

/// The service.
pub(super) struct SavedSearches {
    app: App,
}

impl SavedSearches {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.app.config.query_timeout
    }
}

#[tonic::async_trait]
impl SavedSearchService for SavedSearches {
    async fn list_saved_searches(
        &self,
        _request: Request<v1::ListSavedSearchesRequest>,
    ) -> Result<Response<v1::ListSavedSearchesResponse>, Status> {
        let searches = saved_searches::list(&self.app, self.deadline()).await;
        let searches = searches.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListSavedSearchesResponse {
            saved_searches: searches.into_iter().map(Into::into).collect(),
        }))
    }

    async fn save_search(
        &self,
        request: Request<v1::SaveSearchRequest>,
    ) -> Result<Response<v1::SaveSearchResponse>, Status> {
        let author = author_of(&request)?;
        let request = request.into_inner();
        let name = name_of(&request.name)?;
        let query = SearchQuery::new(&request.query).map_err(proto::ConvertError::from)?;
        let overwrite = request.overwrite;
        let deadline = self.deadline();
        let saved = saved_searches::save(&self.app, name, query, overwrite, author, deadline).await;
        let saved = saved.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::SaveSearchResponse {
            saved_search: Some(saved.into()),
        }))
    }

    async fn rename_search(
        &self,
        request: Request<v1::RenameSearchRequest>,
    ) -> Result<Response<v1::RenameSearchResponse>, Status> {
        let author = author_of(&request)?;
        let request = request.into_inner();
        let name = name_of(&request.name)?;
        let new_name = name_of(&request.new_name)?;
        let renamed =
            saved_searches::rename(&self.app, name, new_name, author, self.deadline()).await;
        let renamed = renamed.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::RenameSearchResponse {
            saved_search: Some(renamed.into()),
        }))
    }

    async fn delete_search(
        &self,
        request: Request<v1::DeleteSearchRequest>,
    ) -> Result<Response<v1::DeleteSearchResponse>, Status> {
        let author = author_of(&request)?;
        let name = name_of(&request.into_inner().name)?;
        let deleted = saved_searches::delete(&self.app, name, author).await;
        deleted.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::DeleteSearchResponse {}))
    }
}

fn name_of(text: &str) -> Result<SearchName, Status> {
    Ok(SearchName::new(text).map_err(proto::ConvertError::from)?)
}

//! Saved searches in memory.

use std::sync::Arc;

use domain::{SearchName, SearchQuery};
use proto::v1::{self, saved_search_service_server::SavedSearchService};
use tonic::{Request, Response, Status};

use super::{Data, NOW};

/// The service.
pub(super) struct SavedSearches(pub(super) Arc<Data>);

fn name_of(text: &str) -> Result<SearchName, Status> {
    SearchName::new(text).map_err(|error| Status::invalid_argument(error.to_string()))
}

impl SavedSearches {
    fn place(&self, name: &SearchName) -> Option<usize> {
        let searches = self.0.searches.lock().unwrap();
        let is_it =
            |search: &v1::SavedSearch| SearchName::new(&search.name).unwrap().key() == name.key();
        searches.iter().position(is_it)
    }

    fn existing(&self, name: &SearchName) -> Result<usize, Status> {
        let missing = || Status::not_found(format!("there is no saved search named `{name}`"));
        self.place(name).ok_or_else(missing)
    }
}

fn taken(name: &SearchName) -> Status {
    Status::already_exists(format!("a saved search named `{name}` exists already"))
}

#[tonic::async_trait]
impl SavedSearchService for SavedSearches {
    async fn list_saved_searches(
        &self,
        _request: Request<v1::ListSavedSearchesRequest>,
    ) -> Result<Response<v1::ListSavedSearchesResponse>, Status> {
        self.0.behave().await?;
        let mut saved_searches = self.0.searches.lock().unwrap().clone();
        saved_searches.sort_by_key(|search| search.name.to_lowercase());
        Ok(Response::new(v1::ListSavedSearchesResponse {
            saved_searches,
        }))
    }

    async fn save_search(
        &self,
        request: Request<v1::SaveSearchRequest>,
    ) -> Result<Response<v1::SaveSearchResponse>, Status> {
        self.0.behave().await?;
        let name = &request.get_ref().name;
        self.0.note(&request, v1::AuditAction::SearchSaved, name);
        let request = request.into_inner();
        let name = name_of(&request.name)?;
        SearchQuery::new(&request.query).unwrap();
        let search = v1::SavedSearch {
            name: name.to_string(),
            query: request.query,
            created_us: NOW,
            updated_us: NOW,
        };
        match self.place(&name) {
            Some(_) if !request.overwrite => return Err(taken(&name)),
            Some(at) => self.0.searches.lock().unwrap()[at] = search.clone(),
            None => self.0.searches.lock().unwrap().push(search.clone()),
        }
        Ok(Response::new(v1::SaveSearchResponse {
            saved_search: Some(search),
        }))
    }

    async fn rename_search(
        &self,
        request: Request<v1::RenameSearchRequest>,
    ) -> Result<Response<v1::RenameSearchResponse>, Status> {
        self.0.behave().await?;
        let name = &request.get_ref().name;
        self.0.note(&request, v1::AuditAction::SearchRenamed, name);
        let request = request.into_inner();
        let (name, new_name) = (name_of(&request.name)?, name_of(&request.new_name)?);
        let at = self.existing(&name)?;
        if self.place(&new_name).is_some_and(|other| other != at) {
            return Err(taken(&new_name));
        }
        let mut searches = self.0.searches.lock().unwrap();
        searches[at].name = new_name.to_string();
        Ok(Response::new(v1::RenameSearchResponse {
            saved_search: Some(searches[at].clone()),
        }))
    }

    async fn delete_search(
        &self,
        request: Request<v1::DeleteSearchRequest>,
    ) -> Result<Response<v1::DeleteSearchResponse>, Status> {
        self.0.behave().await?;
        let name = &request.get_ref().name;
        self.0.note(&request, v1::AuditAction::SearchDeleted, name);
        let at = self.existing(&name_of(&request.into_inner().name)?)?;
        self.0.searches.lock().unwrap().remove(at);
        Ok(Response::new(v1::DeleteSearchResponse {}))
    }
}

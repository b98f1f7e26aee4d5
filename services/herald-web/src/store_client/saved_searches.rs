//! Saved searches. They are the same for all: who sees some systems only changes none.

use domain::{Author, SavedSearch, SearchName, SearchQuery};
use proto::v1;

use super::{
    ChangeFailure, StoreClient, StoreError, answer, audit::in_name_of, change::changed,
    told_deadline,
};

impl StoreClient {
    /// All of them, by name.
    pub(crate) async fn saved_searches(&self) -> Result<Vec<SavedSearch>, StoreError> {
        let answer = answer(|| {
            let mut client = self.searches.clone();
            let request = told_deadline(v1::ListSavedSearchesRequest {});
            async move { client.list_saved_searches(request).await }
        });
        let searches = answer.await?.saved_searches.into_iter();
        let searches = searches.map(|search| search.try_into().map_err(|_| StoreError::Failed));
        let mut searches: Vec<SavedSearch> = searches.collect::<Result<_, _>>()?;
        searches.retain(|search| self.sees_search(search));
        Ok(searches)
    }

    /// Saves a view under a name.
    pub(crate) async fn save_search(
        &self,
        name: &SearchName,
        query: &SearchQuery,
        overwrite: bool,
        author: &Author,
    ) -> Result<(), ChangeFailure> {
        self.require_all()?;
        let mut client = self.searches.clone();
        let request = v1::SaveSearchRequest {
            name: name.to_string(),
            query: query.as_str().to_owned(),
            overwrite,
        };
        changed(client.save_search(in_name_of(author, request))).await?;
        Ok(())
    }

    /// Gives a saved search another name.
    pub(crate) async fn rename_search(
        &self,
        name: &SearchName,
        new_name: &SearchName,
        author: &Author,
    ) -> Result<(), ChangeFailure> {
        self.require_all()?;
        let mut client = self.searches.clone();
        let request = v1::RenameSearchRequest {
            name: name.to_string(),
            new_name: new_name.to_string(),
        };
        changed(client.rename_search(in_name_of(author, request))).await?;
        Ok(())
    }

    /// Forgets a saved search.
    pub(crate) async fn delete_search(
        &self,
        name: &SearchName,
        author: &Author,
    ) -> Result<(), ChangeFailure> {
        self.require_all()?;
        let mut client = self.searches.clone();
        let name = name.to_string();
        let request = v1::DeleteSearchRequest { name };
        changed(client.delete_search(in_name_of(author, request))).await?;
        Ok(())
    }
}

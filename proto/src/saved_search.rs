//! Saved searches between the wire's type and the domain's.

use domain::{SavedSearch, SearchName, SearchQuery};

use crate::{ConvertError, v1};

impl From<SavedSearch> for v1::SavedSearch {
    fn from(search: SavedSearch) -> Self {
        Self {
            name: search.name.into(),
            query: search.query.into(),
            created_us: search.created_us,
            updated_us: search.updated_us,
        }
    }
}

impl TryFrom<v1::SavedSearch> for SavedSearch {
    type Error = ConvertError;

    fn try_from(search: v1::SavedSearch) -> Result<Self, ConvertError> {
        Ok(Self {
            name: SearchName::new(&search.name)?,
            query: SearchQuery::new(&search.query)?,
            created_us: search.created_us,
            updated_us: search.updated_us,
        })
    }
}

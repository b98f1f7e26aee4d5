//! For whom a call is made: metadata that herald-web sends with what it changes.

use domain::{Author, AuthorKind};
use prost::Message;
use tonic::{
    Request, Status,
    metadata::{BinaryMetadataValue, MetadataMap},
};

use crate::{ConvertError, v1};

/// The name of the metadata.
const KEY: &str = "herald-author-bin";

/// Says for whom a call is made.
pub fn attach<T>(request: &mut Request<T>, author: &Author) {
    let value = v1::Author::from(author.clone()).encode_to_vec();
    let value = BinaryMetadataValue::from_bytes(&value);
    request.metadata_mut().insert_bin(KEY, value);
}

/// For whom a call is made; none when it does not say.
///
/// # Errors
/// INVALID_ARGUMENT: what is said is nobody.
pub fn read(metadata: &MetadataMap) -> Result<Option<Author>, Status> {
    let Some(value) = metadata.get_bin(KEY) else {
        return Ok(None);
    };
    let wrong = || Status::invalid_argument("author: the metadata is no herald.v1.Author");
    let bytes = value.to_bytes().map_err(|_| wrong())?;
    let author = v1::Author::decode(bytes).map_err(|_| wrong())?;
    Ok(Some(Author::try_from(author)?))
}

impl From<Author> for v1::Author {
    fn from(author: Author) -> Self {
        let kind = match author.kind {
            AuthorKind::User => v1::AuthorKind::User,
            AuthorKind::Token => v1::AuthorKind::Token,
            AuthorKind::Proxy => v1::AuthorKind::Proxy,
            AuthorKind::Link => v1::AuthorKind::Link,
            AuthorKind::Unsigned => v1::AuthorKind::Unsigned,
            AuthorKind::Client => v1::AuthorKind::Client,
        };
        let address = author.address.map(|address| address.to_string());
        Self {
            kind: kind.into(),
            name: author.name,
            said: author.said,
            address: address.unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::Author> for Author {
    type Error = ConvertError;

    fn try_from(author: v1::Author) -> Result<Self, ConvertError> {
        let kind = match v1::AuthorKind::try_from(author.kind) {
            Ok(v1::AuthorKind::User) => AuthorKind::User,
            Ok(v1::AuthorKind::Token) => AuthorKind::Token,
            Ok(v1::AuthorKind::Proxy) => AuthorKind::Proxy,
            Ok(v1::AuthorKind::Link) => AuthorKind::Link,
            Ok(v1::AuthorKind::Unsigned) => AuthorKind::Unsigned,
            Ok(v1::AuthorKind::Client) => AuthorKind::Client,
            Ok(v1::AuthorKind::Unspecified) | Err(_) => {
                return Err(ConvertError::Unknown("kind of author", author.kind));
            }
        };
        let (name, said) = (author.name, author.said);
        Ok(Self::new(kind, name, said, &author.address)?)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Author, AuthorKind};
    use tonic::{Code, Request, metadata::BinaryMetadataValue};

    use super::{KEY, attach, read};

    #[test]
    fn the_author_travels_with_the_call() {
        let author = Author::cut(AuthorKind::Proxy, "Jürgen", "", None);
        let mut request = Request::new(());
        assert_eq!(read(request.metadata()).unwrap(), None);
        attach(&mut request, &author);
        assert_eq!(read(request.metadata()).unwrap(), Some(author));
    }

    #[test]
    fn what_is_no_author_is_refused() {
        for bytes in [&b"\xff"[..], b"", b"\x08\x01\x12\x03a\nb"] {
            let mut request = Request::new(());
            let value = BinaryMetadataValue::from_bytes(bytes);
            request.metadata_mut().insert_bin(KEY, value);
            let refused = read(request.metadata()).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{bytes:?}");
        }
    }
}

//! Finds out whether something failed for want of trust.

use std::{error::Error, io};

/// What TLS has said, when it is among the causes of `error`: such as an authority
/// that is not known, or a certificate that has expired.
#[must_use]
pub fn failure<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An I/O error does not count what it is made of among its causes.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| failure(inner)) {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::failure;

    #[test]
    fn the_cause_is_found_within_other_errors() {
        let cause = rustls::Error::NoCertificatesPresented;
        let error = io::Error::other(io::Error::other(cause.clone()));
        assert_eq!(failure(&error), Some(&cause));
        assert_eq!(failure(&io::Error::other("something else")), None);
    }
}

//! Shows and searches records in the browser.

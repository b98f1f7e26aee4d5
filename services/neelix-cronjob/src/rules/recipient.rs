//! Who is told: addresses of mail and URLs.

/// What an address stands for when it has no domain: somebody at this machine.
const LOCAL: &str = "localhost";

/// An address of mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) address: String,
    /// It was a name only, and is taken for one of this machine.
    pub(super) is_local: bool,
}

/// Reads an address such as `a@b.c` or `A B <a@b.c>`; of the latter only what is in
/// the brackets is kept.
///
/// # Errors
/// What is wrong, in one sentence.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let no = || format!("`{}` is no address of mail", crate::ini::short(text));
    let bare = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or_else(no)?,
        None => text,
    };
    let bare = bare.trim();
    let is_word = |text: &str| {
        let is_plain =
            |c: char| !c.is_whitespace() && !c.is_control() && !r#"@<>()[]\,;:""#.contains(c);
        !text.is_empty() && text.chars().all(is_plain)
    };
    let is_dotted = |text: &str| text.split('.').all(|part| !part.is_empty());
    // What mails cannot be addressed to later is told now.
    let is_sendable = |address: &str| address.parse::<lettre::Address>().is_ok();
    match bare.rsplit_once('@') {
        Some((user, domain))
            if bare.len() <= 254
                && is_word(user)
                && is_word(domain)
                && is_dotted(domain)
                && is_dotted(user)
                && is_sendable(bare) =>
        {
            Ok(Address {
                address: bare.to_owned(),
                is_local: false,
            })
        }
        None if bare.len() <= 64
            && is_word(bare)
            && is_dotted(bare)
            && is_sendable(&format!("{bare}@{LOCAL}")) =>
        {
            Ok(Address {
                address: format!("{bare}@{LOCAL}"),
                is_local: true,
            })
        }
        _ => Err(no()),
    }
}

/// Reads the URL of a webhook.
///
/// # Errors
/// What is wrong, in one sentence.
pub(super) fn webhook(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let is_plain = |c: char| c.is_ascii_graphic();
    match host {
        Some(host) if !host.is_empty() && text.len() <= 2_000 && text.chars().all(is_plain) => {
            Ok(text.to_owned())
        }
        _ => Err(format!("`{}` is no URL", crate::ini::short(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::{address, webhook};

    #[test]
    fn addresses_are_read() {
        let check = |text: &str, expected: Option<&str>| {
            let address = address(text).ok().map(|address| address.address);
            assert_eq!(address.as_deref(), expected, "{text}");
        };
        check("a@b.c", Some("a@b.c"));
        check("Anna B <a.b@c.d>", Some("a.b@c.d"));
        check("root", Some("root@localhost"));
        check("ä@b.c", Some("ä@b.c"));
        check("a b@c.d", None);
        check("a@b.c\r\nBcc: d@e.f", None);
        check("a@b@c", None);
        check("a@", None);
        check("@b", None);
        check("a@b..c", None);
        check("<a@b.c", None);
        check("a@b.c;d@e.f", None);
        // Guards: these were read, and lost the mail for everybody else later.
        check("a@-b.c", None);
        check("a@b-.c", None);
    }

    #[test]
    fn webhooks_are_urls() {
        let check = |text: &str, is_valid: bool| {
            assert_eq!(webhook(text).is_ok(), is_valid, "{text}");
        };
        check("https://chat.example/hook?key=1", true);
        check("http://localhost:8080/", true);
        check("ftp://x/", false);
        check("https:///x", false);
        check("https://a b", false);
        check("chat.example", false);
    }
}

//! What is told to those who get a mail or keep the rules, and not to everybody who
//! may read: signed links, and the addresses of webhooks, which often are their own
//! permission.

use std::collections::HashSet;

use domain::{DeliveryChannel, Notification, Rule};

/// Stands where something is left out.
const NOT_SHOWN: &str = "(not shown)";

/// A notification as everybody may read it.
pub(crate) fn public_notification(mut notification: Notification) -> Notification {
    notification.text = without_signed_links(&notification.text);
    for delivery in &mut notification.deliveries {
        if delivery.channel == DeliveryChannel::Webhook {
            delivery.recipient = origin(&delivery.recipient);
        }
    }
    notification
}

/// A rule as everybody may read it.
pub(crate) fn public_rule(mut rule: Rule) -> Rule {
    rule.text = without_webhooks(&rule.text);
    for recipient in &mut rule.recipients {
        if recipient.contains("://") {
            *recipient = origin(recipient);
        }
    }
    rule
}

/// A text without links that silence an alert for whoever opens them.
fn without_signed_links(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        if word.contains("/silence?") && word.contains("signature=") {
            shown.push_str(NOT_SHOWN);
            shown.push_str(&piece[word.len()..]);
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

/// Scheme and host of a URL.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return NOT_SHOWN.to_owned();
    };
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// A section of the rules file without its webhooks, also those in comments, and
/// without the keys that they are put together from.
fn without_webhooks(text: &str) -> String {
    let mut hidden = HashSet::from(["webhook".to_owned()]);
    loop {
        let (shown, parts) = without(text, &hidden);
        let known = hidden.len();
        hidden.extend(parts);
        if hidden.len() == known {
            return shown;
        }
    }
}

/// The text without the values of some keys, and the names of the keys that these
/// values refer to as `%(key)s`.
fn without(text: &str, hidden: &HashSet<String>) -> (String, Vec<String>) {
    let mut shown: Vec<String> = Vec::new();
    let mut parts = Vec::new();
    // How far the key is indented whose value is being left out.
    let mut indent_left_out: Option<usize> = None;
    for line in text.split('\n') {
        let content = line.trim();
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let entry = content.trim_start_matches(|c: char| "#;".contains(c) || c.is_whitespace());
        let is_comment = content.starts_with(['#', ';']);
        let key = entry.split_once(['=', ':']).map(|(key, _)| key.trim());
        if let Some(key) = key.filter(|key| hidden.contains(&key.to_lowercase())) {
            let before = &line[..line.len() - line.trim_start().len()];
            let mark = &content[..content.len() - entry.len()];
            shown.push(format!("{before}{mark}{key}={NOT_SHOWN}"));
            parts.extend(references(entry));
            if !is_comment {
                indent_left_out = Some(indent);
            }
            continue;
        }
        let is_continued = !is_comment && indent_left_out.is_some_and(|of_key| indent > of_key);
        if content.is_empty() {
            shown.push(line.to_owned());
        } else if is_continued {
            parts.extend(references(content));
        } else if is_comment {
            // What was a part of the value before somebody put a mark before it.
            if indent_left_out.is_none() || !content.contains("://") {
                shown.push(line.to_owned());
            }
        } else {
            indent_left_out = None;
            shown.push(line.to_owned());
        }
    }
    (shown.join("\n"), parts)
}

fn references(value: &str) -> impl Iterator<Item = String> {
    let names = value.split("%(").skip(1);
    names.filter_map(|rest| Some(rest.split_once(")s")?.0.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{origin, without_signed_links, without_webhooks};

    /// Guards against everybody who may read a page silencing alerts by the links of
    /// its mails.
    #[test]
    fn signed_links_are_not_shown() {
        let check = |text: &str, expected: &str| assert_eq!(without_signed_links(text), expected);
        check("", "");
        check("a  b\n\tc\r\n", "a  b\n\tc\r\n");
        check(
            "Silence 1 h:  https://h.example/alerts/7/silence?for=1h&expires=9&signature=ab-_\n\
             Silence 1 d:  <https://h.example/alerts/7/silence?for=1d&expires=9&signature=cd>\n\
             Alert:        https://h.example/alerts/7\n",
            "Silence 1 h:  (not shown)\nSilence 1 d:  (not shown)\n\
             Alert:        https://h.example/alerts/7\n",
        );
    }

    /// Guards against tokens and passwords of webhooks being shown to everybody.
    #[test]
    fn of_a_webhook_only_scheme_and_host_are_shown() {
        let check = |url: &str, expected: &str| assert_eq!(origin(url), expected);
        check(
            "https://hooks.example/T0/secret?x=1#y",
            "https://hooks.example",
        );
        check(
            "https://me:secret@hooks.example:8443/x",
            "https://hooks.example:8443",
        );
        check(
            "http://hooks.example?token=secret@z",
            "http://hooks.example",
        );
        check("http://me@x@hooks.example", "http://hooks.example");
        check("secret", "(not shown)");
    }

    /// Guards against the same in the texts of rules.
    #[test]
    fn rules_are_shown_without_their_webhooks() {
        let check = |text: &str, expected: &str| assert_eq!(without_webhooks(text), expected);
        let plain = "# see https://wiki.example\n[shop]\nMSG=a\n  b\nWEBHOOKS=1";
        check(plain, plain);
        check(
            "[shop]\nMSG=a\nWebhook : https://h/s\n  https://h/t\n\n# why\n  #https://h/u\nLEVEL=x\n  y",
            "[shop]\nMSG=a\nWebhook=(not shown)\n\n# why\nLEVEL=x\n  y",
        );
        check(
            "[a]\n#; WEBHOOK=https://h/s\n MSG=b\n  webhook=https://h/t",
            "[a]\n#; WEBHOOK=(not shown)\n MSG=b\n  webhook=(not shown)",
        );
        check(
            "[a]\nTOKEN=%(Half)s1\nhalf=secret\nWEBHOOK=https://h/\n  %(token)s",
            "[a]\nTOKEN=(not shown)\nhalf=(not shown)\nWEBHOOK=(not shown)",
        );
    }
}

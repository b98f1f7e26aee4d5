//! Addresses of Herald's pages, for mails.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Alert, Micros};
use form_urlencoded::Serializer;
use hmac::{Hmac, KeyInit, Mac};
use render::rfc3339;
use sha2::Sha256;

use super::{Finding, Site};

/// For how long a signed link is good, in seconds.
const LIFE_S: i64 = 30 * 24 * 60 * 60;
/// Longer addresses break in mails; what makes them so long is left out.
const MAX_BYTES: usize = 1_500;
/// The end of a time range is not part of it.
const MARGIN_US: Micros = 1_000_000;

/// An alert's page.
pub(super) fn alert(site: &Site, id: u64) -> String {
    format!("{}/alerts/{id}", base(site))
}

/// All alerts of a rule, and the rule.
pub(super) fn rule(site: &Site, name: &str) -> String {
    let query = Serializer::new(String::new())
        .append_pair("rule", name)
        .finish();
    match query.len() {
        0..MAX_BYTES => format!("{}/alerts?{query}#rules", base(site)),
        _ => format!("{}/alerts#rules", base(site)),
    }
}

/// All alerts that go on.
pub(super) fn alerts(site: &Site) -> String {
    format!("{}/alerts", base(site))
}

/// A record among its neighbours.
pub(super) fn record(site: &Site, id: u64) -> String {
    format!("{}/record/{id}", base(site))
}

/// The matching records; for a heartbeat, the system's log.
pub(super) fn search(site: &Site, finding: &Finding) -> String {
    let alert = &finding.alert;
    let pairs = [
        ("q", finding.search.clone()),
        ("system_id", alert.subject.system_id.clone()),
        ("sub_system_id", alert.subject.sub_system_id.clone()),
        ("from", time_or_none(from(alert, &finding.search))),
        ("to", time_or_none(to(alert, &finding.search))),
    ];
    let query = |pairs: &[(&str, String)]| {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    };
    let whole = query(&pairs);
    match whole.len() {
        0..MAX_BYTES => format!("{}/?{whole}", base(site)),
        _ => format!("{}/?{}", base(site), query(&pairs[3..])),
    }
}

/// A signed link to the page that silences an alert for `1h` or `1d`.
pub(super) fn silence(site: &Site, id: u64, period: &str) -> String {
    let expires = site.now_us.div_euclid(1_000_000) + LIFE_S;
    let signature = sign(&site.link_key, id, period, expires);
    format!(
        "{}/alerts/{id}/silence?for={period}&expires={expires}&signature={signature}",
        base(site)
    )
}

fn sign(key: &[u8], id: u64, period: &str, expires: i64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(format!("silence\n{id}\n{period}\n{expires}").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

fn base(site: &Site) -> &str {
    site.url.trim_end_matches('/')
}

fn from(alert: &Alert, search: &str) -> Micros {
    match search {
        "" => 0,
        _ => alert.since_us,
    }
}

fn to(alert: &Alert, search: &str) -> Micros {
    match search {
        "" => 0,
        _ if alert.last_us == 0 => 0,
        _ => alert.last_us.saturating_add(MARGIN_US),
    }
}

fn time_or_none(at_us: Micros) -> String {
    match at_us {
        0 => String::new(),
        at_us => rfc3339(at_us),
    }
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn a_signature_is_that_of_hmac_sha256() {
        // From Python: hmac.new(bytes(range(32)), b"silence\n7\n1h\n1800000000", sha256).
        let key: Vec<u8> = (0..32).collect();
        assert_eq!(
            sign(&key, 7, "1h", 1_800_000_000),
            "EXibr3CwLKgUCVsHZXJAeke7q7rmyW_ucyoQUJnsI1c"
        );
    }
}

//! Who may call what, where certificates say who somebody is.

use Role::{Bridge, Neelix, Operator, Web};

/// What a client is, as a URI among the alternative names of its certificate says:
/// `herald://bridge/NAME`, `herald://herald-web/NAME`, `herald://neelix/NAME` or
/// `herald://operator/NAME`. The rest is for those who read the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A bridge: hands in what it has taken.
    Bridge,
    /// herald-web: reads everything, and changes what people change.
    Web,
    /// neelix: reads records, and keeps what it finds.
    Neelix,
    /// Who uses the commands of `herald`: reads, copies, checks and imports.
    Operator,
}

impl Role {
    /// The role that a URI gives; `None` when it gives none.
    #[must_use]
    pub fn of(uri: &str) -> Option<Self> {
        let (role, name) = uri.strip_prefix("herald://")?.split_once('/')?;
        match (role, name) {
            (_, "") => None,
            ("bridge", _) => Some(Bridge),
            ("herald-web", _) => Some(Web),
            ("neelix", _) => Some(Neelix),
            ("operator", _) => Some(Operator),
            _ => None,
        }
    }
}

const READERS: &[Role] = &[Web, Neelix, Operator];
const VIEWERS: &[Role] = &[Web, Operator];
const ALL: &[Role] = &[Bridge, Web, Neelix, Operator];

/// Every method, and whose it is. What is not here is nobody's.
const TABLE: [(&str, &[Role]); METHODS] = [
    ("/herald.v1.IngestService/Append", &[Bridge, Operator]),
    ("/herald.v1.RecordService/ListRecords", READERS),
    ("/herald.v1.RecordService/GetRecord", READERS),
    ("/herald.v1.RecordService/GetRecordContext", READERS),
    ("/herald.v1.RecordService/TailRecords", READERS),
    ("/herald.v1.RecordService/ExportRecords", READERS),
    ("/herald.v1.RecordService/CountRecords", READERS),
    ("/herald.v1.RecordService/ListSystems", READERS),
    ("/herald.v1.RecordService/ListExceptions", READERS),
    ("/herald.v1.RecordService/ListDeadLetters", READERS),
    ("/herald.v1.RecordService/ListGaps", READERS),
    ("/herald.v1.AlertService/ListAlerts", READERS),
    ("/herald.v1.AlertService/GetAlert", READERS),
    ("/herald.v1.AlertService/ListHeartbeats", READERS),
    ("/herald.v1.AlertService/ListRules", READERS),
    ("/herald.v1.AlertService/ListRuns", READERS),
    ("/herald.v1.AlertService/GetAlertStatus", READERS),
    ("/herald.v1.AlertService/AcknowledgeAlert", &[Web]),
    ("/herald.v1.AlertService/SilenceAlert", &[Web]),
    ("/herald.v1.RunService/BeginRun", &[Neelix]),
    ("/herald.v1.RunService/GetRunState", &[Neelix]),
    ("/herald.v1.RunService/ListSeenSystems", &[Neelix]),
    ("/herald.v1.RunService/RenewRun", &[Neelix]),
    ("/herald.v1.RunService/CommitRun", &[Neelix]),
    ("/herald.v1.RunService/ListDueNotifications", &[Neelix]),
    ("/herald.v1.RunService/ReportDelivery", &[Neelix]),
    ("/herald.v1.RunService/EndRun", &[Neelix]),
    ("/herald.v1.SavedSearchService/ListSavedSearches", VIEWERS),
    ("/herald.v1.SavedSearchService/SaveSearch", &[Web]),
    ("/herald.v1.SavedSearchService/RenameSearch", &[Web]),
    ("/herald.v1.SavedSearchService/DeleteSearch", &[Web]),
    ("/herald.v1.AuditService/ListAuditEntries", VIEWERS),
    ("/herald.v1.AuditService/AddAuditEntry", &[Web]),
    ("/herald.v1.StatusService/GetStatus", READERS),
    ("/herald.v1.StatusService/Backup", &[Operator]),
    ("/herald.v1.StatusService/Verify", &[Operator]),
    // Not there in PRODUCTION.
    (REFLECTION, ALL),
];
const METHODS: usize = 37;
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

/// Whether somebody whose certificate has these URIs may call the method at `path`,
/// such as `/herald.v1.RecordService/GetRecord`.
#[must_use]
pub fn may_call(uris: &[String], path: &str) -> bool {
    let Some((_, whose)) = TABLE.iter().find(|(method, _)| *method == path) else {
        return false;
    };
    let mut roles = uris.iter().filter_map(|uri| Role::of(uri));
    roles.any(|role| whose.contains(&role))
}

/// Whether somebody whose certificate has these URIs may say for whom a change is made
/// ([`crate::author`]): they are believed.
#[must_use]
pub fn may_speak_for_others(uris: &[String]) -> bool {
    uris.iter().any(|uri| Role::of(uri) == Some(Web))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::{REFLECTION, Role, TABLE, may_call, may_speak_for_others};

    fn methods() -> BTreeSet<String> {
        let files = FileDescriptorSet::decode(crate::DESCRIPTORS).unwrap().file;
        let mut methods = BTreeSet::new();
        for file in &files {
            for service in &file.service {
                let name = format!("/{}.{}", file.package(), service.name());
                let of_service = service.method.iter();
                methods.extend(of_service.map(|method| format!("{name}/{}", method.name())));
            }
        }
        methods
    }

    #[test]
    fn every_method_is_somebodys_and_nothing_else_is() {
        let listed = TABLE.iter().map(|(method, _)| (*method).to_owned());
        let listed: BTreeSet<String> = listed.filter(|method| method != REFLECTION).collect();
        assert_eq!(listed, methods());
        assert_eq!(listed.len() + 1, TABLE.len(), "each once");
        assert!(TABLE.iter().all(|(_, whose)| !whose.is_empty()));
    }

    #[test]
    fn a_service_may_do_its_work_and_no_more() {
        let check = |uri: &str, method: &str, expected: bool| {
            let path = format!("/herald.v1.{method}");
            assert_eq!(
                may_call(&[uri.to_owned()], &path),
                expected,
                "{uri}: {method}"
            );
        };
        check("herald://bridge/b1", "IngestService/Append", true);
        check("herald://bridge/b1", "RecordService/GetRecord", false);
        check("herald://bridge/b1", "StatusService/Backup", false);
        check("herald://herald-web/w", "RecordService/TailRecords", true);
        check("herald://herald-web/w", "AlertService/SilenceAlert", true);
        check("herald://herald-web/w", "IngestService/Append", false);
        check("herald://herald-web/w", "RunService/GetRunState", false);
        check("herald://herald-web/w", "StatusService/Backup", false);
        check("herald://neelix/n", "RunService/CommitRun", true);
        check("herald://neelix/n", "RecordService/CountRecords", true);
        check("herald://neelix/n", "AlertService/SilenceAlert", false);
        check("herald://herald-web/w", "AuditService/AddAuditEntry", true);
        check("herald://operator/me", "AuditService/AddAuditEntry", false);
        check(
            "herald://operator/me",
            "AuditService/ListAuditEntries",
            true,
        );
        check("herald://neelix/n", "AuditService/ListAuditEntries", false);
        check("herald://operator/me", "StatusService/Backup", true);
        check(
            "herald://operator/me",
            "SavedSearchService/DeleteSearch",
            false,
        );
        check("herald://operator/me", "RunService/BeginRun", false);
        check("herald://operator/me", "RecordService/Nothing", false);
        check("herald://operator/me", "", false);
        assert!(!may_call(&[], "/herald.v1.StatusService/GetStatus"));
    }

    #[test]
    fn only_herald_web_speaks_for_others() {
        let check = |uris: &[&str], expected: bool| {
            let uris: Vec<_> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            assert_eq!(may_speak_for_others(&uris), expected, "{uris:?}");
        };
        check(&["herald://herald-web/w"], true);
        check(&["https://x", "herald://herald-web/w"], true);
        check(&["herald://operator/me"], false);
        check(&["herald://neelix/n"], false);
        check(&["herald://bridge/b1"], false);
        check(&["herald://herald-web/"], false);
        check(&[], false);
    }

    #[test]
    fn roles_are_named_by_uris_and_by_nothing_else() {
        let check =
            |uri: &str, expected: Option<Role>| assert_eq!(Role::of(uri), expected, "{uri}");
        check("herald://bridge/b1", Some(Role::Bridge));
        check("herald://neelix/a/b", Some(Role::Neelix));
        check("herald://bridge/", None);
        check("herald://bridge", None);
        check("herald://Bridge/b1", None);
        check("herald://store/s", None);
        check("https://bridge/b1", None);
        check("bridge/b1", None);
        check("", None);
    }
}

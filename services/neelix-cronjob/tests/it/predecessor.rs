//! Whoever comes from the predecessor: its database and its rules file give the alarms
//! that they promise.

use std::path::PathBuf;

use proto::v1::{AlertKind, AlertState};
use testkit::{Process, python};

use crate::town::{SOON, Town};

/// Makes a database of the predecessor with so many rows of `old_shop`.
async fn database(town: &Town, rows: u64) -> PathBuf {
    let file = town.installation.folder().join("old.sqlite_t");
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/clients/predecessor_database.py"
    );
    let arguments = [script, file.to_str().unwrap(), "1", &rows.to_string()];
    let environment = [("PYTHONDONTWRITEBYTECODE", "1")];
    let mut process = Process::start(&python::newest().path, arguments, environment);
    assert!(process.end(SOON).await.success(), "{}", process.stderr());
    file
}

#[tokio::test]
async fn its_rules_and_its_database_give_the_promised_alarms() {
    let rules = "[old_shop]\nMAIL_TO=hedwig@company.ch,fried@h-l.com\n\
        MSG=row 123 of the predecessor\nAGE=60*60*2\n[elsewhere]\nMSG=row\n";
    let town = Town::new(rules).await;
    let file = database(&town, 2_000).await;
    let mut import = town
        .installation
        .start("herald", &["import", file.to_str().unwrap()]);
    assert!(import.end(SOON).await.success(), "{}", import.stderr());

    assert_eq!(town.run().await, (2, 0));
    let alerts = town.alerts(AlertState::Firing).await;
    let found: Vec<(&str, AlertKind, u64, u64)> = alerts
        .iter()
        .map(|it| (&*it.condition, it.kind(), it.first_record_id, it.records))
        .collect();
    assert_eq!(
        found,
        [
            ("MSG=row 123 of the predecessor", AlertKind::Match, 123, 1),
            ("AGE=2h", AlertKind::Heartbeat, 2_000, 0),
        ]
    );
    let told = town.notifications(alerts[0].id).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].alert_ids,
        [alerts[0].id, alerts[1].id],
        "one mail for both"
    );
    let recipients: Vec<&str> = told[0]
        .deliveries
        .iter()
        .map(|delivery| delivery.recipient.as_str())
        .collect();
    assert_eq!(recipients, ["hedwig@company.ch", "fried@h-l.com"]);
    assert_eq!(town.run().await, (0, 0), "once");
}

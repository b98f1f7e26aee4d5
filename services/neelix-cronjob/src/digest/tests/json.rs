//! What a webhook gets, field by field.

use domain::AlertKind;
use serde_json::Value;

use super::build::{letter, matched, site};
use crate::digest::compose;

#[test]
fn a_webhook_gets_what_is_documented() {
    let mut finding = matched(17, "payments", 12);
    finding.alert.kind = AlertKind::Count;
    let mail = compose(&letter("payments", [finding]), &site(), 4711);
    let json: Value = serde_json::from_str(&mail.json).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "alerts": [
        {
          "condition": "MSG=disk full",
          "earlier": 0,
          "first": [
            {
              "exception": "Traceback (most recent call last):\n  File \"pay.py\", line 3, in pay\nOSError: [Errno 28] No space left",
              "id": 100,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/0",
              "received_at": "2026-11-29T23:51:40.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/100"
            },
            {
              "exception": "",
              "id": 101,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/1",
              "received_at": "2026-11-29T23:51:41.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/101"
            },
            {
              "exception": "",
              "id": 102,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/2",
              "received_at": "2026-11-29T23:51:42.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/102"
            },
            {
              "exception": "",
              "id": 103,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/3",
              "received_at": "2026-11-29T23:51:43.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/103"
            },
            {
              "exception": "",
              "id": 104,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/4",
              "received_at": "2026-11-29T23:51:44.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/104"
            }
          ],
          "id": 17,
          "kind": "count",
          "last": [
            {
              "exception": "",
              "id": 107,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/7",
              "received_at": "2026-11-29T23:51:47.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/107"
            },
            {
              "exception": "",
              "id": 108,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/8",
              "received_at": "2026-11-29T23:51:48.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/108"
            },
            {
              "exception": "",
              "id": 109,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/9",
              "received_at": "2026-11-29T23:51:49.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/109"
            },
            {
              "exception": "",
              "id": 110,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/10",
              "received_at": "2026-11-29T23:51:50.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/110"
            },
            {
              "exception": "",
              "id": 111,
              "is_cut": false,
              "level": 40,
              "message": "disk full on /var/11",
              "received_at": "2026-11-29T23:51:51.000000Z",
              "sub_system_id": "host_3",
              "system_id": "payments",
              "url": "https://herald.example.com/record/111"
            }
          ],
          "news": "fired",
          "opened_at": "2026-11-30T00:10:00.000000Z",
          "reason": "records contain `disk full`",
          "records": 12,
          "resolved_at": null,
          "rule": "payments",
          "search_url": "https://herald.example.com/?q=%22disk+full%22&system_id=payments&from=2026-11-29T23%3A51%3A40.000000Z&to=2026-11-29T23%3A51%3A52.000000Z",
          "silence_url": {
            "1d": "https://herald.example.com/alerts/17/silence?for=1d&expires=1798589400&signature=5hT2g8yxHU9T2qRI_zQkhWBHhWO0VjexNJ9bDMzepLw",
            "1h": "https://herald.example.com/alerts/17/silence?for=1h&expires=1798589400&signature=dDSR9n5l5glPeJMONv4uiKhKl2lnIF-t0tBuG7s28v0"
          },
          "since": "2026-11-29T23:51:40.000000Z",
          "sub_system_id": "",
          "system_id": "payments",
          "url": "https://herald.example.com/alerts/17"
        }
      ],
      "created_at": "2026-11-30T00:10:00.000000Z",
      "kind": "alerts",
      "message_id": "herald.production.r4711.df384ae97c77ad30@host-1.example.com",
      "more_alerts": 0,
      "rule": {
        "line": 12,
        "name": "payments",
        "url": "https://herald.example.com/alerts?rule=payments#rules"
      },
      "stage": "PRODUCTION",
      "subject": "[PRODUCTION] FIRING payments: payments",
      "text": "[PRODUCTION] FIRING payments: payments\nFIRING: payments: records contain `disk full`",
      "url": "https://herald.example.com/alerts",
      "version": 1
    }
    "#);
}

//! A record like those of real programs.

use domain::{Level, Record};

/// The `number`-th record of an imagined program: every field is filled, the
/// message is `record <number>`, the level and the call site change with the
/// number. Change what matters with `Record { ..record(7) }`.
#[must_use]
pub fn record(number: u64) -> Record {
    let step = i64::try_from(number).expect("a number of records");
    let level = Level::ALL[(number % 5) as usize];
    let call_site = number % 40;
    Record {
        id: 0,
        received_us: 1_700_000_000_500_000 + step * 1_000,
        created_us: 1_700_000_000_000_000 + step * 1_000,
        level: level.number(),
        level_name: level.name().to_owned(),
        logger: format!("shop.module_{call_site}"),
        message: format!("record {number}"),
        system_id: format!("system_{}", number % 3),
        sub_system_id: format!("host_{}", number % 4),
        sub_sub_system_id: "worker".to_owned(),
        produkt_id: format!("product_{}", number % 2),
        user_spec_1: "blue".to_owned(),
        user_spec_2: "north".to_owned(),
        package_version: "1.2.19".to_owned(),
        api_version: "7".to_owned(),
        module: format!("module_{call_site}"),
        function: format!("function_{call_site}"),
        path: format!("/srv/shop/module_{call_site}.py"),
        line: 10 + call_site.cast_signed(),
        process: 4_321,
        process_name: "MainProcess".to_owned(),
        thread: 139_637_976_000_000,
        thread_name: "MainThread".to_owned(),
        exception: String::new(),
        stack: String::new(),
        peer: "127.0.0.1:50000".to_owned(),
        extra: format!("{{\"attempt\":{}}}", number % 7),
    }
}

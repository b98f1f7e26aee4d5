//! Exports: whole, safe, no faster than they are read, and never cut in secret.

use std::time::Duration;

use domain::Record;
use testkit::{http, record, wait_until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{fake_store::Mood, web::Web};

const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_csv_file_has_a_header_and_a_row_for_each_record() {
    let hostile = Record {
        message: "=cmd|' /C calc'!A0\nsecond \"line\"\0".to_owned(),
        system_id: "+1".to_owned(),
        extra: String::new(),
        ..record(1)
    };
    let web = Web::with(vec![record(0), hostile]).await;
    let answer = web.get("/api/v1/export").await;
    assert_eq!(answer.status, 200);
    let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    let disposition = header("content-disposition");
    assert!(
        disposition.starts_with("attachment; filename=\"herald-development-2")
            && disposition.ends_with("Z.csv\""),
        "{disposition}"
    );
    insta::assert_snapshot!(answer.text().replace("\r\n", "⏎\n"), @r#"
    id,received_at,created,level,level_name,logger,message,system_id,sub_system_id,sub_sub_system_id,produkt_id,user_spec_1,user_spec_2,package_version,api_version,module,function,path,line,process,process_name,thread,thread_name,exception,stack,peer,extra⏎
    2,2023-11-14T22:13:20.501000Z,2023-11-14T22:13:20.001000Z,20,INFO,shop.module_1,"'=cmd|' /C calc'!A0
    second ""line""␀",'+1,host_1,worker,product_1,blue,north,1.2.19,7,module_1,function_1,/srv/shop/module_1.py,11,4321,MainProcess,139637976000000,MainThread,,,127.0.0.1:50000,⏎
    1,2023-11-14T22:13:20.500000Z,2023-11-14T22:13:20.000000Z,10,DEBUG,shop.module_0,"record 0",system_0,host_0,worker,product_0,blue,north,1.2.19,7,module_0,function_0,/srv/shop/module_0.py,10,4321,MainProcess,139637976000000,MainThread,,,127.0.0.1:50000,"{""attempt"":0}"⏎
    "#);
}

#[tokio::test]
async fn ndjson_has_the_records_of_the_api() {
    let web = Web::with((0..30).map(record).collect()).await;
    let path = "/api/v1/export?format=ndjson&order=asc&level=ERROR&limit=3&after=1&before=30";
    let answer = web.get(path).await;
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    let ids = lines.iter().map(|line| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["id"].as_u64().unwrap()
    });
    assert_eq!(ids.collect::<Vec<_>>(), [4, 5, 9]);
    let one = web.get("/api/v1/records/4").await.text();
    assert_eq!(lines[0], one);
}

#[tokio::test]
async fn an_export_of_nothing_is_an_empty_file() {
    let web = Web::with(Vec::new()).await;
    let check = async |format: &str, lines: usize| {
        let text = web
            .page(&format!("/api/v1/export?format={format}"), 200)
            .await;
        assert_eq!(text.lines().count(), lines, "{format}");
    };
    check("csv", 1).await;
    check("ndjson", 0).await;
}

#[tokio::test]
async fn an_export_that_breaks_does_not_end_well() {
    let web = Web::with((0..30).map(record).collect()).await;
    web.store.set_mood(Mood::Breaking(5));
    for format in ["csv", "ndjson"] {
        let url = format!("{}/api/v1/export?format={format}", web.base);
        let outcome = http::get(&url).await;
        assert!(outcome.is_err(), "{format}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_export_is_read_no_faster_than_its_client_and_ends_with_it() {
    let large = Record {
        message: "x".repeat(1 << 20),
        ..record(0)
    };
    let web = Web::with(vec![large]).await;
    web.store.set_mood(Mood::Endless);
    let mut client = TcpStream::connect(web.base.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let request = "GET /api/v1/export HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut read = vec![0; 4 << 20];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!(web.store.streams(), 1);
    drop(client);
    wait_until("the store's work ends", DEADLINE, async || {
        web.store.streams() == 0
    })
    .await;
    let pieces = web.store.pieces();
    assert!((4..64).contains(&pieces), "{pieces} MiB were made");
}

#[tokio::test]
async fn an_export_without_a_store_is_no_file() {
    let mut web = Web::with(Vec::new()).await;
    web.store.stop().await;
    let answer = web.json("/api/v1/export", 503).await;
    assert_eq!(answer["error"]["message"], "the store does not answer");
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let web = Web::with(Vec::new()).await;
    let check = async |query: &str, parameter: &str, message: &str| {
        let answer = web.json(&format!("/api/v1/export?{query}"), 400).await;
        let expected = serde_json::json!({"parameter": parameter, "message": message});
        assert_eq!(answer["error"], expected, "{query}");
    };
    check(
        "format=xlsx",
        "format",
        "`xlsx` is no format: use csv or ndjson",
    )
    .await;
    check("limit=0", "limit", "at least 1; without it, all").await;
    check("limit=x", "limit", "`x` is no number of records").await;
}

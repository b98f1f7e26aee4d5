//! Records that want to be more than text.

use domain::Record;

use crate::web::Web;

const MARKUP: &str = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&lt;";

/// A record with the same text wherever a text can be.
fn everywhere(text: &str) -> Record {
    let text = text.to_owned();
    Record {
        level: 40,
        level_name: text.clone(),
        logger: text.clone(),
        message: text.clone(),
        system_id: text.clone(),
        sub_system_id: text.clone(),
        sub_sub_system_id: text.clone(),
        produkt_id: text.clone(),
        user_spec_1: text.clone(),
        user_spec_2: text.clone(),
        package_version: text.clone(),
        api_version: text.clone(),
        module: text.clone(),
        function: text.clone(),
        path: text.clone(),
        process_name: text.clone(),
        thread_name: text.clone(),
        exception: text.clone(),
        stack: text.clone(),
        peer: text.clone(),
        extra: serde_json::json!({ text.as_str(): text }).to_string(),
        ..Record::default()
    }
}

fn assert_inert(page: &str, path: &str) {
    for markup in ["<script>", "<img", "onerror='"] {
        assert!(!page.contains(markup), "{markup} on {path}");
    }
    assert_eq!(page.matches("<script").count(), 1, "{path}");
    assert!(!page.contains("value=\"<"), "{path}");
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert_eq!(page.chars().find(|c| is_control(*c)), None, "{path}");
    let opened = page.matches("<details").count();
    assert_eq!(page.matches("</details>").count(), opened, "{path}");
    assert!(page.trim_end().ends_with("</html>"), "{path} is whole");
}

/// Pages that show texts of records.
const PAGES: [&str; 4] = ["/", "/record/1", "/systems", "/exceptions?from=@0"];

#[tokio::test]
async fn markup_is_text_everywhere() {
    let web = Web::with(vec![everywhere(MARKUP)]).await;
    for path in PAGES {
        let page = web.page(path, 200).await;
        assert_inert(&page, path);
        assert!(
            page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{path}"
        );
        assert!(page.contains("&amp;lt;"), "{path}");
    }
}

#[tokio::test]
async fn parameters_are_text_everywhere() {
    let web = Web::with(Vec::new()).await;
    let evil = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%00%1b";
    let names = [
        "q",
        "pattern",
        "system_id",
        "user_spec_2",
        "level",
        "from",
        "to",
        "order",
        "limit",
        "before",
        "after",
        "%3Cscript%3E",
    ];
    let log = names.map(|name| format!("/?{name}=x{evil}y"));
    let others = [
        "/systems?find",
        "/systems?sort",
        "/systems?from",
        "/exceptions?q",
        "/exceptions?system_id",
        "/exceptions?sort",
        "/rejected?before",
        "/status?refresh",
        "/record/1?scope",
        "/record/1/row?q",
        "/help?q",
    ];
    let others = others.map(|start| format!("{start}=x{evil}y"));
    for path in log.into_iter().chain(others) {
        let page = web.get(&path).await.text();
        assert!(!page.contains("<script>"), "{path}");
        assert!(!page.contains("x\">"), "{path}");
        assert!(!page.contains(['\0', '\x1b']), "{path}");
    }
}

#[tokio::test]
async fn control_and_direction_characters_become_visible() {
    let web = Web::with(vec![everywhere("a\0b\x1b[31mc\u{202e}d\u{200b}e\u{9b}")]).await;
    for path in PAGES {
        let page = web.page(path, 200).await;
        assert_inert(&page, path);
        let mark = |text: &str| format!("<span class=\"mark\">{text}</span>");
        for shown in ["␀", "␛", "U+202E", "U+200B", "U+009B"] {
            assert!(page.contains(&mark(shown)), "{shown} on {path}");
        }
        assert!(!page.contains(['\u{202e}', '\u{200b}', '\u{9b}']), "{path}");
    }
}

#[tokio::test]
async fn a_link_finds_the_very_value_it_shows() {
    let web = Web::with(vec![everywhere("a&b=c #?%\"'<ü")]).await;
    let page = web.page("/", 200).await;
    let (_, rest) = page.split_once("system_id\"><a href=\"").expect("a link");
    let href = rest
        .split_once('"')
        .expect("its end")
        .0
        .replace("&amp;", "&");
    let filtered = web.page(&href, 200).await;
    assert!(filtered.contains("<b>1</b> record"), "{href}");
}

fn huge() -> Record {
    let text = format!("{}END", "x".repeat(1 << 20));
    Record {
        message: text.clone(),
        exception: text.clone(),
        system_id: text,
        extra: format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)),
        ..everywhere("x")
    }
}

#[tokio::test]
async fn a_huge_record_is_cut_on_the_log_and_whole_on_its_page() {
    let web = Web::with(vec![huge(); 3]).await;
    let log = web.page("/", 200).await;
    assert_inert(&log, "/");
    assert!(log.len() < 200_000, "{} bytes", log.len());
    assert!(log.contains("… whole message, 1,048,579 bytes"));
    for path in ["/systems", "/exceptions?from=@0"] {
        let page = web.page(path, 200).await;
        assert_inert(&page, path);
        assert!(page.len() < 20_000, "{} bytes of {path}", page.len());
    }
    let whole = web.page("/record/1", 200).await;
    assert_inert(&whole, "/record/1");
    assert!(whole.contains("xEND"));
}

#[tokio::test]
async fn records_too_large_for_one_answer_come_in_several() {
    let web = Web::with(vec![huge(); 30]).await;
    let first = web.page("/", 200).await;
    let shown = first.matches("<tr class=\"row ").count();
    assert!((1..30).contains(&shown), "{shown} rows");
    let limits: Vec<_> = web.store.questions().iter().map(|q| q.limit).collect();
    assert_eq!(limits, [50, 13]);
    assert!(first.contains(&format!("href=\"/?before={}\">older", 31 - shown)));
}

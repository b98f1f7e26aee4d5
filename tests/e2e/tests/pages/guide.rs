//! docs/guide/find.md, walked to the letter: what it says to click on is clicked on,
//! and what it says is shown must be there.

use std::{env, fs, path::PathBuf};

use e2e::{
    bakery,
    browser::Page,
    site::{Site, now_us},
};

/// What a guide says.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// “Something” to click on.
    Click(String),
    /// A <kbd>key</kbd>, or several letters to type.
    Press(String),
    /// What is `shown` then.
    Shown(String),
    /// A picture of what is shown: its file.
    Picture(String),
}

/// The words of the numbered steps and the pictures, in their order.
fn words(guide: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for paragraph in guide.split("\n\n") {
        if let Some((_, picture)) = paragraph.trim().split_once("](../images/") {
            words.push(Word::Picture(picture.trim_end_matches(')').to_owned()));
        }
        if paragraph.starts_with(|first: char| first.is_ascii_digit()) {
            words.extend(of_steps(
                &paragraph.replace("\n   ", " ").replace("  ", " "),
            ));
        }
    }
    words
}

fn of_steps(steps: &str) -> Vec<Word> {
    type Make = fn(String) -> Word;
    let kinds: [(&str, &str, Make); 3] = [
        ("“", "”", Word::Click),
        ("<kbd>", "</kbd>", Word::Press),
        ("`", "`", Word::Shown),
    ];
    let mut words = Vec::new();
    let mut rest = steps;
    let first = |rest: &str| {
        let found = kinds
            .iter()
            .filter_map(|kind| Some((rest.find(kind.0)?, kind)));
        found.min_by_key(|(at, _)| *at)
    };
    while let Some((at, (open, close, word))) = first(rest) {
        let (text, after) = rest[at + open.len()..].split_once(close).unwrap();
        words.push(word(text.to_owned()));
        rest = after;
    }
    words
}

#[test]
fn a_guide_is_read() {
    let guide = "# Top `no step`\n\n1. Click “a b”,\n   press <kbd>e</kbd>.\n2. See `x`.\n\n![p](../images/p.png)\n";
    let expected = [
        Word::Click("a b".to_owned()),
        Word::Press("e".to_owned()),
        Word::Shown("x".to_owned()),
        Word::Picture("p.png".to_owned()),
    ];
    assert_eq!(words(guide), expected);
}

#[tokio::test]
async fn the_guide_to_an_error_of_last_night() {
    let (site, _) = Site::bakery().await;
    let guide = root().join("docs/guide/find.md");
    let words = words(&fs::read_to_string(guide).unwrap());
    assert!(words.len() > 30, "{words:?}");
    let page = site.page("/").await;
    for word in &words {
        match word {
            Word::Click(label) => click(&page, label).await,
            Word::Press(key) if key.contains(' ') => page.type_text(key).await,
            Word::Press(key) => page.press(key).await,
            Word::Shown(text) => shown(&site, &page, text).await,
            Word::Picture(name) => picture(&page, name).await,
        }
    }
    assert_shared(&site, &page).await;
    page.assert_still().await;
}

/// Clicks on what has this name, or begins with it.
async fn click(page: &Page, label: &str) {
    let target = match label {
        "the highest bar" => highest_bar(page).await,
        _ => {
            let find = format!(
                "(() => {{
                    const name = it => (it.ariaLabel ?? it.innerText ?? '').trim().replace(/\\s+/g, ' ');
                    const all = [...document.querySelectorAll('a, button, summary')]
                        .filter(it => it.checkVisibility({{visibilityProperty: true}}));
                    const found = all.find(it => name(it) === {label:?}) ?? all.find(it => name(it).startsWith({label:?} + ' '));
                    document.querySelector('[data-guide]')?.removeAttribute('data-guide');
                    found?.setAttribute('data-guide', '');
                    return found !== undefined;
                }})()"
            );
            page.until(&format!("there is “{label}”"), &find).await;
            "[data-guide]".to_owned()
        }
    };
    let leads = format!(
        "(it => it.tagName === 'A' || it.type === 'submit')(document.querySelector({target:?}))"
    );
    if page.holds(&leads).await {
        page.follow(page.click(target.as_str())).await;
    } else {
        page.click(target.as_str()).await;
    }
}

async fn highest_bar(page: &Page) -> String {
    page.until(
        "there are bars",
        "document.querySelectorAll('.plot a').length > 20",
    )
    .await;
    let script = "(() => {
        const top = it => Math.min(...[...it.querySelectorAll('rect:not(.room)')].map(it => it.getBoundingClientRect().top), Infinity);
        const bars = [...document.querySelectorAll('.plot a')];
        return bars.reduce((high, it, at) => top(it) < top(bars[high]) ? at : high, 0) + 1;
    })()";
    format!(".plot a:nth-of-type({})", page.evaluate(script).await)
}

async fn shown(site: &Site, page: &Page, text: &str) {
    if text.starts_with("payment of order 5000") {
        site.keep([bakery::another(5_000, now_us())]).await;
    }
    page.until(
        &format!("`{text}` is shown"),
        &format!("document.body.innerText.includes({text:?})"),
    )
    .await;
}

/// Somebody else finds what was saved, and sees the same.
async fn assert_shared(site: &Site, page: &Page) {
    let other = site.page("/").await;
    click(&other, "Saved").await;
    click(&other, "Bank out of reach").await;
    let url = other.url().await;
    for part in ["from=20", "to=20", "fingerprint"] {
        assert!(url.contains(part), "{url}");
    }
    assert_eq!(other.count(".row").await, 15);
    page.follow(page.click(("link", "Bank out of reach"))).await;
    assert_eq!(
        page.texts(".row .message").await,
        other.texts(".row .message").await
    );
}

async fn picture(page: &Page, name: &str) {
    let file = root().join("docs/images").join(name);
    if env::var_os("UPDATE_PICTURES").is_some() {
        page.loaded().await;
        fs::write(&file, page.picture().await).unwrap();
    }
    assert!(
        file.is_file(),
        "{} is missing: UPDATE_PICTURES=1",
        file.display()
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

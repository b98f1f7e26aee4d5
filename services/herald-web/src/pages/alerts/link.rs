//! `/alerts/{id}/silence`: the links in mails that silence an alert. They are signed:
//! who has one may do what it says, and nothing else, also where nobody else may
//! change anything. Opening one changes nothing, because mail programs open links.

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, rejection::BytesRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Micros;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;

use super::{change, layout, one, one_href, view::AlertView};
use crate::{
    access::Who,
    app::App,
    pages::{
        figure::When,
        form::{Form, status_of},
        page::{Main, Page, fill},
        problem,
    },
    request::{KnownName, Parameters, link_to, read_id},
    store_client::StoreError,
    utc,
};

const KNOWN: &[&[KnownName]] = &[&[
    ("for", "for"),
    ("expires", "expires"),
    ("signature", "signature"),
]];
/// Length of the key that links are signed with, in bytes.
const KEY_BYTES: usize = 32;

#[derive(Serialize)]
struct SilencePage {
    alert: AlertView,
    /// What the form repeats.
    duration: String,
    expires: String,
    signature: String,
    /// How long nobody would be told, and until when.
    length: &'static str,
    until: When,
    link_ends: When,
}

#[derive(Serialize)]
struct RefusalPage {
    heading: &'static str,
    message: &'static str,
    alert_href: String,
}

/// What a link says.
struct Link {
    id: u64,
    duration: String,
    expires: String,
    signature: String,
}

/// Why a link allows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// It is not what this Herald has signed.
    NotSigned,
    /// It was good once.
    Expired,
}

/// `GET /alerts/{id}/silence`
pub(crate) async fn show(app: App, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(id) = read_id(&id) else {
        return one::missing(&app, "this is no number of an alert");
    };
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let link = Link::new(id, |name| parameters.get(name).unwrap_or_default());
    let now = utc::now();
    let length = match allowed(&app, &link, now).await {
        Ok(length) => length,
        Err(response) => return *response,
    };
    let page = Page::new(&app, layout(&app, format!("Silence alert {id}")));
    page.when_ready(async move {
        let story = app.store.alert(id).await;
        let story = story.map_err(|error| one::about(id, error))?;
        let told = super::view::told(story.notifications.iter().flat_map(|it| &it.deliveries));
        let expires = link.expires.parse::<Micros>().unwrap_or(0);
        let view = SilencePage {
            alert: AlertView::new(&story.alert, told, now),
            length: match link.duration.as_str() {
                "1h" => "one hour",
                _ => "one day",
            },
            until: When::new(now + length, now),
            link_ends: When::new(expires.saturating_mul(1_000_000), now),
            duration: link.duration,
            expires: link.expires,
            signature: link.signature,
        };
        Ok(Main::new(fill(&app, "alerts/silence.html", &view)?))
    })
    .await
}

/// `POST /alerts/{id}/silence`
pub(crate) async fn silence(
    app: App,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::of_anybody(&app, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let Ok(id) = read_id(&id) else {
        return one::missing(&app, "this is no number of an alert");
    };
    let link = Link::new(id, |name| form.get(name));
    let now = utc::now();
    let length = match allowed(&app, &link, now).await {
        Ok(length) => length,
        Err(response) => return *response,
    };
    match app
        .store
        .silence(
            id,
            Some(now + length),
            "link in a mail",
            &app.author_of_link(id),
        )
        .await
    {
        Ok(_) => {
            app.watch.forget();
            // Who has not signed in may see no more than the link: it says what is.
            let to = match app.who {
                Who::Nobody => link.href(),
                Who::Anybody | Who::Known(_) => one_href(id),
            };
            Redirect::to(&to).into_response()
        }
        Err(failure) => problem::respond(&app, status_of(&failure), &failure.to_string()),
    }
}

/// How long the link silences, or the page that says why it does not.
async fn allowed(app: &App, link: &Link, now: Micros) -> Result<Micros, Box<Response>> {
    let key = match app.store.glance().await {
        Ok(glance) => glance.link_key,
        Err(failure) => return Err(Box::new(unsure(app, &failure))),
    };
    link.check(&key, now)
        .map_err(|refusal| Box::new(refuse(app, link.id, refusal)))
}

fn unsure(app: &App, failure: &StoreError) -> Response {
    problem::respond_to_store(app, failure)
}

fn refuse(app: &App, id: u64, refusal: Refusal) -> Response {
    let (status, heading, message) = match refusal {
        Refusal::NotSigned => (
            StatusCode::FORBIDDEN,
            "This link is not valid",
            "It is not whole, was changed, or is from another Herald. A mail program may have cut \
             it: open it from the mail once more, or silence the alert on its page.",
        ),
        Refusal::Expired => (
            StatusCode::GONE,
            "This link has expired",
            "Links in mails hold for 30 days. The alert can still be silenced on its page.",
        ),
    };
    let view = RefusalPage {
        heading,
        message,
        alert_href: one_href(id),
    };
    match fill(app, "alerts/refused.html", &view) {
        Ok(main) => Page::new(app, layout(app, heading)).whole(status, &main),
        Err(failure) => problem::respond_to(app, &failure),
    }
}

impl Link {
    /// Its address.
    fn href(&self) -> String {
        let pairs = [
            ("for", &*self.duration),
            ("expires", &self.expires),
            ("signature", &self.signature),
        ];
        link_to(&format!("/alerts/{}/silence", self.id), &pairs)
    }

    fn new<'t>(id: u64, get: impl Fn(&str) -> &'t str) -> Self {
        Self {
            id,
            duration: get("for").to_owned(),
            expires: get("expires").to_owned(),
            signature: get("signature").to_owned(),
        }
    }

    /// How long it silences.
    fn check(&self, key: &[u8], now: Micros) -> Result<Micros, Refusal> {
        let length = change::silence(&self.duration).ok_or(Refusal::NotSigned)?;
        let expires: Micros = self.expires.parse().map_err(|_| Refusal::NotSigned)?;
        let signature = URL_SAFE_NO_PAD.decode(&self.signature);
        let signature = signature.map_err(|_| Refusal::NotSigned)?;
        // Anybody knows the signature of an empty key.
        if key.len() != KEY_BYTES {
            return Err(Refusal::NotSigned);
        }
        let mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::NotSigned)?;
        let said = format!("silence\n{}\n{}\n{}", self.id, self.duration, self.expires);
        let is_ours = mac.chain_update(said).verify_slice(&signature);
        is_ours.map_err(|_| Refusal::NotSigned)?;
        match expires.saturating_mul(1_000_000) > now {
            true => Ok(length),
            false => Err(Refusal::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, Refusal};

    /// `silence\n7\n1h\n1000` under 32 times 0x0b, computed elsewhere.
    const SIGNATURE: &str = "cb_rq4UJHaXXWpJmdA9KPTjBS8j7y3J_RfRMS2Ky4O0";

    fn link() -> Link {
        Link {
            id: 7,
            duration: "1h".to_owned(),
            expires: "1000".to_owned(),
            signature: SIGNATURE.to_owned(),
        }
    }

    #[test]
    fn only_what_was_signed_is_allowed() {
        let key = [0x0b; 32];
        let check = |link: Link, now, expected| assert_eq!(link.check(&key, now), expected);
        check(link(), 0, Ok(3_600_000_000));
        check(link(), 999_999_999, Ok(3_600_000_000));
        check(link(), 1_000_000_000, Err(Refusal::Expired));
        let wrong = Err(Refusal::NotSigned);
        check(Link { id: 8, ..link() }, 0, wrong);
        for other in ["1d", "2h", "", "1H"] {
            let duration = other.to_owned();
            check(Link { duration, ..link() }, 0, wrong);
        }
        for other in ["1001", "01000", "+1000", "", "-1", "9999999999999999999999"] {
            let expires = other.to_owned();
            check(Link { expires, ..link() }, 0, wrong);
        }
        let cut = &SIGNATURE[..SIGNATURE.len() - 4];
        for other in [
            cut,
            "",
            "=",
            "A",
            &format!("{SIGNATURE}=="),
            &SIGNATURE.to_lowercase(),
        ] {
            let signature = other.to_owned();
            check(
                Link {
                    signature,
                    ..link()
                },
                0,
                wrong,
            );
        }
    }

    #[test]
    fn another_key_or_none_signs_nothing() {
        for key in [&[][..], &[0x0b; 31], &[0x0b; 33], &[0x0c; 32]] {
            assert_eq!(link().check(key, 0), Err(Refusal::NotSigned));
        }
    }
}

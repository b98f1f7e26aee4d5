//! Pages over HTTPS, as browsers get them.

use runtime::tls::Files;
use testkit::certificates::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::web::Web;

#[tokio::test]
async fn pages_are_encrypted_when_there_is_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("ours");
    let vars = authority
        .signs(&["127.0.0.1"])
        .vars("WEB_HTTPS_", folder.path());
    let files = Files::from_vars("WEB_HTTPS_", &vars).unwrap();
    let web = Web::encrypted(files).await;
    let port = web.base.rsplit(':').next().unwrap().parse().unwrap();

    let mut trusted = authority.vars("X_", &authority.signs(&["unused"]), folder.path());
    trusted.retain(|(name, _)| name == "X_CA");
    let client = Files::from_vars("X_", &trusted).unwrap().client().unwrap();
    let connected = client.connect("127.0.0.1", port, &[b"http/1.1"]);
    let mut stream = connected.await.unwrap();
    let request = b"GET /saved HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");

    // Guards against the cookie of forms going over a connection in plain.
    let lines = answer.lines();
    let mut cookies = lines.filter(|line| line.to_lowercase().starts_with("set-cookie: "));
    let cookie = cookies.next().expect("a cookie");
    assert!(cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
    assert_eq!(cookies.next(), None);

    // Another name than that of the certificate is not believed.
    let other = client.connect("localhost", port, &[]).await.unwrap_err();
    assert!(runtime::tls::failure(&other).is_some(), "{other}");
    assert!(
        testkit::http::get(&format!("{}/help", web.base))
            .await
            .is_err()
    );
}

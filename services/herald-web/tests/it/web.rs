//! A served herald-web and the store behind it.

use domain::{Record, Stage};
use herald_web::{Changes, Config, SignIn, serve};
use runtime::tls::Files;
use testkit::http::{Response, get, get_with};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::fake_store::FakeStore;

/// How many may follow at a time.
pub(crate) const MAX_STREAMS: usize = 6;

/// herald-web on a port of its own; ends when dropped.
pub(crate) struct Web {
    pub(crate) base: String,
    pub(crate) store: FakeStore,
    _guard: DropGuard,
}

impl Web {
    /// Over a store with these records, which get ids from 1.
    pub(crate) async fn with(records: Vec<Record>) -> Self {
        Self::at(Stage::Development, records).await
    }

    /// The same of another stage.
    pub(crate) async fn at(stage: Stage, records: Vec<Record>) -> Self {
        Self::configured(stage, Changes::Local, SignIn::default(), records).await
    }

    /// The same where changes are for others.
    pub(crate) async fn changed_by(changes: Changes) -> Self {
        let sign_in = SignIn::default();
        Self::configured(Stage::Development, changes, sign_in, Vec::new()).await
    }

    /// The same where people sign in.
    pub(crate) async fn signed_in(sign_in: SignIn, records: Vec<Record>) -> Self {
        Self::configured(Stage::Development, Changes::Allowed, sign_in, records).await
    }

    /// Encrypted with these files.
    pub(crate) async fn encrypted(https: Files) -> Self {
        let sign_in = SignIn::default();
        let stage = Stage::Development;
        Self::served(stage, Changes::Local, sign_in, Vec::new(), https).await
    }

    async fn configured(
        stage: Stage,
        changes: Changes,
        sign_in: SignIn,
        records: Vec<Record>,
    ) -> Self {
        Self::served(stage, changes, sign_in, records, Files::default()).await
    }

    async fn served(
        stage: Stage,
        changes: Changes,
        sign_in: SignIn,
        records: Vec<Record>,
        https: Files,
    ) -> Self {
        let store = FakeStore::start(records).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let config = Config {
            stage,
            listen,
            store_url: format!("http://{}", store.address()),
            tls: Files::default(),
            https,
            max_streams: MAX_STREAMS,
            changes,
            sign_in,
        };
        let shutdown = CancellationToken::new();
        let guard = shutdown.clone().drop_guard();
        tokio::spawn(async move { serve(listener, &config, shutdown).await.unwrap() });
        Self {
            base: format!("http://{listen}"),
            store,
            _guard: guard,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        get(&format!("{}{path}", self.base)).await.unwrap()
    }

    /// The same as a browser asks: compressed.
    pub(crate) async fn get_gzip(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.base);
        get_with(&url, &[("accept-encoding", "gzip, deflate, br")])
            .await
            .unwrap()
    }

    /// Asks for a page, to read what has come of it so far.
    pub(crate) async fn begin(&self, path: &str) -> Arriving {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Arriving {
            stream,
            answer: Vec::new(),
        }
    }

    /// The body of a page with its status.
    pub(crate) async fn page(&self, path: &str, status: u16) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status.as_u16(), status, "{path}");
        response.text()
    }

    pub(crate) async fn json(&self, path: &str, status: u16) -> serde_json::Value {
        let response = self.get(path).await;
        assert_eq!(
            response.status.as_u16(),
            status,
            "{path}: {}",
            response.text()
        );
        response.json()
    }
}

/// An answer that may not be whole yet.
pub(crate) struct Arriving {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Arriving {
    /// Reads on until this text has come, and gives all that has.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let answer = String::from_utf8_lossy(&self.answer);
            if answer.contains(text) {
                return answer.into_owned();
            }
            let read = self.stream.read_buf(&mut self.answer).await.unwrap();
            assert_ne!(
                read,
                0,
                "{text} in {}",
                String::from_utf8_lossy(&self.answer)
            );
        }
    }
}

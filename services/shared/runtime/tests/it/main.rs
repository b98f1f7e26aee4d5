//! The runtime as services use it: real sockets, a real OTLP receiver.
#![expect(clippy::unwrap_used, reason = "tests")]

mod receiver;
mod serve;
mod shutdown;
mod trace;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use runtime::{grpc, health::Readiness};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// A server of our own kind, on a free port.
struct Server {
    address: SocketAddr,
    readiness: Readiness,
    shutdown: CancellationToken,
    outcome: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn start(routes: Routes, http: Router, drain: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
        let http = http
            .merge(runtime::health::router(readiness.clone()))
            .route("/panic", get(panic));
        let serving = grpc::serve(
            listener,
            routes,
            http,
            readiness.clone(),
            shutdown.clone(),
            drain,
        );
        Self {
            address,
            readiness,
            shutdown,
            outcome: tokio::spawn(serving),
        }
    }

    fn client(&self) -> grpc::Client {
        grpc::channel(&format!("http://{}", self.address)).unwrap()
    }

    /// One HTTP/1 request on a connection of its own; the whole answer.
    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.outcome.await.unwrap().unwrap();
    }
}

async fn panic() -> &'static str {
    panic!("a handler may panic")
}

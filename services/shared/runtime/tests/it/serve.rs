//! One port for gRPC and HTTP: health, panics, limits, the drain.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use runtime::grpc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::{Instant, timeout},
};
use tonic::{Code, service::Routes};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::Server;

const LONG: Duration = Duration::from_secs(60);

async fn server() -> Server {
    Server::start(Routes::default(), Router::new(), LONG).await
}

#[tokio::test]
async fn liveness_and_readiness_are_told_by_grpc_and_http_on_one_port() {
    let server = server().await;
    let mut client = HealthClient::new(server.client());
    let mut check = async |service: &str, expected: ServingStatus| {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), expected, "service `{service}`");
    };
    check("", ServingStatus::Serving).await;
    check("readiness", ServingStatus::NotServing).await;
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 503 "));

    let mut watcher = HealthClient::new(server.client());
    let request = HealthCheckRequest {
        service: "readiness".to_owned(),
    };
    let mut changes = watcher.watch(request).await.unwrap().into_inner();
    let first = changes.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::NotServing);
    server.readiness.ready();
    let second = changes.message().await.unwrap().unwrap();
    assert_eq!(second.status(), ServingStatus::Serving);
    check("readiness", ServingStatus::Serving).await;
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200 "));
    drop(changes);
    server.stop().await;
}

#[tokio::test]
async fn unknown_calls_are_unimplemented() {
    let server = server().await;
    let mut client =
        tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(
            server.client(),
        );
    let outcome = client.server_reflection_info(tokio_stream::empty()).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
}

#[tokio::test]
async fn a_panic_fails_its_request_only() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut buffer = [0; 1024];
    for (path, status) in [("panic", "500"), ("healthz", "200")] {
        let request = format!("GET /{path} HTTP/1.1\r\nhost: here\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let length = stream.read(&mut buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

/// Whoever is there keeps working, and others still get in, however many connections
/// somebody opens to say nothing.
#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_of_an_address_leave_places_for_others() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).unwrap();
    let server = server().await;
    let mut client = HealthClient::new(server.client());
    let request = || HealthCheckRequest {
        service: String::new(),
    };
    client.check(request()).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..1_300 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        silent.push(socket.connect(server.address).await.unwrap());
    }
    let within = Duration::from_secs(3);
    let answered = timeout(within, client.check(request())).await;
    answered.expect("who is there is served").unwrap();
    let got_in = timeout(within, server.get("/healthz")).await;
    assert!(got_in.expect("others get in").starts_with("HTTP/1.1 200 "));
    // And those that say nothing go soon.
    let mut rest = Vec::new();
    let gone = timeout(Duration::from_secs(8), silent[0].read_to_end(&mut rest)).await;
    assert!(gone.is_ok(), "still open");
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed() {
    let server = server().await;
    let check = async |sent: &[u8]| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        let started = Instant::now();
        let outcome = timeout(LONG, stream.read_to_end(&mut answer)).await;
        assert!(outcome.is_ok(), "still open after {:?}", started.elapsed());
    };
    check(b"").await;
    check(b"PRI * HT").await;
    check(b"GET / HTTP/1.1\r\nhost: he").await;
}

/// A server one of whose pages is being made until the test lets it go.
async fn busy_server(drain: Duration) -> (Server, Arc<Notify>, Arc<Notify>) {
    let (entered, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&entered), Arc::clone(&leave));
    let slow = async move || {
        signals.0.notify_one();
        signals.1.notified().await;
        "done"
    };
    let http = Router::new().route("/slow", get(slow));
    (
        Server::start(Routes::default(), http, drain).await,
        entered,
        leave,
    )
}

#[tokio::test]
async fn the_drain_waits_for_a_request_at_hand_and_takes_no_more() {
    let (server, entered, leave) = busy_server(LONG).await;
    let request = async {
        let answer = server.get("/slow").await;
        assert!(answer.ends_with("done"), "{answer}");
    };
    let stop = async {
        entered.notified().await;
        let mut readiness = server.readiness.watch();
        server.readiness.ready();
        server.shutdown.cancel();
        readiness
            .wait_for(|obstacle| obstacle.as_deref() == Some("shutting down"))
            .await
            .unwrap();
        TcpStream::connect(server.address).await.unwrap_err();
        leave.notify_one();
    };
    tokio::join!(request, stop);
    server.stop().await;
}

#[tokio::test]
async fn what_outlasts_the_drain_is_cut() {
    let (server, entered, _leave) = busy_server(Duration::from_millis(20)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .unwrap();
    entered.notified().await;
    timeout(LONG, server.stop()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    assert_eq!(answer, b"");
}

#[tokio::test]
async fn a_client_survives_a_restart_of_its_server() {
    let first = server().await;
    let address = first.address;
    let client = first.client();
    let check = async || {
        let request = HealthCheckRequest::default();
        HealthClient::new(client.clone())
            .check(request)
            .await
            .is_ok()
    };
    assert!(check().await);
    first.stop().await;
    assert!(!check().await);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let serving = grpc::serve(
        listener,
        Routes::default(),
        Router::new(),
        runtime::health::Readiness::new(),
        tokio_util::sync::CancellationToken::new(),
        LONG,
    );
    tokio::spawn(serving);
    assert!(check().await);
}

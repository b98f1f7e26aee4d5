//! A proxy between a browser and a service, as they stand in front of many
//! sites: one that cuts connections, however alive they are.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    cuts: watch::Sender<u64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of the service at `url`.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn start(url: &str) -> Self {
        let target = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (cuts, seen) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, target.clone(), seen.clone()));
            }
        });
        Self {
            address,
            cuts,
            accepting,
        }
    }

    /// Its own base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts every connection there is.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(mut near: TcpStream, target: String, mut cuts: watch::Receiver<u64>) {
    cuts.mark_unchanged();
    let Ok(mut far) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        // Whoever has gone away needs no proxy any more.
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = cuts.changed() => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::Proxy;

    #[tokio::test]
    async fn it_passes_until_it_cuts() {
        let service = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", service.local_addr().expect("an address"));
        let proxy = Proxy::start(&url).await;
        let mut near = TcpStream::connect(proxy.address).await.expect("a proxy");
        near.write_all(b"ping").await.expect("an open line");
        let (mut far, _) = service.accept().await.expect("a connection");
        let mut word = [0; 4];
        far.read_exact(&mut word).await.expect("what was sent");
        far.write_all(b"pong").await.expect("an open line");
        near.read_exact(&mut word).await.expect("what was sent");
        assert_eq!(&word, b"pong");
        proxy.cut();
        assert_eq!(near.read(&mut word).await.expect("an end"), 0);
        assert_eq!(far.read(&mut word).await.expect("an end"), 0);
    }
}

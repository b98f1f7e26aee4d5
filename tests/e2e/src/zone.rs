//! A zone of trust: a Herald of its own, whose bridge takes from other bridges and
//! sends to some.

use testkit::{Installation, port};

/// One Herald whose bridge speaks to other bridges.
#[derive(Debug)]
pub struct Zone {
    /// Its services.
    pub herald: Installation,
    ingest_port: u16,
}

impl Default for Zone {
    fn default() -> Self {
        Self::new()
    }
}

impl Zone {
    /// A zone with an empty routes file.
    ///
    /// # Panics
    /// When there is no room for a folder or a port.
    #[must_use]
    pub fn new() -> Self {
        let ingest_port = port::free();
        let herald = Installation::new();
        let routes = herald.folder().join("routes.toml");
        let zone = Self {
            herald: herald
                .with("BRIDGE_INGEST_LISTEN", format!("127.0.0.1:{ingest_port}"))
                .with("BRIDGE_ROUTES", routes.display().to_string()),
            ingest_port,
        };
        zone.route(&[]);
        zone
    }

    /// Where its bridge takes from others: host and port.
    #[must_use]
    pub fn ingest_address(&self) -> String {
        format!("127.0.0.1:{}", self.ingest_port)
    }

    /// Writes the routes file; counts from the next start of the bridge.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn route(&self, destinations: &[String]) {
        let file = self.herald.folder().join("routes.toml");
        std::fs::write(file, destinations.concat()).expect("a folder");
    }
}

/// A destination for the routes file: a bridge or store at `address`, with rules.
#[must_use]
pub fn herald(name: &str, address: &str, rules: &str) -> String {
    format!(
        "[[destination]]\nname = \"{name}\"\nkind = \"herald\"\nurl = \"http://{address}\"\n{rules}\n"
    )
}

/// A destination for the routes file: a predecessor's bridge.
#[must_use]
pub fn predecessor(name: &str, address: &str, rules: &str) -> String {
    format!(
        "[[destination]]\nname = \"{name}\"\nkind = \"predecessor\"\naddress = \"{address}\"\n{rules}\n"
    )
}

//! What `herald up` says to the person who started it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval},
};

use super::plan::{Plan, reachable};
use crate::output::say;

/// Waits until every port answers, then says where everything is.
pub(super) async fn when_reachable(plan: Plan) {
    let addresses = [plan.store.listen, plan.web.listen, plan.bridge.admin_listen];
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for address in addresses.map(reachable) {
        while TcpStream::connect(address).await.is_err() {
            ticks.tick().await;
        }
    }
    say(text(&plan));
}

fn text(plan: &Plan) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "Herald {version}, stage {stage}\n\
         \n\
         \x20 send records to  {records}\n\
         \x20 see them at      http://{page}\n\
         \x20 data is in       {data}\n\
         \n\
         Ctrl-C stops it; what it has received stays.",
        stage = plan.stage,
        records = known_as(plan.bridge.listen),
        page = known_as(plan.web.listen),
        data = plan.data_dir().display(),
    )
}

/// Host and port as people type them on this machine.
fn known_as(listen: SocketAddr) -> String {
    match listen.ip().is_unspecified() || listen.ip() == Ipv4Addr::LOCALHOST {
        true => format!("localhost:{}", listen.port()),
        false => listen.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::known_as;

    #[test]
    fn addresses_are_what_people_type() {
        let check = |listen: &str, expected: &str| {
            assert_eq!(known_as(listen.parse().unwrap()), expected);
        };
        check("0.0.0.0:9020", "localhost:9020");
        check("127.0.0.1:9021", "localhost:9021");
        check("127.0.0.2:9021", "127.0.0.2:9021");
        check("10.0.0.7:9021", "10.0.0.7:9021");
        check("[::]:9021", "localhost:9021");
    }
}

//! What `herald up` says to the person who started it.

use std::time::Duration;

use neelix_cronjob::mailer::MailServer;

use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval},
};

use super::{
    defaults::{known_as, reachable, scheme},
    plan::Plan,
};
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
    let rules = &plan.neelix.rules;
    let rules = match rules.is_file() {
        true => rules.display().to_string(),
        false => format!("{} (not there yet: docs/guide/alerts.md)", rules.display()),
    };
    let mails = match &plan.neelix.mail_server {
        MailServer::Smtp(server) => format!("go to {}:{}", server.host, server.port),
        MailServer::Keep => "are kept on the alerts page (NEELIX_SMTP_URL sends them)".to_owned(),
    };
    format!(
        "Herald {version}, stage {stage}\n\
         \n\
         \x20 send records to  {records}\n\
         \x20 see them at      {page}\n\
         \x20 data is in       {data}\n\
         \x20 rules are in     {rules}\n\
         \x20 mails            {mails}\n\
         \n\
         Ctrl-C stops it; what it has received stays.",
        stage = plan.stage,
        records = known_as(plan.bridge.listen),
        page = format_args!(
            "{}://{}",
            scheme(&plan.web.https),
            known_as(plan.web.listen)
        ),
        data = plan.data_dir().display(),
    )
}

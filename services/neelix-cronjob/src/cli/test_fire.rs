//! `--test-fire SECTION`: one marked mail to those whom a section names.

use anyhow::bail;
use runtime::process::WrongUsage;
use serde_json::json;

use super::{Format, wrong_rules};
use crate::{
    config::Config, delivery::deliver_once, digest::compose_test, job, output, problem::nearest,
    store_client::StoreClient,
};

pub(super) async fn run(config: &Config, section: &str, format: Format) -> anyhow::Result<()> {
    let state = StoreClient::new(&config.store_url, &config.tls)?
        .state()
        .await?;
    let rules = job::load(config, state.now_us)?
        .map_err(|problems| wrong_rules(&job::lines(config, &problems)))?
        .rules;
    let Some(rule) = rules.iter().find(|rule| rule.row.name == section) else {
        let names: Vec<&str> = rules.iter().map(|rule| rule.row.name.as_str()).collect();
        let hint = nearest(section, &names).map(|name| format!(": is it [{name}]?"));
        let hint = hint.unwrap_or_default();
        return Err(WrongUsage(format!("there is no section [{section}]{hint}")).into());
    };
    let notification = compose_test(&rule.row, &job::site(config, &state));
    let told = deliver_once(&notification, &job::post(config)).await;
    match format {
        Format::Json => output::say(json!({
            "section": section,
            "recipients": rule.row.recipients,
            "delivered": told.delivered,
            "undelivered": told.undelivered,
            "errors": told.errors,
        }))?,
        Format::Text => {
            let recipients = rule.row.recipients.join(", ");
            output::say(format_args!(
                "{} of a test to {recipients} accepted",
                told.delivered
            ))?;
            for error in &told.errors {
                output::note(error);
            }
        }
    }
    if told.undelivered > 0 {
        bail!("{} deliveries of the test failed", told.undelivered);
    }
    Ok(())
}

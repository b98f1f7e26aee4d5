//! What only those may know who get a mail or keep the rules.

use domain::DeliveryChannel;

use super::web;

/// Guards against everybody who may read silencing alerts by the links of mails, and
/// calling webhooks by their addresses.
#[tokio::test]
async fn signed_links_and_webhooks_are_not_shown() {
    let web = web().await;
    {
        let mut store = web.store.alerts();
        let hook = "https://me:secret@hooks.example/T0/secret";
        let notification = &mut store.notifications[0];
        notification.text = "Silence 1 h: https://herald.example/alerts/3/silence?for=1h\
                             &expires=9&signature=secret\nAlert: /alerts/3\n"
            .to_owned();
        for delivery in &mut notification.deliveries {
            delivery.channel = DeliveryChannel::Webhook;
            delivery.recipient = hook.to_owned();
        }
        store.rules[0].text = format!("[shop]\nMSG=disk full\nWEBHOOK={hook}\n");
        store.rules[0].recipients = vec![hook.to_owned()];
    }
    for (path, shown) in [
        ("/alerts", "https://hooks.example"),
        ("/alerts/3", "https://hooks.example"),
        ("/alerts/3", "Silence 1 h: (not shown)\nAlert: /alerts/3"),
        ("/alerts/rules", "https://hooks.example"),
        ("/alerts/rules", "WEBHOOK=(not shown)"),
        ("/alerts?rule=shop", "WEBHOOK=(not shown)"),
        ("/api/v1/alerts/3", "\"https://hooks.example\""),
        (
            "/api/v1/alerts/3",
            "Silence 1 h: (not shown)\\nAlert: /alerts/3",
        ),
    ] {
        let page = web.page(path, 200).await;
        assert!(page.contains(shown), "{path}: {page}");
        assert!(!page.contains("secret"), "{path}: {page}");
    }
}

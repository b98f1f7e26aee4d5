//! What once went wrong with runs and alerts: each test names what it guards against.

use tonic::Code;

use crate::{
    alerts::{get, resolved},
    harness::Store,
    runs::{alert, begin, found, run},
};
use proto::v1;

/// Guards against an edit of a rule that fires blocking every later run.
#[tokio::test]
async fn an_alert_goes_on_when_its_rule_is_edited() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let mut other = alert(2, "shop");
    other.condition = "MSG=oven cold".to_owned();
    run(&mut clients, found(0, vec![alert(1, "shop"), other])).await;
    let edited = |id| {
        let mut alert = alert(id, "shop");
        alert.kind = v1::AlertKind::Count.into();
        alert.condition = "MSG=disk is full".to_owned();
        alert
    };
    run(&mut clients, found(0, vec![edited(1)])).await;
    let (run_id, state) = begin(&mut clients).await;
    assert_eq!(state.alerts[0].kind(), v1::AlertKind::Count);
    assert_eq!(state.alerts[0].condition, "MSG=disk is full");
    let refused = clients.runs.commit_run(found(run_id, vec![edited(2)]));
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    // The one in its way ends with the same run, whatever their order.
    let findings = found(run_id, vec![edited(2), resolved(edited(1))]);
    clients.runs.commit_run(findings).await.unwrap();
    let alert = get(&mut clients, 2).await.unwrap().alert.unwrap();
    assert_eq!(alert.condition, "MSG=disk is full");
}

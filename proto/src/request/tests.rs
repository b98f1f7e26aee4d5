//! Requests go over the wire and come back as they were.

use domain::{
    Condition, ContextScope, CountBy, CountQuery, Order, RecordFilter, RecordQuery, TextField,
    TextTest,
};

use super::{
    count_from_request, count_to_request, query_from_request, query_to_request, scope_from_proto,
    scope_to_proto,
};
use crate::{ConvertError, v1};

fn filter() -> RecordFilter {
    RecordFilter {
        condition: Condition::All(vec![
            Condition::Contains("disk \"full\"".to_owned()),
            Condition::Not(Box::new(Condition::Text(
                TextField::System,
                TextTest::Is("a b:c".to_owned()),
            ))),
            Condition::at_least(35),
        ]),
        from_us: Some(-1),
        to_us: None,
    }
}

#[test]
fn what_is_asked_for_survives_the_wire() {
    let query = RecordQuery {
        filter: filter(),
        order: Order::OldestFirst,
        limit: 7,
        before: Some(9),
        after: None,
    };
    assert_eq!(query_from_request(query_to_request(&query), 0), Ok(query));
    let count = CountQuery {
        filter: filter(),
        fields: vec![TextField::Logger, TextField::Fingerprint],
        values_per_field: 5,
        buckets: 60,
        by: CountBy::Field(TextField::System),
    };
    assert_eq!(count_from_request(count_to_request(&count), 0), Ok(count));
    for scope in [
        ContextScope::Everything,
        ContextScope::System,
        ContextScope::Process,
    ] {
        assert_eq!(scope_from_proto(scope_to_proto(scope).into()), Ok(scope));
    }
}

#[test]
fn an_empty_request_has_the_defaults() {
    let query = query_from_request(v1::ListRecordsRequest::default(), 0);
    assert_eq!(query, Ok(RecordQuery::default()));
    let count = count_from_request(v1::CountRecordsRequest::default(), 0);
    assert_eq!(count, Ok(CountQuery::default()));
    assert_eq!(scope_from_proto(0), Ok(ContextScope::Everything));
}

#[test]
fn a_request_that_cannot_be_met_says_why() {
    let check = |outcome: Result<(), ConvertError>, expected: &str| {
        let status = tonic::Status::from(outcome.expect_err("an error"));
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status:?}");
    };
    let list = |request| query_from_request(request, 0).map(|_| ());
    let query = |query: &str| {
        let filter = v1::RecordFilter {
            query: query.to_owned(),
            ..v1::RecordFilter::default()
        };
        list(v1::ListRecordsRequest {
            filter: Some(filter),
            ..v1::ListRecordsRequest::default()
        })
    };
    check(query("a (b"), "query: ");
    check(query("a (b"), "at column ");
    let limit = v1::ListRecordsRequest {
        limit: 10_001,
        ..v1::ListRecordsRequest::default()
    };
    check(list(limit), "limit 10001 is above 10000");
    let order = v1::ListRecordsRequest {
        order: 9,
        ..v1::ListRecordsRequest::default()
    };
    check(list(order), "order 9 is unknown");
    check(scope_from_proto(9).map(|_| ()), "scope 9 is unknown");
    let count = |fields: &[&str], values_per_field, buckets, by: &str| {
        let request = v1::CountRecordsRequest {
            filter: None,
            fields: fields.iter().map(|name| (*name).to_owned()).collect(),
            values_per_field,
            buckets,
            by: by.to_owned(),
        };
        count_from_request(request, 0).map(|_| ())
    };
    check(count(&["message"], 0, 0, ""), "fields: `message`");
    check(count(&["colour"], 0, 0, ""), "fields: `colour`");
    check(count(&[], 1_001, 0, ""), "values_per_field 1001 is above");
    check(count(&[], 0, 1_001, ""), "buckets 1001 is above 1000");
    check(
        count(&[], 0, 0, "logger"),
        "by: `logger` is no context field",
    );
}

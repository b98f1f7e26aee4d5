//! `/api/v1/openapi.json`: this API, described for programs.

use axum::{
    extract::RawQuery,
    http::header,
    response::{IntoResponse, Response},
};

use super::{ApiError, require_sound};
use crate::request::Parameters;

const DESCRIPTION: &str = include_str!("openapi.json");

/// `GET /api/v1/openapi.json`
pub(crate) async fn show(RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::DESCRIPTION;
    use crate::{
        access::Need,
        api::{Route, needs, routes},
    };

    fn description() -> Value {
        serde_json::from_str(DESCRIPTION).expect("JSON")
    }

    #[test]
    fn every_address_is_described_and_no_other() {
        let description = description();
        let described: BTreeSet<_> = description["paths"].as_object().unwrap().keys().collect();
        let mut served: BTreeSet<_> = routes().map(|Route(path, ..)| path.to_owned()).into();
        served.extend(["/healthz", "/readyz", "/metrics"].map(str::to_owned));
        assert_eq!(described, served.iter().collect());
    }

    /// What is described without it would be open to everybody.
    /// What somebody does not get who sees some systems only.
    const OF_ALL_SYSTEMS: [&str; 2] = ["/api/v1/dead_letters", "/api/v1/gaps"];

    #[test]
    fn every_address_says_that_it_wants_to_know_who_asks() {
        let description = description();
        for (path, need) in needs() {
            let operations = description["paths"][path].as_object().expect(path);
            for (method, operation) in operations {
                let responses = &operation["responses"];
                assert!(responses["401"].is_object(), "{method} {path}");
                // A change, what is for operators, or what is about all systems.
                let is_for_some =
                    method != "get" || need == Need::Operator || OF_ALL_SYSTEMS.contains(&path);
                assert_eq!(responses["403"].is_object(), is_for_some, "{method} {path}");
            }
        }
    }

    #[test]
    fn every_parameter_is_described_and_no_other() {
        let description = description();
        let resolved = |parameter: &Value| match parameter["$ref"].as_str() {
            Some(name) => description.pointer(&name[1..]).expect(name).clone(),
            None => parameter.clone(),
        };
        for Route(path, known, _) in routes() {
            let parameters = &description["paths"][path]["get"]["parameters"];
            let described: BTreeSet<_> = parameters
                .as_array()
                .into_iter()
                .flatten()
                .map(resolved)
                .filter(|parameter| parameter["in"] == "query")
                .map(|parameter| parameter["name"].as_str().expect("a name").to_owned())
                .collect();
            let known = known.concat();
            let known: BTreeSet<_> = known.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(described, known, "{path}");
        }
    }
}

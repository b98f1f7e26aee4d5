//! Finding an element, as a person or a screen reader would.

use std::fmt;

use serde_json::{Value, json};

use super::{
    PATIENCE,
    page::{Page, quoted, value_of},
    pipe::Answer,
    poll,
};

/// An element that is looked for.
#[derive(Debug, Clone, Copy)]
pub enum Target<'t> {
    /// The first that this selector finds.
    Css(&'t str),
    /// The first with this role and accessible name.
    Named(&'t str, &'t str),
}

impl<'t> From<&'t str> for Target<'t> {
    fn from(selector: &'t str) -> Self {
        Self::Css(selector)
    }
}

impl<'t> From<(&'t str, &'t str)> for Target<'t> {
    fn from((role, name): (&'t str, &'t str)) -> Self {
        Self::Named(role, name)
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Css(selector) => f.write_str(selector),
            Self::Named(role, name) => write!(f, "{role} `{name}`"),
        }
    }
}

impl Page {
    /// Whether there is such an element that can be seen.
    pub async fn has<'t>(&self, target: impl Into<Target<'t>>) -> bool {
        self.find(target.into()).await.is_some()
    }

    /// What a function of JavaScript says about an element (`this`).
    ///
    /// # Panics
    /// When the element does not appear, or the function throws.
    pub async fn of<'t>(&self, target: impl Into<Target<'t>>, function: &str) -> Value {
        let target = target.into();
        let object = self.element(target).await;
        let answer = self.on(&object, function, json!([])).await;
        answer.unwrap_or_else(|error| panic!("{target}: {error} in {function}"))
    }

    /// The id of an element that can be seen; waits for it to appear.
    pub(super) async fn element(&self, target: Target<'_>) -> String {
        match poll(PATIENCE, async || self.find(target).await).await {
            Some(object) => object,
            None => {
                let (url, seen) = self.seen().await;
                panic!("there is no {target} at {url}: {seen}");
            }
        }
    }

    async fn find(&self, target: Target<'_>) -> Option<String> {
        let candidates = match target {
            Target::Css(selector) => self.by_selector(selector).await,
            Target::Named(role, name) => self.by_name(role, name).await,
        };
        for object in candidates {
            let is_seen = "function() { return this.checkVisibility({visibilityProperty: true}) \
                 && this.getClientRects().length > 0 }";
            if self.on(&object, is_seen, json!([])).await == Ok(Value::Bool(true)) {
                return Some(object);
            }
        }
        None
    }

    async fn by_selector(&self, selector: &str) -> Vec<String> {
        // The first visible one is told apart in the page: there may be thousands.
        let script = format!(
            "[...document.querySelectorAll({})].find(it => it.checkVisibility({{visibilityProperty: true}}) \
             && it.getClientRects().length > 0)",
            quoted(selector)
        );
        let answer = self
            .try_call("Runtime.evaluate", json!({"expression": script}))
            .await;
        let id = answer.ok().and_then(|answer| {
            let object = answer["result"]["objectId"].as_str()?;
            Some(object.to_owned())
        });
        id.into_iter().collect()
    }

    async fn by_name(&self, role: &str, name: &str) -> Vec<String> {
        let document = json!({"expression": "document"});
        let Ok(document) = self.try_call("Runtime.evaluate", document).await else {
            return Vec::new();
        };
        let query = json!({
            "objectId": document["result"]["objectId"], "role": role, "accessibleName": name,
        });
        let Ok(found) = self.try_call("Accessibility.queryAXTree", query).await else {
            return Vec::new();
        };
        let mut objects = Vec::new();
        for node in found["nodes"].as_array().into_iter().flatten() {
            if node["ignored"] == true {
                continue;
            }
            let node = json!({"backendNodeId": node["backendDOMNodeId"]});
            if let Ok(object) = self.try_call("DOM.resolveNode", node).await
                && let Some(id) = object["object"]["objectId"].as_str()
            {
                objects.push(id.to_owned());
            }
        }
        objects
    }

    pub(super) async fn on(&self, object: &str, function: &str, arguments: Value) -> Answer {
        let call = json!({
            "objectId": object, "functionDeclaration": function, "arguments": arguments,
            "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.try_call("Runtime.callFunctionOn", call).await?;
        value_of(answer)
    }
}

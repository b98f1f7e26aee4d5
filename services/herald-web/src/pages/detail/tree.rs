//! `extra` as a tree: keys in their order, numbers digit for digit, and only as
//! much of it as a page can hold.

use std::borrow::Cow;

use domain::{Condition, ExtraPath, ExtraTest, TextTest};
use render::cut;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::pages::view::View;

/// Deeper values are shown as they are written.
const MAX_DEPTH: usize = 12;
/// Longest value shown, and longest that a link asks for, in bytes.
const MAX_VALUE_BYTES: usize = 2_048;
const MAX_LINK_BYTES: usize = 200;

/// The tree.
#[derive(Debug, Serialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    /// There is more than is shown.
    is_cut: bool,
}

/// A key and its value.
#[derive(Debug, Default, Serialize)]
struct Node {
    key: String,
    /// `text`, `number`, `word`, `object` or `array`.
    kind: &'static str,
    /// Of a value that is neither object nor array.
    value: String,
    /// How many values an object or array has, shown or not.
    count: usize,
    children: Vec<Node>,
    include: Option<String>,
    exclude: Option<String>,
}

/// What is left of a page's room, and what links keep.
struct Growth<'a> {
    view: &'a View,
    room: usize,
    is_cut: bool,
    path: Vec<String>,
    /// Objects and arrays around the value at hand; arrays add nothing to `path`.
    depth: usize,
}

impl Tree {
    /// At most so many values; `None` for a text that is no JSON object, or an
    /// empty one.
    pub(super) fn new(json: &str, view: &View, max_values: usize) -> Option<Self> {
        let mut growth = Growth {
            view,
            room: max_values,
            is_cut: false,
            path: Vec::new(),
            depth: 0,
        };
        let Items::Object(members) = serde_json::from_str(json).ok()? else {
            return None;
        };
        let nodes = growth.object(members);
        (!nodes.is_empty()).then_some(Self {
            nodes,
            is_cut: growth.is_cut,
        })
    }
}

impl Growth<'_> {
    fn object(&mut self, members: Vec<(String, &RawValue)>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (key, value) in members {
            if !self.has_room() {
                break;
            }
            self.path.push(key.clone());
            nodes.push(self.node(key, value.get()));
            self.path.pop();
        }
        nodes
    }

    /// Items of an array have its path.
    fn array(&mut self, items: Vec<&RawValue>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (at, value) in items.into_iter().enumerate() {
            if !self.has_room() {
                break;
            }
            nodes.push(self.node(at.to_string(), value.get()));
        }
        nodes
    }

    fn has_room(&mut self) -> bool {
        self.is_cut |= self.room == 0;
        self.room = self.room.saturating_sub(1);
        !self.is_cut
    }

    fn node(&mut self, key: String, raw: &str) -> Node {
        let items = match serde_json::from_str(raw) {
            Ok(items) if self.depth < MAX_DEPTH => items,
            _ => return self.leaf(key, raw),
        };
        self.depth += 1;
        let (kind, count, children) = match items {
            Items::Object(members) => ("object", members.len(), self.object(members)),
            Items::Array(items) => ("array", items.len(), self.array(items)),
        };
        self.depth -= 1;
        Node {
            key,
            kind,
            count,
            children,
            ..Node::default()
        }
    }

    fn leaf(&mut self, key: String, raw: &str) -> Node {
        let (kind, value) = match raw.as_bytes().first() {
            Some(b'"') => (
                "text",
                serde_json::from_str(raw).map_or(Cow::Borrowed(raw), Cow::<str>::Owned),
            ),
            Some(b't' | b'f' | b'n') => ("word", Cow::Borrowed(raw)),
            Some(b'{' | b'[') => ("deep", Cow::Borrowed(raw)),
            _ => ("number", Cow::Borrowed(raw)),
        };
        let (shown, is_whole) = cut::head(&value, MAX_VALUE_BYTES, usize::MAX);
        self.is_cut |= !is_whole;
        let is_asked_for = kind != "deep" && !value.is_empty() && value.len() <= MAX_LINK_BYTES;
        let condition = is_asked_for.then(|| {
            let test = ExtraTest::Text(TextTest::Is(value.clone().into_owned()));
            Condition::Extra(ExtraPath(self.path.clone()), test)
        });
        Node {
            key,
            kind,
            value: format!("{shown}{}", if is_whole { "" } else { "…" }),
            include: condition
                .clone()
                .map(|condition| self.view.with(condition, &[])),
            exclude: condition
                .map(|condition| self.view.with(Condition::Not(Box::new(condition)), &[])),
            ..Node::default()
        }
    }
}

/// What an object or an array holds, unread.
enum Items<'a> {
    Object(Vec<(String, &'a RawValue)>),
    Array(Vec<&'a RawValue>),
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Items<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Items::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element()? {
            values.push(value);
        }
        Ok(Items::Array(values))
    }
}

#[cfg(test)]
mod tests {
    use domain::RecordFilter;

    use super::{Node, Tree};
    use crate::{pages::view::View, request::Parameters};

    fn written(nodes: &[Node]) -> String {
        let node = |node: &Node| match node.kind {
            "object" | "array" => {
                format!(
                    "{}:{}{}[{}]",
                    node.key,
                    node.kind,
                    node.count,
                    written(&node.children)
                )
            }
            kind => format!("{}:{kind}={}", node.key, node.value),
        };
        nodes.iter().map(node).collect::<Vec<_>>().join(" ")
    }

    fn view() -> View {
        View::new(Parameters::default(), &RecordFilter::default(), 0)
    }

    fn tree(json: &str, max_values: usize) -> Tree {
        Tree::new(json, &view(), max_values).expect("a tree")
    }

    #[test]
    fn keys_keep_their_order_and_numbers_their_digits() {
        let check = |json: &str, expected: &str| {
            assert_eq!(written(&tree(json, 100).nodes), expected, "{json}");
        };
        check(
            r#"{"b":12345678901234567890.10,"a":"x\n\"y\"","c":[true,null,{"d":1}],"e":{}}"#,
            "b:number=12345678901234567890.10 a:text=x\n\"y\" \
             c:array3[0:word=true 1:word=null 2:object1[d:number=1]] e:object0[]",
        );
        let deep = format!("{}1{}", r#"{"a":"#.repeat(15), "}".repeat(15));
        assert!(written(&tree(&deep, 100).nodes).contains(r#"a:deep={"a":{"a":1}}"#));
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(written(&tree(&deep, 100).nodes).contains("0:deep=[[["));
    }

    #[test]
    fn what_is_no_object_has_no_tree() {
        for json in ["", "{}", "[1]", "no json", "1"] {
            let found = Tree::new(json, &view(), 100);
            assert!(found.is_none(), "{json}");
        }
    }

    #[test]
    fn a_large_one_is_cut_and_says_so() {
        let cut = tree(r#"{"a":1,"b":[2,3],"c":4}"#, 3);
        assert_eq!(written(&cut.nodes), "a:number=1 b:array2[0:number=2]");
        assert!(cut.is_cut);
        assert!(!tree(r#"{"a":1,"b":[2,3],"c":4}"#, 5).is_cut);
        let long = tree(&format!(r#"{{"a":"{}"}}"#, "x".repeat(3_000)), 5);
        assert!(long.is_cut && long.nodes[0].include.is_none());
    }

    #[test]
    fn links_ask_for_the_path() {
        let tree = tree(r#"{"order":{"http.status":[200]},"e":""}"#, 10);
        let leaf = &tree.nodes[0].children[0].children[0];
        let include = leaf.include.as_deref().expect("a link");
        let q = form_urlencoded::parse(include.split_once('?').expect("a query").1.as_bytes());
        let q = q.map(|(_, value)| value.into_owned()).next();
        assert_eq!(q.as_deref(), Some("extra.order.\"http.status\":200"));
        assert!(leaf.exclude.is_some());
        assert!(tree.nodes[1].include.is_none(), "an empty text");
    }
}

//! Walking through the log page by page, along ids: what is older or newer than
//! the rows at hand, without skipping or repeating one.

use domain::{Order, RecordQuery};
use serde::Serialize;

use crate::{
    request::{Parameters, link},
    store_client::RecordPage,
};

/// One page of a list in a display order. The page's cursor `before` or
/// `after` is where it goes on from: in display order, or back against it.
#[derive(Debug)]
pub(super) struct Walk {
    query: RecordQuery,
    /// The records next to the cursor are fetched against the display order.
    is_back: bool,
}

/// Links to the neighbouring pages.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Pager {
    newest: Option<String>,
    newer: Option<String>,
    older: Option<String>,
    oldest: Option<String>,
    is_newest_first: bool,
}

impl Walk {
    pub(super) fn new(query: RecordQuery) -> Self {
        let against = match query.order {
            Order::NewestFirst => query.after,
            Order::OldestFirst => query.before,
        };
        Self {
            is_back: against.is_some(),
            query,
        }
    }

    /// What to ask the store.
    pub(super) fn query(&self) -> RecordQuery {
        let order = match (self.is_back, self.query.order) {
            (false, order) => order,
            (true, Order::NewestFirst) => Order::OldestFirst,
            (true, Order::OldestFirst) => Order::NewestFirst,
        };
        RecordQuery {
            order,
            ..self.query.clone()
        }
    }

    /// Puts the store's answer into display order and links what lies around.
    pub(super) fn arrange(&self, page: &mut RecordPage, parameters: &Parameters) -> Pager {
        if self.is_back {
            page.records.reverse();
        }
        let is_newest_first = self.query.order == Order::NewestFirst;
        let ids = (
            page.records.first().map(|record| record.id),
            page.records.last().map(|record| record.id),
        );
        let (newest_id, oldest_id) = if is_newest_first { ids } else { (ids.1, ids.0) };
        // Where the store went on from here, its own cursor counts: it may have looked further
        // than the last record it found.
        let is_towards_older = self.query().order == Order::NewestFirst;
        let (older_than, newer_than) = if is_towards_older {
            let turn = newest_id.or_else(|| Some(self.query.before? - 1));
            (page.next, turn.filter(|_| self.query.before.is_some()))
        } else {
            let turn = oldest_id.or_else(|| self.query.after?.checked_add(1));
            (turn.filter(|_| self.query.after.is_some()), page.next)
        };
        let page_link = |name: &str, id: u64| {
            let clear = [("before", None), ("after", None), ("open", None)];
            let id = id.to_string();
            let kept = clear
                .iter()
                .copied()
                .filter(|(cleared, _)| *cleared != name);
            let changes: Vec<_> = kept.chain([(name, Some(id.as_str()))]).collect();
            link(parameters, &changes)
        };
        let start = |order| {
            link(
                parameters,
                &[
                    ("before", None),
                    ("after", None),
                    ("open", None),
                    ("order", order),
                ],
            )
        };
        let has_cursor = self.query.before.is_some() || self.query.after.is_some();
        Pager {
            newest: (has_cursor || !is_newest_first).then(|| start(None)),
            newer: newer_than.map(|id| page_link("after", id)),
            older: older_than.map(|id| page_link("before", id)),
            oldest: (has_cursor || is_newest_first).then(|| start(Some("asc"))),
            is_newest_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Order, Record, RecordQuery};

    use super::Walk;
    use crate::{
        request::{BadQuery, LimitRule, PAGE, Parameters, read_records},
        store_client::RecordPage,
    };

    /// A store with records of the given ids.
    fn list(ids: &[u64], query: &RecordQuery) -> RecordPage {
        let mut found: Vec<u64> = ids
            .iter()
            .copied()
            .filter(|id| query.before.is_none_or(|before| *id < before))
            .filter(|id| query.after.is_none_or(|after| *id > after))
            .collect();
        found.sort_unstable();
        if query.order == Order::NewestFirst {
            found.reverse();
        }
        let is_more = found.len() > query.limit;
        found.truncate(query.limit);
        RecordPage {
            next: found.last().copied().filter(|_| is_more),
            records: found
                .into_iter()
                .map(|id| Record {
                    id,
                    ..Record::default()
                })
                .collect(),
            partial: false,
            coverage: None,
        }
    }

    /// The ids on the page at a link, and its links to newer and older ones.
    fn open(ids: &[u64], href: &str) -> (Vec<u64>, Option<String>, Option<String>) {
        let query = href.strip_prefix("/?").unwrap_or_default();
        let parameters = Parameters::read(Some(query), PAGE);
        let rule = LimitRule { max: 100, hint: "" };
        let request = read_records(&parameters, 0, rule, BadQuery::Refuse);
        assert_eq!(request.problems, [], "{href}");
        let walk = Walk::new(request.query);
        let mut page = list(ids, &walk.query());
        let pager = walk.arrange(&mut page, &parameters);
        let shown = page.records.iter().map(|record| record.id).collect();
        (shown, pager.newer, pager.older)
    }

    fn follow(ids: &[u64], start: &str, is_newer: bool) -> Vec<Vec<u64>> {
        let mut pages = Vec::new();
        let mut href = Some(start.to_owned());
        while let Some(at) = href {
            let (shown, newer, older) = open(ids, &at);
            href = if is_newer { newer } else { older };
            pages.push(shown);
            assert!(pages.len() < 20, "the walk ends: {pages:?}");
        }
        pages
    }

    #[test]
    fn a_walk_skips_and_repeats_nothing() {
        let ids = [2, 3, 5, 8, 13, 21, 34];
        let check = |start: &str, is_newer, expected: &[&[u64]]| {
            assert_eq!(follow(&ids, start, is_newer), expected, "{start}");
        };
        check("/?limit=3", false, &[&[34, 21, 13], &[8, 5, 3], &[2]]);
        check(
            "/?limit=3&before=3",
            true,
            &[&[2], &[8, 5, 3], &[34, 21, 13]],
        );
        check(
            "/?limit=3&order=asc",
            true,
            &[&[2, 3, 5], &[8, 13, 21], &[34]],
        );
        check(
            "/?limit=3&order=asc&after=21",
            false,
            &[&[34], &[8, 13, 21], &[2, 3, 5]],
        );
        check("/?limit=50", false, &[&[34, 21, 13, 8, 5, 3, 2]]);
    }

    #[test]
    fn an_empty_page_leads_back() {
        let check = |href: &str, newer: Option<&str>, older: Option<&str>| {
            let found = open(&[5, 6], href);
            assert_eq!(found.0, [0; 0], "{href}");
            assert_eq!((found.1.as_deref(), found.2.as_deref()), (newer, older));
        };
        check("/?before=5", Some("/?after=4"), None);
        check("/?before=1", Some("/?after=0"), None);
        check("/?after=18446744073709551615", None, None);
        check("/?after=6", None, Some("/?before=7"));
        check("/?order=asc&after=6", None, Some("/?order=asc&before=7"));
        check("/?order=asc&before=5", Some("/?order=asc&after=4"), None);
    }

    #[test]
    fn new_records_do_not_shift_the_pages() {
        let (shown, _, older) = open(&[1, 2, 3, 4], "/?limit=2");
        assert_eq!(shown, [4, 3]);
        let older = older.expect("older records");
        assert_eq!(open(&[1, 2, 3, 4, 5, 6], &older).0, [2, 1]);
    }
}

//! Who hears of which alerts together: one letter for each rule, but a storm of
//! silences is one letter for all.

use domain::AlertKind;

use super::Told;
use crate::digest::News;

/// From so many heartbeats on that are lost, are still lost, or come back, in one run it
/// is a storm.
pub(crate) const STORM: usize = 10;

/// What is told, sorted into letters. None is empty, and each holds one rule's alerts,
/// those of storms excepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Post {
    /// In the order of the rules.
    pub(crate) letters: Vec<Vec<Told>>,
    /// Lost ones, then those of which people are reminded, then those that are back.
    pub(crate) storms: Vec<Vec<Told>>,
}

/// Sorts.
pub(crate) fn sort(told: Vec<Told>) -> Post {
    let mut post = Post::default();
    let mut rest = told;
    for news in [News::Fired, News::Reminder, News::Resolved] {
        let is_part = |told: &Told| told.news == news && told.alert.kind == AlertKind::Heartbeat;
        if rest.iter().filter(|told| is_part(told)).count() >= STORM {
            let (storm, others) = rest.into_iter().partition(is_part);
            post.storms.push(storm);
            rest = others;
        }
    }
    rest.sort_by_key(|told| told.rule);
    for told in rest {
        match post
            .letters
            .last_mut()
            .filter(|letter| letter[0].rule == told.rule)
        {
            Some(letter) => letter.push(told),
            None => post.letters.push(vec![told]),
        }
    }
    post
}

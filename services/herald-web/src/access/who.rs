//! Who asks.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Lease, Role, Systems, secret::Fingerprint};

/// Longest name, in characters, that the store takes of who has changed something.
const MAX_SIGNATURE: usize = 100;

/// Who asks, as far as somebody wants to know.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// Nobody is asked who they are here.
    Anybody,
    /// Somebody who has not signed in.
    Nobody,
    /// Somebody who has.
    Known(Arc<Known>),
}

/// A person or a program that Herald knows.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// What they see; none for all systems.
    pub(crate) systems: Option<Systems>,
    pub(crate) way: Way,
}

/// How Herald knows somebody.
#[derive(Debug)]
pub(crate) enum Way {
    /// Signed in here.
    Session(SessionOf),
    /// Signed in at a proxy in front, which says so with each request.
    Proxy {
        /// What forms of this person carry.
        form_token: String,
    },
    /// A program with a token, which has no forms.
    Token {
        /// For how long it is believed.
        lease: Lease,
    },
}

/// What is to be known of somebody's session.
#[derive(Debug)]
pub(crate) struct SessionOf {
    pub(super) key: Fingerprint,
    /// What forms of this session carry.
    pub(crate) form_token: String,
    /// Cancelled when it ends.
    pub(crate) ended: CancellationToken,
}

impl Who {
    /// Somebody who has signed in.
    pub(crate) fn known(&self) -> Option<&Known> {
        match self {
            Self::Known(known) => Some(known),
            Self::Anybody | Self::Nobody => None,
        }
    }

    /// What somebody sees who does not see all.
    pub(crate) fn systems(&self) -> Option<&Systems> {
        self.known()?.systems.as_ref()
    }

    /// The session, of whoever has one.
    pub(crate) fn session(&self) -> Option<&SessionOf> {
        match &self.known()?.way {
            Way::Session(session) => Some(session),
            Way::Proxy { .. } | Way::Token { .. } => None,
        }
    }

    /// For how long somebody is believed who has no session.
    pub(crate) fn lease(&self) -> Option<Lease> {
        match &self.known()?.way {
            Way::Session(_) => None,
            Way::Proxy { .. } => Some(Lease::by_proxy()),
            Way::Token { lease } => Some(lease.clone()),
        }
    }

    /// In whose name something is changed: what programs say of whom they ask for stands
    /// beside their own name, and nobody speaks for somebody else.
    pub(crate) fn signature(&self, said: &str) -> String {
        match self.known() {
            None => said.to_owned(),
            Some(known) => match known.way {
                Way::Token { .. } if !said.is_empty() => {
                    let own = format!(" (by {})", known.name);
                    let room = MAX_SIGNATURE.saturating_sub(own.chars().count());
                    said.chars().take(room).chain(own.chars()).collect()
                }
                _ => known.name.clone(),
            },
        }
    }
}

impl Known {
    /// What forms carry that are this person's; none for a program.
    pub(crate) fn form_token(&self) -> Option<&str> {
        match &self.way {
            Way::Session(session) => Some(&session.form_token),
            Way::Proxy { form_token } => Some(form_token),
            Way::Token { .. } => None,
        }
    }
}

#[cfg(test)]
pub(crate) fn known(name: &str, role: Role, form_token: Option<&str>) -> Who {
    Who::Known(Arc::new(Known {
        name: name.to_owned(),
        role,
        systems: None,
        way: match form_token {
            None => Way::Token {
                lease: Lease::Token(CancellationToken::new()),
            },
            Some(form_token) => Way::Session(SessionOf {
                key: [0; 32],
                form_token: form_token.to_owned(),
                ended: CancellationToken::new(),
            }),
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::{Role, Who, known};

    #[test]
    fn nobody_speaks_for_somebody_else() {
        let check = |who: &Who, said: &str, expected: &str| {
            assert_eq!(who.signature(said), expected, "{who:?}");
        };
        check(&Who::Anybody, "bo", "bo");
        let anna = known("anna", Role::Operator, Some("token"));
        check(&anna, "", "anna");
        check(&anna, "bo", "anna");
        let chat = known("chat", Role::Operator, None);
        check(&chat, "", "chat");
        check(&chat, "bo", "bo (by chat)");
        let long = format!("{} (by chat)", "b".repeat(90));
        check(&chat, &"b".repeat(200), &long);
    }
}

//! What bridges say of themselves: kept in memory, written now and then, because
//! a report is not worth a sync.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{BridgeId, Micros};
use prost::Message;
use proto::v1::BridgeReport;

use crate::clock::now_us;

/// The newest word of a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) contact_us: Micros,
    /// An encoded `herald.v1.BridgeReport`.
    pub(crate) report: Option<Vec<u8>>,
    /// When the newest report of this process's time came, and how old the oldest
    /// entry in the bridge's spool was by then.
    pub(crate) reported: Option<(Micros, Micros)>,
    /// How many streams it has open: one, or two while it changes from one to
    /// another.
    pub(crate) streams: usize,
    pub(crate) is_written: bool,
}

impl Contact {
    /// The newest report, or the newest word when there was none: a stream whose other
    /// end is gone may end later.
    pub(crate) fn spoke_us(&self) -> Micros {
        self.reported.map_or(self.contact_us, |(at_us, _)| at_us)
    }
}

/// The newest word of every bridge heard since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contacts {
    by_bridge: Arc<Mutex<HashMap<BridgeId, Contact>>>,
}

/// An open stream of a bridge; dropped when it ends.
#[derive(Debug)]
pub(crate) struct Connected {
    contacts: Contacts,
    bridge_id: BridgeId,
}

impl Drop for Connected {
    fn drop(&mut self) {
        let now_us = now_us();
        self.contacts.change(self.bridge_id, |contact| {
            contact.streams -= 1;
            contact.contact_us = now_us;
        });
    }
}

impl Contacts {
    /// A bridge has opened its spool.
    pub(crate) fn opened(&self, bridge_id: BridgeId, name: &str, now_us: Micros) {
        self.change(bridge_id, |contact| {
            name.clone_into(&mut contact.name);
            contact.contact_us = now_us;
        });
    }

    /// Its stream stays open until what is given is dropped.
    pub(crate) fn connected(&self, bridge_id: BridgeId) -> Connected {
        self.change(bridge_id, |contact| contact.streams += 1);
        Connected {
            contacts: self.clone(),
            bridge_id,
        }
    }

    /// A bridge has reported.
    pub(crate) fn reported(&self, bridge_id: BridgeId, report: &BridgeReport, now_us: Micros) {
        self.change(bridge_id, |contact| {
            contact.report = Some(report.encode_to_vec());
            contact.reported = Some((now_us, lag_us(report)));
            contact.contact_us = now_us;
        });
    }

    /// What is known of a bridge since the start.
    pub(crate) fn get(&self, bridge_id: BridgeId) -> Option<Contact> {
        self.lock().get(&bridge_id).cloned()
    }

    /// What has not been taken before, to be written.
    pub(crate) fn take_unwritten(&self) -> Vec<(BridgeId, Contact)> {
        self.lock()
            .iter_mut()
            .filter(|(_, contact)| !contact.is_written)
            .map(|(bridge_id, contact)| {
                contact.is_written = true;
                (*bridge_id, contact.clone())
            })
            .collect()
    }

    fn change(&self, bridge_id: BridgeId, change: impl FnOnce(&mut Contact)) {
        let mut contacts = self.lock();
        let contact = contacts.entry(bridge_id).or_default();
        change(contact);
        contact.is_written = false;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<BridgeId, Contact>> {
        self.by_bridge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How old the oldest entry was that the store did not have.
pub(crate) fn lag_us(report: &BridgeReport) -> Micros {
    Micros::try_from(report.lag_ms.saturating_mul(1_000)).unwrap_or(Micros::MAX)
}

//! What bridges say of themselves: kept in memory, written now and then, because
//! a report is not worth a sync.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{BridgeId, Micros};

/// The newest word of a bridge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) contact_us: Micros,
    /// An encoded `herald.v1.BridgeReport`.
    pub(crate) report: Option<Vec<u8>>,
    is_written: bool,
}

/// The newest word of every bridge heard since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contacts {
    by_bridge: Arc<Mutex<HashMap<BridgeId, Contact>>>,
}

impl Contacts {
    /// A bridge has opened its spool.
    pub(crate) fn opened(&self, bridge_id: BridgeId, name: &str, now_us: Micros) {
        self.change(bridge_id, |contact| {
            name.clone_into(&mut contact.name);
            contact.contact_us = contact.contact_us.max(now_us);
        });
    }

    /// A bridge has reported.
    pub(crate) fn reported(&self, bridge_id: BridgeId, report: Vec<u8>, now_us: Micros) {
        self.change(bridge_id, |contact| {
            contact.report = Some(report);
            contact.contact_us = contact.contact_us.max(now_us);
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

//! The fields of a record that may leave, by name.

use domain::{NumberField, Record, TextField};

/// Every name that a list of fields may have. The first three leave always: without
/// them a record is none.
pub(crate) const FIELDS: [&str; 26] = [
    "received_at",
    "created",
    "level",
    "level_name",
    "logger",
    "message",
    "system_id",
    "sub_system_id",
    "sub_sub_system_id",
    "produkt_id",
    "user_spec_1",
    "user_spec_2",
    "package_version",
    "api_version",
    "module",
    "function",
    "path",
    "line",
    "process",
    "process_name",
    "thread",
    "thread_name",
    "exception",
    "stack",
    "peer",
    "extra",
];

/// A list of fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    texts: Vec<TextField>,
    numbers: Vec<NumberField>,
    extra: bool,
    /// As they were written.
    pub(crate) names: Vec<String>,
}

impl Allowed {
    /// Adds a field; `false` when there is none of this name that could leave.
    pub(crate) fn add(&mut self, name: &str) -> bool {
        if !FIELDS.contains(&name) {
            return false;
        }
        self.names.push(name.to_owned());
        match (TextField::named(name), NumberField::named(name)) {
            (Some(field), _) => self.texts.push(field),
            (_, Some(field)) => self.numbers.push(field),
            (None, None) => self.extra = true,
        }
        true
    }

    pub(crate) fn has_extra(&self) -> bool {
        self.extra
    }

    /// A record with these fields only. `extra` comes along for whoever looks into
    /// it.
    pub(crate) fn only(&self, record: Record) -> Record {
        // Whoever adds a field to the record has to decide here.
        let Record {
            id: _,
            received_us,
            created_us,
            level,
            level_name,
            logger,
            message,
            system_id,
            sub_system_id,
            sub_sub_system_id,
            produkt_id,
            user_spec_1,
            user_spec_2,
            package_version,
            api_version,
            module,
            function,
            path,
            line,
            process,
            process_name,
            thread,
            thread_name,
            exception,
            stack,
            peer,
            extra,
        } = record;
        use TextField as Text;
        Record {
            id: 0,
            received_us,
            created_us,
            level,
            level_name: self.text(Text::LevelName, level_name),
            logger: self.text(Text::Logger, logger),
            message: self.text(Text::Message, message),
            system_id: self.text(Text::System, system_id),
            sub_system_id: self.text(Text::SubSystem, sub_system_id),
            sub_sub_system_id: self.text(Text::SubSubSystem, sub_sub_system_id),
            produkt_id: self.text(Text::Produkt, produkt_id),
            user_spec_1: self.text(Text::UserSpec1, user_spec_1),
            user_spec_2: self.text(Text::UserSpec2, user_spec_2),
            package_version: self.text(Text::PackageVersion, package_version),
            api_version: self.text(Text::ApiVersion, api_version),
            module: self.text(Text::Module, module),
            function: self.text(Text::Function, function),
            path: self.text(Text::Path, path),
            line: self.number(NumberField::Line, line),
            process: self.number(NumberField::Process, process),
            process_name: self.text(Text::ProcessName, process_name),
            thread: self.number(NumberField::Thread, thread),
            thread_name: self.text(Text::ThreadName, thread_name),
            exception: self.text(Text::Exception, exception),
            stack: self.text(Text::Stack, stack),
            peer: self.text(Text::Peer, peer),
            extra,
        }
    }

    fn text(&self, field: TextField, text: String) -> String {
        match self.texts.contains(&field) {
            true => text,
            false => String::new(),
        }
    }

    fn number(&self, field: NumberField, number: i64) -> i64 {
        match self.numbers.contains(&field) {
            true => number,
            false => 0,
        }
    }
}

/// Every text of a record but `extra`, with its field's name.
pub(crate) fn texts(record: &mut Record) -> [(&'static str, &mut String); 19] {
    [
        ("level_name", &mut record.level_name),
        ("logger", &mut record.logger),
        ("message", &mut record.message),
        ("system_id", &mut record.system_id),
        ("sub_system_id", &mut record.sub_system_id),
        ("sub_sub_system_id", &mut record.sub_sub_system_id),
        ("produkt_id", &mut record.produkt_id),
        ("user_spec_1", &mut record.user_spec_1),
        ("user_spec_2", &mut record.user_spec_2),
        ("package_version", &mut record.package_version),
        ("api_version", &mut record.api_version),
        ("module", &mut record.module),
        ("function", &mut record.function),
        ("path", &mut record.path),
        ("process_name", &mut record.process_name),
        ("thread_name", &mut record.thread_name),
        ("exception", &mut record.exception),
        ("stack", &mut record.stack),
        ("peer", &mut record.peer),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_record_has_its_name_here() {
        let mut allowed = Allowed::default();
        for field in FIELDS {
            assert!(allowed.add(field), "{field}");
        }
        assert_eq!(allowed.texts.len(), TextField::ALL.len() - 1);
        assert_eq!(allowed.numbers.len(), NumberField::ALL.len() - 1);
        assert!(!allowed.add("fingerprint") && !allowed.add("id") && !allowed.add("nonsense"));
        let mut record = Record::default();
        let named = texts(&mut record).map(|(name, _)| name);
        let texts = TextField::ALL.map(TextField::name);
        assert!(named.iter().all(|name| texts.contains(name)));
        assert_eq!(named.len(), TextField::ALL.len() - 1);
    }
}

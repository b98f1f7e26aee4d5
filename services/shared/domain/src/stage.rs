//! The four stages of an application, with the ports and file names that
//! clients of the predecessor already use.

use std::{fmt, str::FromStr};

/// A stage (`DEV_STAGE`): one whole Herald each, without contact to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// TESTING
    Testing,
    /// DEVELOPMENT
    Development,
    /// INTEGRATION
    Integration,
    /// PRODUCTION
    Production,
}

impl Stage {
    /// All of them, from the most careless to the most careful.
    pub const ALL: [Self; 4] = [
        Self::Testing,
        Self::Development,
        Self::Integration,
        Self::Production,
    ];

    /// The value of `DEV_STAGE`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Testing => "TESTING",
            Self::Development => "DEVELOPMENT",
            Self::Integration => "INTEGRATION",
            Self::Production => "PRODUCTION",
        }
    }

    /// What file names end with: `herald.sqlite_d` and so on.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Testing => "_t",
            Self::Development => "_d",
            Self::Integration => "_i",
            Self::Production => "",
        }
    }

    /// Who is told when nobody is named.
    #[must_use]
    pub fn admin_mail(self) -> &'static str {
        match self {
            Self::Testing => "test@somewhere.com",
            Self::Development => "d_test@somewhere.com",
            Self::Integration => "itest@somewhere.com",
            Self::Production => "production@somewhere.com",
        }
    }

    /// Where programs send their records.
    #[must_use]
    pub fn bridge_port(self) -> u16 {
        match self {
            Self::Testing => 9010,
            Self::Development => 9020,
            Self::Integration => 9022,
            Self::Production => 9024,
        }
    }

    /// Where the page is.
    #[must_use]
    pub fn web_port(self) -> u16 {
        self.bridge_port() + 1
    }

    /// Where the store answers gRPC, and HTTP for `/metrics` and health.
    #[must_use]
    pub fn store_port(self) -> u16 {
        self.bridge_port() + 100
    }

    /// Where the bridge answers gRPC health checks and HTTP for `/metrics`.
    #[must_use]
    pub fn bridge_admin_port(self) -> u16 {
        self.bridge_port() + 200
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no stage.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stage: use TESTING, DEVELOPMENT, INTEGRATION or PRODUCTION")]
pub struct UnknownStage(pub String);

impl FromStr for Stage {
    type Err = UnknownStage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.name() == text)
            .ok_or_else(|| UnknownStage(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Stage, UnknownStage};

    #[test]
    fn stages_keep_the_ports_and_names_of_the_predecessor() {
        let check = |name: &str, suffix, bridge, web| {
            let stage: Stage = name.parse().expect("a stage");
            assert_eq!(
                (stage.suffix(), stage.bridge_port(), stage.web_port()),
                (suffix, bridge, web)
            );
            assert_eq!(stage.to_string(), name);
        };
        check("TESTING", "_t", 9010, 9011);
        check("DEVELOPMENT", "_d", 9020, 9021);
        check("INTEGRATION", "_i", 9022, 9023);
        check("PRODUCTION", "", 9024, 9025);
    }

    #[test]
    fn an_unknown_stage_is_named() {
        let check = |text: &str| {
            assert_eq!(text.parse::<Stage>(), Err(UnknownStage(text.to_owned())));
        };
        check("");
        check("production");
        check("PROD");
    }
}

//! Tokens of programs: a file with a line for each, which has only the SHA-256 of the
//! token itself.

use std::path::{Path, PathBuf};

use domain::Micros;

use super::{
    Rights, Role, Systems,
    entry::{self, Entry, check_name},
    file::{self, FileError, Followed, Format},
    secret::{Fingerprint, fingerprint, random},
};

const HEADING: &str = "# Which programs may ask Herald; written by `herald token`.";
/// What every token begins with, so that people and scanners of secrets know it.
pub(super) const PREFIX: &str = "herald_";

/// What a program shows instead of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What the program is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Which systems it sees; none for all.
    pub systems: Option<Systems>,
    /// When the token ends; never without.
    pub expires_us: Option<Micros>,
    sha256: Fingerprint,
}

/// A file of tokens, to be changed.
#[derive(Debug, Clone)]
pub struct Tokens {
    path: PathBuf,
}

impl Token {
    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.sha256
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_expired(&self, now: Micros) -> bool {
        self.expires_us.is_some_and(|expires| expires <= now)
    }
}

impl Tokens {
    /// The file at a path; it need not be there.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// All of them, in the order of the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<Token>, FileError> {
        file::read(&self.path, &format())
    }

    /// Makes a token and returns it; it is kept nowhere.
    ///
    /// # Errors
    /// There is one of this name, the name is none, or the file cannot be written.
    pub fn add(
        &self,
        name: &str,
        rights: impl Into<Rights>,
        expires_us: Option<Micros>,
    ) -> Result<String, FileError> {
        let Rights { role, systems } = rights.into();
        check_name(name).map_err(FileError::Refused)?;
        let secret = format!("{PREFIX}{}", random());
        file::change(&self.path, &format(), |tokens| {
            if tokens.iter().any(|token| token.name == name) {
                return Err(FileError::Refused(format!(
                    "there is a token `{name}` already: take another name, or first \
                     `herald token remove {name}`"
                )));
            }
            tokens.push(Token {
                name: name.to_owned(),
                role,
                systems,
                expires_us,
                sha256: fingerprint(&secret),
            });
            Ok(())
        })?;
        Ok(secret)
    }

    /// Removes a token: whoever has it gets in no longer.
    ///
    /// # Errors
    /// There is no such token, or the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        file::change(&self.path, &format(), |tokens| {
            let at = tokens.iter().position(|token| token.name == name);
            let missing = || {
                FileError::Refused(format!(
                    "there is no token `{name}`: see `herald token list`"
                ))
            };
            tokens.remove(at.ok_or_else(missing)?);
            Ok(())
        })
    }
}

/// The tokens as they are now.
pub(super) fn follow(path: &Path) -> Result<Followed<Token>, FileError> {
    Followed::open(path, format())
}

/// The one that a program has shown, unless it has ended.
pub(super) fn find<'t>(tokens: &'t [Token], secret: &str, now: Micros) -> Option<&'t Token> {
    holding(tokens, &fingerprint(secret), now)
}

/// The one with a fingerprint, unless it has ended.
pub(super) fn holding<'t>(
    tokens: &'t [Token],
    shown: &Fingerprint,
    now: Micros,
) -> Option<&'t Token> {
    // How far the SHA-256 of a guess agrees helps nobody to guess better.
    let token = tokens.iter().find(|token| token.sha256 == *shown)?;
    (!token.has_expired(now)).then_some(token)
}

fn format() -> Format<Token> {
    Format {
        read: |text| entry::read_all(text, read),
        write,
        heading: HEADING,
    }
}

fn write(token: &Token) -> String {
    let sha256: String = token
        .sha256
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let expires = token.expires_us.map(render::rfc3339);
    let expires = expires.map(|at| format!(" expires={at}"));
    let systems = token.systems.as_ref();
    let systems = systems.map_or_else(String::new, |it| format!(" systems={it}"));
    format!(
        "{} role={}{systems} sha256={sha256}{}",
        token.name,
        token.role,
        expires.unwrap_or_default()
    )
}

fn read(mut entry: Entry<'_>) -> Result<Token, String> {
    let role = entry.take("role")?.parse();
    let sha256 = entry.take("sha256")?;
    let expires = entry.take_optional("expires")?;
    let systems = entry.take_systems()?;
    let token = Token {
        name: entry.name.to_owned(),
        role: role.map_err(|error: super::role::InvalidRole| format!("`role=`: {error}"))?,
        systems,
        expires_us: expires.map(read_time).transpose()?,
        sha256: read_hex(sha256).ok_or("`sha256=` is no 64 hexadecimal digits")?,
    };
    entry.finish()?;
    Ok(token)
}

fn read_time(text: &str) -> Result<Micros, String> {
    let format = &time::format_description::well_known::Rfc3339;
    let at = time::OffsetDateTime::parse(text, format)
        .map_err(|_| "`expires=` is no time such as 2027-01-01T00:00:00Z")?;
    Ok(crate::utc::micros_of(at))
}

fn read_hex(text: &str) -> Option<Fingerprint> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Role, Tokens, find};

    #[test]
    fn a_token_is_found_by_itself_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let tokens = Tokens::at(path.clone());
        let deploy = tokens.add("deploy", Role::Operator, None).unwrap();
        let probe = tokens.add("probe", Role::Viewer, Some(1_000_000)).unwrap();
        assert!(
            deploy.starts_with("herald_") && deploy.len() == 50,
            "{deploy}"
        );
        assert!(tokens.add("probe", Role::Viewer, None).is_err());
        let known = tokens.list().unwrap();
        let check = |secret: &str, now, expected: Option<&str>| {
            let found = find(&known, secret, now).map(|token| token.name.as_str());
            assert_eq!(found, expected, "{now}");
        };
        check(&deploy, i64::MAX, Some("deploy"));
        check(&probe, 999_999, Some("probe"));
        check(&probe, 1_000_000, None);
        check(&deploy[..49], 0, None);
        check("", 0, None);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            !text.contains(&deploy) && !text.contains(&deploy[7..]),
            "{text}"
        );
        assert!(text.contains(" expires=1970-01-01T00:00:01"), "{text}");
        tokens.remove("deploy").unwrap();
        assert!(tokens.remove("deploy").is_err());
        assert_eq!(find(&tokens.list().unwrap(), &deploy, 0), None);
    }

    #[test]
    fn a_wrong_file_names_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let hash = "ab".repeat(32);
        let check = |line: &str, part: &str| {
            fs::write(&path, line).unwrap();
            let error = Tokens::at(path.clone()).list().unwrap_err().to_string();
            assert!(error.contains(&format!("line 1: {part}")), "{error}");
        };
        check("a role=viewer sha256=0", "`sha256=` is no");
        check(
            &format!("a role=viewer sha256={}", "é".repeat(32)),
            "`sha256=` is no",
        );
        check(
            &format!("a role=admin sha256={hash}"),
            "`role=`: this is no role",
        );
        check(
            &format!("a role=viewer sha256={hash} expires=soon"),
            "`expires=` is no time",
        );
        check(
            &format!("a role=viewer sha256={hash} systems=*"),
            "`systems=`: `*` is all systems",
        );
        check(
            &format!("a role=viewer sha256={hash} teams=shop"),
            "`teams=` is not known",
        );
    }
}

//! Local users: a file with a line for each.

use std::path::{Path, PathBuf};

use super::{
    Rights, Role, Systems,
    entry::{self, Entry, check_name},
    file::{self, FileError, Followed, Format},
    password::{check_hash, hashed},
    secret::{Fingerprint, fingerprint},
};

const HEADING: &str = "# Who signs in to Herald; written by `herald user`.";

/// Somebody who signs in by a password.
#[derive(Clone)]
pub struct User {
    /// What the user is called.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Which systems the user sees; none for all.
    pub systems: Option<Systems>,
    /// An argon2id PHC text.
    password: String,
}

/// A file of users, to be changed.
#[derive(Debug, Clone)]
pub struct Users {
    path: PathBuf,
}

impl User {
    pub(super) fn password(&self) -> &str {
        &self.password
    }

    pub(super) fn rights(&self) -> Rights {
        Rights {
            role: self.role,
            systems: self.systems.clone(),
        }
    }

    /// Changes with the password, and with the limit: what is followed then ends.
    pub(super) fn credential(&self) -> Fingerprint {
        let systems = self.systems.as_ref().map(Systems::to_string);
        fingerprint(&format!(
            "{} {}",
            self.password,
            systems.unwrap_or_default()
        ))
    }
}

impl Users {
    /// The file at a path; it need not be there.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// All of them, in the order of the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<User>, FileError> {
        file::read(&self.path, &format())
    }

    /// Adds a user.
    ///
    /// # Errors
    /// There is one of this name, the name or the password is none, or the file cannot
    /// be written.
    pub fn add(
        &self,
        name: &str,
        rights: impl Into<Rights>,
        password: &str,
    ) -> Result<(), FileError> {
        let Rights { role, systems } = rights.into();
        check_name(name).map_err(FileError::Refused)?;
        let password = kept(password)?;
        file::change(&self.path, &format(), |users| {
            if users.iter().any(|user| user.name == name) {
                return Err(FileError::Refused(format!(
                    "there is a user `{name}` already: `herald user password {name}` gives \
                     another password, `herald user remove {name}` makes room"
                )));
            }
            users.push(User {
                name: name.to_owned(),
                role,
                systems,
                password,
            });
            Ok(())
        })
    }

    /// Gives a user another password; whoever is signed in by the former is no longer.
    ///
    /// # Errors
    /// There is no such user, the password is none, or the file cannot be written.
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), FileError> {
        let password = kept(password)?;
        file::change(&self.path, &format(), |users| {
            let user = users.iter_mut().find(|user| user.name == name);
            user.ok_or_else(|| missing(name))?.password = password;
            Ok(())
        })
    }

    /// Removes a user, who is then no longer signed in.
    ///
    /// # Errors
    /// There is no such user, or the file cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        file::change(&self.path, &format(), |users| {
            let at = users.iter().position(|user| user.name == name);
            users.remove(at.ok_or_else(|| missing(name))?);
            Ok(())
        })
    }
}

/// The users as they are now.
pub(super) fn follow(path: &Path) -> Result<Followed<User>, FileError> {
    Followed::open(path, format())
}

fn kept(password: &str) -> Result<String, FileError> {
    hashed(password).map_err(|error| FileError::Refused(error.to_string()))
}

fn missing(name: &str) -> FileError {
    FileError::Refused(format!("there is no user `{name}`: see `herald user list`"))
}

fn format() -> Format<User> {
    Format {
        read: |text| entry::read_all(text, read),
        write: |user| {
            let systems = user.systems.as_ref();
            let systems = systems.map_or_else(String::new, |it| format!(" systems={it}"));
            format!(
                "{} role={}{systems} password={}",
                user.name, user.role, user.password
            )
        },
        heading: HEADING,
    }
}

fn read(mut entry: Entry<'_>) -> Result<User, String> {
    let role = entry.take("role")?.parse();
    let password = entry.take("password")?;
    let systems = entry.take_systems()?;
    check_hash(password)?;
    let user = User {
        name: entry.name.to_owned(),
        role: role.map_err(|error: super::role::InvalidRole| format!("`role=`: {error}"))?,
        systems,
        password: password.to_owned(),
    };
    entry.finish()?;
    Ok(user)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Rights, Role, Users};

    #[test]
    fn a_limit_is_kept_and_another_one_is_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let users = Users::at(path.clone());
        let rights = Rights {
            role: Role::Viewer,
            systems: Some("shop*,web".parse().unwrap()),
        };
        users.add("anna", rights.clone(), "correct horse").unwrap();
        let known = users.list().unwrap();
        assert_eq!(known[0].rights(), rights);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("anna role=viewer systems=shop*,web password="),
            "{text}"
        );
        fs::write(&path, text.replace("systems=shop*,web ", "")).unwrap();
        let changed = users.list().unwrap();
        assert_eq!(changed[0].systems, None);
        assert_ne!(known[0].credential(), changed[0].credential());
    }

    #[test]
    fn users_are_added_changed_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let users = Users::at(path.clone());
        assert!(users.list().is_err(), "there is no file");
        users.add("anna", Role::Operator, "correct horse").unwrap();
        users.add("bo", Role::Viewer, "battery staple").unwrap();
        let fail = |outcome: Result<(), super::FileError>, part: &str| {
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        fail(users.add("anna", Role::Viewer, "another one"), "already");
        fail(
            users.add("a b", Role::Viewer, "another one"),
            "letters, digits",
        );
        fail(users.add("cy", Role::Viewer, "short"), "10 to 1024 bytes");
        fail(users.remove("cy"), "no user `cy`");
        fail(users.set_password("cy", "another one"), "no user `cy`");
        let before = users.list().unwrap();
        users.set_password("anna", "something else").unwrap();
        let after = users.list().unwrap();
        assert_eq!(
            (after[0].name.as_str(), after[0].role),
            ("anna", Role::Operator)
        );
        assert_ne!(before[0].credential(), after[0].credential());
        assert_eq!(before[1].credential(), after[1].credential());
        users.remove("anna").unwrap();
        assert_eq!(users.list().unwrap().len(), 1);
        assert!(!fs::read_to_string(path).unwrap().contains("battery staple"));
    }

    #[test]
    fn a_wrong_file_names_its_line_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        let check = |line: &str, part: &str| {
            fs::write(&path, format!("# x\n{line}\n")).unwrap();
            let error = Users::at(path.clone()).list().err().unwrap().to_string();
            assert!(
                error.contains("line 2: ") && error.contains(part),
                "{error}"
            );
            assert!(!error.contains("secret"), "{error}");
        };
        check("anna role=viewer password=secret", "no argon2id hash");
        check("anna role=secret password=x", "no argon2id hash");
        check("anna password=secret", "`role=` is missing");
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0\
                    $aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        check(
            &format!("anna role=viewer systems= password={hash}"),
            "`systems=`: there is no system",
        );
        check(
            &format!("anna role=viewer systems=* password={hash}"),
            "`systems=`: `*` is all systems",
        );
    }
}

//! What somebody may do and see, and how groups say so.

use super::{Role, Systems};

/// What somebody may do, and in which systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// What.
    pub role: Role,
    /// Where; none for all systems.
    pub systems: Option<Systems>,
}

impl From<Role> for Rights {
    fn from(role: Role) -> Self {
        Self {
            role,
            systems: None,
        }
    }
}

/// Which groups give which rights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// Those of viewers.
    pub viewers: Vec<String>,
    /// Those of operators.
    pub operators: Vec<String>,
    /// Which systems the members of a group see; none of the second for all. Without any,
    /// everybody sees all.
    pub systems: Vec<(String, Option<Systems>)>,
}

/// Stands for everybody in a list of groups, and for all systems behind one.
pub(super) const ANY: &str = "*";

impl Groups {
    /// What a member of these groups may do and see; nothing without a group that says
    /// what, and, where groups say that, where. `default` is for who is in none of the
    /// first.
    pub(super) fn rights(&self, groups: &[&str], default: Option<Role>) -> Option<Rights> {
        let is_in = |group: &String| group == ANY || groups.contains(&group.as_str());
        let role = match (
            self.operators.iter().any(is_in),
            self.viewers.iter().any(is_in),
        ) {
            (true, _) => Role::Operator,
            (false, true) => Role::Viewer,
            (false, false) => default?,
        };
        if self.systems.is_empty() {
            return Some(role.into());
        }
        let mine = self.systems.iter().filter(|(group, _)| is_in(group));
        let mine: Vec<&Option<Systems>> = mine.map(|(_, systems)| systems).collect();
        let limits: Option<Vec<&Systems>> = mine.iter().map(|systems| systems.as_ref()).collect();
        let systems = match limits {
            // One of the groups sees all.
            None => None,
            Some(limits) => Some(
                limits
                    .into_iter()
                    .cloned()
                    .reduce(|one, more| one.or(&more))?,
            ),
        };
        Some(Rights { role, systems })
    }
}

/// Groups, apart by commas.
pub(super) fn read_groups(text: Option<&str>) -> Vec<String> {
    let groups = text.unwrap_or_default().split(',').map(str::trim);
    groups
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What groups see: `shop-team=shop*,web; ops=*`.
///
/// # Errors
/// Why it is not so.
pub(super) fn read_systems(text: Option<&str>) -> Result<Vec<(String, Option<Systems>)>, String> {
    let parts = text.unwrap_or_default().split(';').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty()).map(|part| {
        let (group, systems) = part.split_once('=').ok_or_else(|| {
            format!("`{part}` is no group and its systems, such as shop-team=shop*")
        })?;
        let (group, systems) = (group.trim(), systems.trim());
        let systems = match systems {
            ANY => None,
            systems => Some(
                systems
                    .parse()
                    .map_err(|error| format!("`{part}`: {error}"))?,
            ),
        };
        match group {
            "" => Err(format!("`{part}` has no group")),
            group => Ok((group.to_owned(), systems)),
        }
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::{Groups, Role, read_groups, read_systems};

    fn rights(systems: &str, groups: &[&str]) -> Option<String> {
        let known = Groups {
            viewers: read_groups(Some("shop, bank, all")),
            operators: read_groups(Some("ops")),
            systems: read_systems(Some(systems)).unwrap(),
        };
        let rights = known.rights(groups, None)?;
        let systems = rights.systems.map_or("all".to_owned(), |it| it.to_string());
        Some(format!("{} {systems}", rights.role))
    }

    #[test]
    fn groups_say_what_and_where() {
        let check = |systems: &str, groups: &[&str], expected: Option<&str>| {
            let found = rights(systems, groups);
            assert_eq!(found.as_deref(), expected, "{systems} {groups:?}");
        };
        check("", &["shop"], Some("viewer all"));
        check("", &["ops", "shop"], Some("operator all"));
        check("", &["guests"], None);
        let systems = "shop=shop*,web; bank = bank*; ops=*";
        check(systems, &["shop"], Some("viewer shop*,web"));
        check(systems, &["shop", "bank"], Some("viewer shop*,web,bank*"));
        check(systems, &["shop", "ops"], Some("operator all"));
        // Who is in no group that says where, sees nothing.
        check(systems, &["all"], None);
        check(systems, &["all", "bank"], Some("viewer bank*"));
        // Who sees something needs a role, too.
        check("guests=*", &["guests"], None);
        check("*=shop", &["all"], Some("viewer shop"));
    }

    #[test]
    fn who_is_in_no_group_may_have_a_role_by_default() {
        let known = Groups::default();
        let found = known.rights(&[], Some(Role::Viewer)).unwrap();
        assert_eq!(found, Role::Viewer.into());
    }

    #[test]
    fn what_groups_see_is_read_strictly() {
        for wrong in ["shop", "=x", "shop=", "shop=a b", "a=b;c"] {
            assert!(read_systems(Some(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(read_systems(None), Ok(Vec::new()));
        assert_eq!(read_systems(Some(" ; ")), Ok(Vec::new()));
    }
}

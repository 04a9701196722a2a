//! What follows from a check.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::code::{Code, UnknownCode};

/// What follows when a check finds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Nothing: the code is left out.
    Pass,
    /// The code stands beside the scores.
    #[default]
    Warn,
    /// The code stands in place of the scores.
    Abstain,
}

/// What follows from each check; a warning where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    actions: BTreeMap<Code, Action>,
}

/// Why a policy was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not of the form `CODE=ACTION`.
    #[error("`{0}` is not CODE=pass, CODE=warn or CODE=abstain")]
    Form(String),
    /// A check that there is none of.
    #[error(transparent)]
    Code(#[from] UnknownCode),
}

impl Policy {
    /// Sets what follows as `CODE=ACTION` says, `all` standing for every code.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn set(&mut self, setting: &str) -> Result<(), PolicyError> {
        let form = || PolicyError::Form(setting.to_owned());
        let (code, action) = setting.split_once('=').ok_or_else(form)?;
        let action = action.parse().map_err(|()| form())?;
        match code {
            "all" => self.actions.extend(Code::ALL.map(|code| (code, action))),
            code => {
                self.actions.insert(code.parse()?, action);
            }
        }
        Ok(())
    }

    /// Lets nothing follow from any check.
    pub fn silence(&mut self) {
        self.actions.extend(Code::ALL.map(|code| (code, Action::Pass)));
    }

    /// What follows from `code`.
    pub fn action(&self, code: Code) -> Action {
        self.actions.get(&code).copied().unwrap_or_default()
    }

    /// Whether nothing follows from any check.
    pub fn is_silent(&self) -> bool {
        Code::ALL.into_iter().all(|code| self.action(code) == Action::Pass)
    }

    /// What is to be told of `found`, and whether scores are to be withheld.
    pub fn judge(&self, found: &[Code]) -> (Vec<Code>, bool) {
        let told = found.iter().copied().filter(|code| self.action(*code) != Action::Pass).collect();
        (told, found.iter().any(|code| self.action(*code) == Action::Abstain))
    }
}

/// What differs from warnings, as [`Policy::set`] takes it, joined by commas.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<String> = Code::ALL
            .into_iter()
            .filter_map(|code| match self.action(code) {
                Action::Pass => Some(format!("{code}=pass")),
                Action::Warn => None,
                Action::Abstain => Some(format!("{code}=abstain")),
            })
            .collect();
        f.write_str(&settings.join(","))
    }
}

/// Settings as [`Policy`] displays them.
impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(settings: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        settings
            .split(',')
            .filter(|setting| !setting.is_empty())
            .try_for_each(|setting| policy.set(setting))?;
        Ok(policy)
    }
}

impl FromStr for Action {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "pass" => Ok(Self::Pass),
            "warn" => Ok(Self::Warn),
            "abstain" => Ok(Self::Abstain),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_settings_win_and_the_rest_warns() {
        let mut policy = Policy::default();
        let found = [Code::Lateral, Code::Blank];
        assert_eq!(policy.judge(&found), (found.to_vec(), false));
        policy.set("all=pass").unwrap();
        assert!(policy.is_silent());
        assert_eq!(policy.judge(&found), (Vec::new(), false));
        policy.set("lateral=abstain").unwrap();
        assert_eq!(policy.judge(&found), (vec![Code::Lateral], true));
        assert!(
            policy.to_string().ends_with("burned_in_text=pass,incomplete_scan=pass") && !policy.is_silent()
        );
        policy.set("lateral=warn").unwrap();
        assert_eq!(policy.judge(&found), (vec![Code::Lateral], false));
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        let mut policy = Policy::default();
        for setting in ["lateral", "lateral=", "lateral=stop", "=warn", "side=warn"] {
            assert!(policy.set(setting).unwrap_err().to_string().contains('`'), "{setting}");
        }
        assert_eq!(policy, Policy::default());
    }
}

//! `import env`: keys of providers from the environment, or from a file of variables, into the vault.

use std::path::Path;

use store::Secret;

use super::haul::Haul;
use super::keys::Variable;
use crate::config::dotenv;
use crate::exit::Failure;

/// Keys in the variables of this process.
pub fn from_process(variables: impl Iterator<Item = (String, String)>) -> Haul {
    let mut haul = Haul::default();
    let mut variables: Vec<_> = variables.filter(|(name, _)| name.ends_with("_API_KEY")).collect();
    variables.sort();
    for (name, value) in variables {
        let variable = Variable { name: name.clone(), value: Secret::new(value), place: Some(name.clone()) };
        if !haul.take_variable(variable, &[]) {
            haul.report.not(Some(name), "a key", UNKNOWN);
        }
    }
    haul
}

const UNKNOWN: &str = "no provider of that name is known here";

/// Keys in a file of variables.
///
/// # Errors
/// 4: there is no such file; 74: it cannot be read.
pub fn from_file(path: &Path) -> Result<Haul, Failure> {
    let mut haul = Haul::default();
    for variable in variables(path, &mut haul)? {
        let (name, place) = (variable.name.clone(), variable.place.clone());
        if !haul.take_variable(variable, &[]) {
            let why = if name.ends_with("_API_KEY") { UNKNOWN } else { "it is no key of a provider" };
            haul.report.not(place, name, why);
        }
    }
    Ok(haul)
}

/// The variables of a file; lines that are none are reported.
pub(super) fn variables(path: &Path, haul: &mut Haul) -> Result<Vec<Variable>, Failure> {
    let text = super::read_text(path)?;
    let (variables, broken) = dotenv::numbered(&text);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for line in broken {
        haul.report.not(Some(format!("{name}:{line}")), "a line", "it is neither a variable nor a comment");
    }
    let variable = |(line, variable, value)| Variable {
        name: variable,
        value: Secret::new(value),
        place: Some(format!("{name}:{line}")),
    };
    Ok(variables.into_iter().map(variable).collect())
}

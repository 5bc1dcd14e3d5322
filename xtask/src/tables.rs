//! `cargo xtask tables`: writes the pages that tests compare with what the code does.

use anyhow::Result;

use crate::check::cargo;
use crate::{Place, shell};

/// Environment variable that makes the tests write.
const WRITE: &str = "WRITE_DOCS";

/// True if they were written.
pub(crate) fn run(place: &Place) -> Result<bool> {
    let mut command = cargo(place);
    command.args(["test", "--package", "llm-gateway-wire", "--test", "translation", "features::"]);
    shell::passes(command.env(WRITE, "1"))
}

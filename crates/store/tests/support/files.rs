//! Auth files for tests.

use store::{NewAuthFile, Secret};

pub fn new_file(provider: &str, file_name: &str, project: &str, content: &str) -> NewAuthFile {
    NewAuthFile {
        provider: provider.into(),
        file_name: file_name.into(),
        project: project.into(),
        content: Secret::new(content.into()),
    }
}

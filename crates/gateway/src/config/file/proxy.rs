//! `proxy:` - one for every provider, LLM-Bridge's two for those that require one, or a provider's own.

use std::sync::Arc;

use upstream::Proxy;

use super::super::section::{Reader, Section};
use super::super::tree::{Node, Value};

/// What one `proxy` says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum ProxyChoice {
    /// Nothing.
    #[default]
    Unsaid,
    /// `none`: no proxy, whatever is said elsewhere.
    Direct,
    /// `environment`: as `HTTPS_PROXY` and its kin say.
    Environment,
    /// This one.
    Through(Arc<Proxy>),
}

/// What the `proxy` at the top of the file says.
#[derive(Debug, Default)]
pub struct GlobalProxy {
    /// For every provider.
    pub everyone: ProxyChoice,
    /// LLM-Bridge's, for providers with `requires_proxy` at an `http` address.
    pub http: Option<Arc<Proxy>>,
    /// The same, at an `https` address.
    pub https: Option<Arc<Proxy>>,
}

impl GlobalProxy {
    /// What a provider that requires a proxy uses. Where only one of the two is named, it serves both schemes.
    pub fn required(&self, tls: bool) -> ProxyChoice {
        let (first, second) = if tls { (&self.https, &self.http) } else { (&self.http, &self.https) };
        let named = first.as_ref().or(second.as_ref());
        named.map_or_else(|| self.everyone.clone(), |proxy| ProxyChoice::Through(proxy.clone()))
    }
}

/// `proxy` at the top of the file: a URL, a word, or LLM-Bridge's section.
pub(super) fn global(top: &mut Section<'_>, reader: &mut Reader<'_>) -> GlobalProxy {
    match top.take("proxy") {
        Some(Node { value: Value::Map(_), .. }) => {}
        _ => return GlobalProxy { everyone: choice(top, reader), ..GlobalProxy::default() },
    }
    let Some(mut section) = top.section("proxy", reader) else { return GlobalProxy::default() };
    let (http, https) = (url("http", &mut section, reader), url("https", &mut section, reader));
    section.close(reader);
    GlobalProxy { everyone: ProxyChoice::Unsaid, http, https }
}

/// `proxy` of a provider, or the short form at the top: a URL, `environment` or `none`.
pub(super) fn choice(section: &mut Section<'_>, reader: &mut Reader<'_>) -> ProxyChoice {
    match section.text("proxy", reader).as_deref() {
        None => ProxyChoice::Unsaid,
        Some("none") => ProxyChoice::Direct,
        Some("environment") => ProxyChoice::Environment,
        Some(url) => parsed("proxy", url, section, reader).map_or(ProxyChoice::Unsaid, ProxyChoice::Through),
    }
}

fn url(key: &'static str, section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<Arc<Proxy>> {
    let url = section.text(key, reader)?;
    parsed(key, &url, section, reader)
}

/// The text is not repeated: it may hold a password.
fn parsed(key: &str, url: &str, section: &Section<'_>, reader: &mut Reader<'_>) -> Option<Arc<Proxy>> {
    let parsed = Proxy::parse(url);
    let line = section.line_of(key);
    parsed.map_err(|why| reader.invalid(line, format_args!("{}: {why}", section.path_of(key)))).ok()
}

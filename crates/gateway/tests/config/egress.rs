//! Proxies, private addresses and further authorities.

use base64::Engine;

use crate::support::*;

/// Through which proxy a provider is reached, as it is shown.
fn proxy_of(setting: &Setting, provider: &str) -> Option<String> {
    setting.config().egresses()[provider].proxy.as_ref().map(ToString::to_string)
}

fn reach_of(setting: &Setting, provider: &str) -> Reach {
    setting.config().egresses()[provider].reach
}

#[test]
fn one_proxy_at_the_top_serves_everyone_but_who_says_otherwise_or_stands_on_this_machine() {
    let setting = with_yaml(
        "\
proxy: http://us:canary@Proxy.example:3128
providers:
  own: { base_url: 'https://a.example', proxy: 'socks5h://127.0.0.1:1080' }
  direct: { base_url: 'https://b.example', proxy: none }
  excused: { base_url: 'https://c.example', requires_proxy: false }
  local: { base_url: 'http://localhost:8000/v1' }
  insistent: { base_url: 'http://localhost:8000/v1', requires_proxy: true }
",
    );
    for (provider, expected) in [
        ("openai", Some("http://proxy.example:3128")),
        ("own", Some("socks5h://127.0.0.1:1080")),
        ("direct", None),
        ("excused", None),
        ("local", None),
        ("ollama", None),
        ("insistent", Some("http://proxy.example:3128")),
    ] {
        assert_eq!(proxy_of(&setting, provider).as_deref(), expected, "{provider}");
    }
    assert!(!format!("{:?}", setting.config()).contains("canary"));
    let variables = |name: &str| setting.variables.get(name).cloned();
    let shown = gateway::config::show(&setting.config(), &variables, setting.dir.path());
    let proxy = shown.iter().find(|shown| shown.key == "proxy").expect("the proxy is shown");
    assert_eq!(proxy.value, "http://***@Proxy.example:3128");
}

#[test]
fn llm_bridges_two_proxies_serve_those_that_require_one_by_the_scheme_of_their_address() {
    let yaml = |proxy: &str| {
        format!(
            "proxy: {proxy}\nproviders:\n  \
             secure: {{ base_url: 'https://a.example', requires_proxy: true }}\n  \
             plain: {{ base_url: 'http://a.example', requires_proxy: true }}\n  \
             other: {{ base_url: 'https://b.example' }}\n"
        )
    };
    for (proxy, secure, plain) in [
        (
            "{ http: 'http://h.example', https: 'socks5://s.example' }",
            "socks5://s.example:1080",
            "http://h.example:80",
        ),
        ("{ https: 'https://s.example' }", "https://s.example:443", "https://s.example:443"),
        ("{ http: 'socks5h://h.example' }", "socks5h://h.example:1080", "socks5h://h.example:1080"),
    ] {
        let setting = with_yaml(&yaml(proxy));
        assert_eq!(proxy_of(&setting, "secure").as_deref(), Some(secure));
        assert_eq!(proxy_of(&setting, "plain").as_deref(), Some(plain));
        assert_eq!((proxy_of(&setting, "other"), proxy_of(&setting, "openai")), (None, None));
    }
}

#[test]
fn a_provider_that_requires_a_proxy_takes_no_part_where_there_is_none() {
    let setting = with_yaml("providers:\n  a: { base_url: 'https://a.example', requires_proxy: true }\n");
    let (snapshot, warnings) = build_snapshot(&setting.config());
    assert!(
        provider(&snapshot, "a").disabled.as_ref().is_some_and(|why| why.contains("no proxy is configured"))
    );
    assert!(
        warnings.iter().any(|warning| warning.to_string().contains("providers.a (line 2)")),
        "{warnings:?}"
    );
}

#[test]
fn the_environments_proxies_are_used_only_when_asked_for() {
    let variables = [
        ("HTTPS_PROXY", "http://us:canary@secure.example:1"),
        ("http_proxy", "plain.example:2"),
        ("NO_PROXY", "exempt.example,.internal.example,10.0.0.0/8,fd00::/8"),
    ];
    let yaml = |proxy: &str| {
        format!(
            "{proxy}\nproviders:\n  plain: {{ base_url: 'http://a.example' }}\n  \
             exempt: {{ base_url: 'https://exempt.example' }}\n  \
             inside: {{ base_url: 'https://x.internal.example' }}\n  \
             near: {{ base_url: 'http://10.1.2.3' }}\n  six: {{ base_url: 'https://[fd12::1]:8443' }}\n  \
             far: {{ base_url: 'http://11.1.2.3' }}\n"
        )
    };
    let asked = setting(&variables).with_file("config.yaml", &yaml("proxy: environment"));
    assert_eq!(proxy_of(&asked, "openai").as_deref(), Some("http://secure.example:1"));
    assert_eq!(proxy_of(&asked, "plain").as_deref(), Some("http://plain.example:2"));
    let exempt = ["exempt", "inside", "near", "six"];
    assert!(exempt.iter().all(|id| proxy_of(&asked, id).is_none()), "{exempt:?}");
    assert_eq!(proxy_of(&asked, "far").as_deref(), Some("http://plain.example:2"));
    let not_asked = setting(&variables).with_file("config.yaml", &yaml(""));
    assert!(["openai", "plain", "exempt", "near"].iter().all(|id| proxy_of(&not_asked, id).is_none()));
    let all = setting(&[("ALL_PROXY", "socks5h://all.example")])
        .with_file("config.yaml", "providers:\n  openai: { proxy: environment }\n");
    assert_eq!(proxy_of(&all, "openai").as_deref(), Some("socks5h://all.example:1080"));
    assert_eq!(proxy_of(&all, "groq"), None);
}

#[test]
fn a_mistaken_proxy_is_named_with_its_line_and_never_shown() {
    let error = setting(&[("SECRET_PROXY", "ftp://us:canary-a@a.example")])
        .with_file(
            "config.yaml",
            "\
proxy:
  http: env:SECRET_PROXY
  https: 'http://us:canary-b@a.example/path'
  htps: x
providers:
  openai:
    proxy: 'socks5://canary-c@a.example'
  groq:
    proxy: env:NOT_SET
",
        )
        .error();
    for expected in [
        ":2: proxy.http: the scheme of a proxy must be http, https, socks5 or socks5h",
        ":3: proxy.https: the URL of a proxy has no path",
        ":4: unknown key 'htps' in proxy",
        ":7: providers.openai.proxy: user name or password",
        ":9: providers.groq.proxy: the variable NOT_SET is not set",
    ] {
        assert!(
            error.lines().iter().any(|line| line.contains(expected)),
            "{expected} is missing in\n{error}"
        );
    }
    assert_eq!((error.exit_code(), error.lines().len()), (3, 5), "{error}");
    assert!(!error.to_string().contains("canary"), "{error}");
    let error = setting(&[("ALL_PROXY", "ftp://us:canary@a")])
        .with_file("config.yaml", "proxy: environment\n")
        .error();
    assert!(
        error.to_string().contains("ALL_PROXY: the scheme") && !error.to_string().contains("canary"),
        "{error}"
    );
}

#[test]
fn a_name_may_lead_to_a_private_network_when_it_can_only_be_there_or_the_file_says_so() {
    let setting = with_yaml(
        "\
providers:
  public: { base_url: 'https://a.example' }
  allowed: { base_url: 'https://a.example', allow_private: true }
  container: { base_url: 'http://vllm:8000/v1' }
  nas: { base_url: 'http://nas.lan:8000/v1' }
  literal: { base_url: 'http://10.0.0.1/v1' }
",
    );
    for provider in ["allowed", "container", "nas", "literal"] {
        assert_eq!(reach_of(&setting, provider), Reach::Private, "{provider}");
    }
    for provider in ["public", "openai"] {
        assert_eq!(reach_of(&setting, provider), Reach::Public, "{provider}");
    }
}

#[test]
fn an_address_where_no_provider_is_ever_needs_a_word_of_its_own() {
    let yaml = |more: &str| format!("providers:\n  a: {{ base_url: 'http://169.254.169.254/v1'{more} }}\n");
    let error = with_yaml(&yaml("")).error();
    assert!(
        error.to_string().contains("link-local") && error.to_string().contains("allow_private"),
        "{error}"
    );
    with_yaml(&yaml(", allow_private: true")).config();
    assert!(with_yaml(&yaml(", allow_private: false")).error().to_string().contains("private address"));
}

#[test]
fn what_goes_over_the_internet_in_the_clear_is_worth_a_warning() {
    let setting = with_yaml(
        "providers:\n  a: { base_url: 'http://a.example' }\n  b: { base_url: 'http://b.example', allow_private: true }\n  \
         c: { base_url: 'http://nas:8000' }\n  d: { base_url: 'http://10.0.0.1' }\n  e: { base_url: 'https://e.example' }\n",
    );
    let said: Vec<String> = setting.config().warnings().iter().map(ToString::to_string).collect();
    assert!(
        said.len() == 1 && said[0].contains("providers.a.base_url: a.example is asked over http"),
        "{said:?}"
    );
}

#[test]
fn a_file_of_authorities_is_read_and_its_mistakes_are_named() {
    let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).expect("a certificate");
    let base64 = base64::engine::general_purpose::STANDARD.encode(own.cert.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let yaml = "ca_file: own.pem\n";
    let read = with_yaml(yaml).with_file("own.pem", &pem.repeat(2));
    assert_eq!(read.config().extra_roots.len(), 2);
    for (text, why) in [
        ("no certificate at all", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be an authority"),
        ("-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n", "is not PEM"),
    ] {
        let error = with_yaml(yaml).with_file("own.pem", text).error();
        assert!(error.to_string().contains("ca_file: own.pem") && error.to_string().contains(why), "{error}");
    }
    assert!(with_yaml(yaml).error().to_string().contains("cannot be read"));
}

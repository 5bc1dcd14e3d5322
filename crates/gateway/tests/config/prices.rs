//! `prices:` of the operator's file.

use policy::Prices;

use crate::support::*;

#[test]
fn a_price_of_the_operator_holds_before_the_catalogues_and_lists_nothing() {
    let yaml = "\
prices:
  openai/gpt-4o: {input: 1.25, output: 5}
  gemini/gemini-2.5-pro: {input: 0}
";
    let (bare, own) = (setting(&[]).snapshot(), with_yaml(yaml).snapshot());
    let priced = model(&own, "openai", "gpt-4o");
    let expected = Prices { input: Prices::picos(1.25), output: Prices::picos(5.0), ..Prices::default() };
    assert_eq!(priced.rate.as_ref().map(|rate| rate.base), Some(expected));
    assert_eq!(priced.price_source.as_deref(), Some("file"));
    let other = model(&own, "google", "gemini-2.5-pro").rate.as_ref().unwrap();
    assert_eq!((other.base.input, other.base.output), (Some(0), None), "what is not said is not known");
    let listed = |snapshot: &Snapshot| {
        let models = provider(snapshot, "openai").models.values();
        models.map(|model| (model.id.clone(), model.listed_as.clone())).collect::<Vec<_>>()
    };
    assert_eq!(listed(&bare), listed(&own));
}

#[test]
fn a_price_of_nothing_that_is_known_is_worth_a_line_and_makes_nothing_known() {
    let yaml = "prices: {nobody/x: {input: 1}, groq/gpt-none: {input: 1}}";
    let (snapshot, warnings) = build_snapshot(&with_yaml(yaml).config());
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    for told in ["prices.nobody/x: there is no provider 'nobody'", "prices.groq/gpt-none: no such model"] {
        assert!(warnings.iter().any(|warning| warning.contains(told)), "{told}: {warnings:?}");
    }
    assert!(!provider(&snapshot, "groq").models.contains_key("gpt-none"));
}

#[test]
fn mistakes_of_prices_are_named_with_their_lines() {
    let yaml = "\
prices:
  gpt-4o: {input: 1}
  openai/gpt-4o: {input: -1, outputs: 3}
";
    let error = with_yaml(yaml).error().to_string();
    for told in
        ["2: prices.gpt-4o names no provider and model", "3: prices.openai/gpt-4o.input must be", "outputs"]
    {
        assert!(error.contains(told), "{told}: {error}");
    }
}

//! Prices of a source that is no configuration: they stand in the file here, which is its user's. So they make a file
//! where there is none, and are told where there is one.

use std::path::Path;

use serde_json::json;

use super::haul::{Haul, Price};

impl Haul {
    /// Turns prices into the configuration file, unless there is one, which is then told.
    pub fn settle_prices(&mut self, present: Option<&Path>) {
        let prices = std::mem::take(&mut self.prices);
        if prices.is_empty() {
            return;
        }
        for price in &prices {
            let what = format!("price of {}/{}", price.provider, price.model);
            match present {
                None => self.report.took(None, what, price.remark.clone()),
                Some(file) => {
                    let why = format!("add under 'prices' of {}: {}", file.display(), price.line());
                    self.report.not(None, what, why);
                }
            }
        }
        if present.is_none() {
            let lines: String = prices.iter().map(|price| format!("  {}\n", price.line())).collect();
            self.config = Some(format!("# Taken over by `llm-gateway import`.\nprices:\n{lines}"));
        }
    }
}

impl Price {
    /// As it stands in the file.
    fn line(&self) -> String {
        let model = format!("{}/{}", self.provider, self.model);
        format!("{}: {}", json!(model), json!({ "input": self.input, "output": self.output }))
    }
}

//! Its table of prices that the user has set, US dollars a million tokens.

use policy::Prices;
use sqlx::{Row, SqliteConnection};

use super::super::haul::{Haul, Price};
use super::rows::has_table;

/// Takes all that are prices.
pub(super) async fn take(connection: &mut SqliteConnection, haul: &mut Haul) -> sqlx::Result<()> {
    if !has_table(connection, "price_config").await? {
        return Ok(());
    }
    let query = "SELECT provider, model, input_per_mtok, output_per_mtok FROM price_config ORDER BY id";
    for row in sqlx::query(query).fetch_all(connection).await? {
        let (named, model): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (provider, remark) = super::provider(&named);
        let (input, output) = (row.try_get(2)?, row.try_get(3)?);
        match Prices::picos(input).and(Prices::picos(output)) {
            Some(_) => haul.prices.push(Price { provider, model, input, output, remark }),
            None => haul.report.not(None, format!("price of {named}/{model}"), "it is no price"),
        }
    }
    Ok(())
}

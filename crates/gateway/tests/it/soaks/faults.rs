//! The table of faults again and again (rows U01 to U22 of SAFETY.md section 1), with the bar of its timing.

use crate::fault_table::play;

const ROUNDS: usize = 20;
/// What a failed target may add before the next one is asked.
const ADDED_MS: i64 = 50;

#[test]
#[ignore = "takes many times as long as the table"]
fn the_table_of_faults_holds_for_many_rounds_and_costs_no_time_between_targets() {
    play(ROUNDS, ADDED_MS);
}

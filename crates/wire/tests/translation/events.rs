//! The grammar of events, checked without the code that makes them.

use std::collections::HashSet;

use wire::chat::{Event, PartId};

/// `Start (Open | Delta | Close | Usage | ...)* Stop+`: pieces only of open parts, part ids counting up from 0, all
/// closed before the stop of their choice.
pub fn check(id: &str, events: &[Event]) {
    assert!(matches!(events.first(), Some(Event::Start { .. })), "{id}: does not begin with a start");
    let mut open: Vec<(PartId, u32)> = Vec::new();
    let mut stopped = HashSet::new();
    let mut next = 0;
    for event in &events[1..] {
        match event {
            Event::Start { .. } => panic!("{id}: a second start"),
            Event::Open { part, choice, .. } => {
                assert_eq!(part.0, next, "{id}: part ids count up");
                assert!(!stopped.contains(choice), "{id}: a part after the stop");
                next += 1;
                open.push((*part, *choice));
            }
            Event::Delta { part, .. } => assert!(is_open(&open, *part), "{id}: a piece of a closed part"),
            Event::Close { part } => {
                assert!(is_open(&open, *part), "{id}: closed twice");
                open.retain(|(it, _)| it != part);
            }
            Event::Stop { choice, .. } => {
                assert!(open.iter().all(|(_, it)| it != choice), "{id}: a part is open at the stop");
                assert!(stopped.insert(*choice), "{id}: stopped twice");
            }
            _ => {}
        }
    }
    assert!(!stopped.is_empty(), "{id}: never stopped");
}

fn is_open(open: &[(PartId, u32)], part: PartId) -> bool {
    open.iter().any(|(it, _)| *it == part)
}

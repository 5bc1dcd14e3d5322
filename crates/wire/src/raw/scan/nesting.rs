//! Which levels are open: a stack of bits.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Object,
    Array,
}

/// The open levels, a bit each: set for an object.
pub(super) struct Nesting {
    objects: u128,
    depth: u32,
    room: u32,
}

impl Nesting {
    pub(super) fn within(room: u32) -> Self {
        Self { objects: 0, depth: 0, room: room.min(u128::BITS) }
    }

    /// `false` when there is no room for another level.
    pub(super) fn push(&mut self, level: Level) -> bool {
        if self.depth == self.room {
            return false;
        }
        self.objects = self.objects << 1 | u128::from(level == Level::Object);
        self.depth += 1;
        true
    }

    pub(super) fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    pub(super) fn top(&self) -> Option<Level> {
        match self.depth {
            0 => None,
            _ if self.objects & 1 == 1 => Some(Level::Object),
            _ => Some(Level::Array),
        }
    }
}

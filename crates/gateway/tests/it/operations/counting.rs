//! Tokens of a conversation: counted by the provider where it does, else estimated.

//! The table itself.

use self::End::{Broken, Over, OverBilled, Refused, Served};
use self::Place::{Closed, Full, Hasty, Open, Plain};

/// Where the first target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the scripted provider, which fails as the model's name says.
    Open,
    /// There too, with deadlines of a second.
    Hasty,
    /// At a port that is closed.
    Closed,
    /// At a listener whose queue is full.
    Full,
    /// At a server without TLS, where TLS is expected.
    Plain,
}

pub const PLACES: [(&str, Place); 5] =
    [("open", Open), ("hasty", Hasty), ("closed", Closed), ("full", Full), ("plain", Plain)];

/// How a request ends whose first target fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The second target answers. The first failed with this code, and has done nothing that it could bill.
    Over(&'static str),
    /// The second target answers. The first failed with this code, and may bill for its answer that nobody has got.
    OverBilled(&'static str),
    /// An error with this code, in a stream that had begun.
    Broken(&'static str),
    /// An error of the client's, with this status, from the first target.
    Refused(u16),
    /// The first target answers: it is slow or odd, but within its rights.
    Served,
}

/// Row of the fault model, place and script of the first target, how a whole answer ends and how a streamed one does.
pub type Row = (&'static str, Place, &'static str, End, End);

const CUT: &str = "upstream_cut";
const BAD: &str = "upstream_bad_answer";
const LATE: &str = "upstream_timeout";
const GONE: &str = "upstream_unreachable";

/// Where the wire of the first target matters: how a streamed answer ends there. `message_stop` is the only end that
/// Messages has: before it another `message_delta` may come.
pub const ELSE_WHEN_STREAMED: &[(&str, &str, End)] = &[("text+nodone", "ant", Broken(CUT))];

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    ("U01", Closed, "text",                     Over(GONE),               Over(GONE)),
    ("U02", Full,   "text",                     Over(LATE),               Over(LATE)),
    ("U03", Plain,  "text",                     Over(GONE),               Over(GONE)),
    ("U04", Open,   "text+head-delay=300ms",    Served,                   Served),
    ("U05", Hasty,  "stall-head",               OverBilled(LATE),         OverBilled(LATE)),
    ("U05", Hasty,  "drip-head",                OverBilled(LATE),         OverBilled(LATE)),
    ("U06", Hasty,  "slow-drip+delay=150ms",    Served,                   Served),
    ("U06", Hasty,  "text+n=1+cut=40+tick=99ms", Served,                  Served),
    ("U07", Hasty,  "stall",                    OverBilled(LATE),         Broken(LATE)),
    ("U07", Hasty,  "stall+early",              OverBilled(LATE),         OverBilled(LATE)),
    ("U08", Open,   "truncate",                 OverBilled(CUT),          Broken(CUT)),
    ("U08", Open,   "truncate+early",           OverBilled(CUT),          OverBilled(CUT)),
    ("U08", Open,   "truncate+eof",             OverBilled(BAD),          Broken(CUT)),
    ("U08", Open,   "reset+delay=20ms",         OverBilled(CUT),          Broken(CUT)),
    ("U08", Open,   "reset+early",              OverBilled(CUT),          OverBilled(CUT)),
    // Whole, it is complete: its framing says so.
    ("U08", Open,   "nofinish",                 Served,                   Broken(CUT)),
    ("U08", Open,   "close-early",              OverBilled(CUT),          OverBilled(CUT)),
    ("U09", Open,   "text+nodone",              Served,                   Served),
    ("U10", Open,   "error-mid",                OverBilled("overloaded"), Broken("overloaded")),
    ("U10", Open,   "error-mid+early",          OverBilled("overloaded"), OverBilled("overloaded")),
    ("U11", Open,   "bad-json",                 OverBilled(BAD),          Broken(BAD)),
    ("U11", Open,   "bad-json+early",           OverBilled(BAD),          OverBilled(BAD)),
    ("U11", Open,   "bad-utf8",                 OverBilled(BAD),          Broken(BAD)),
    ("U11", Open,   "bad-utf8+early",           OverBilled(BAD),          OverBilled(BAD)),
    ("U12", Open,   "text+cut=utf8",            Served,                   Served),
    ("U12", Open,   "text+cut=3+crlf",          Served,                   Served),
    ("U12", Open,   "text+cr+bom+multiline",    Served,                   Served),
    ("U12", Open,   "text+comments+nospace",    Served,                   Served),
    ("U13", Open,   "giant-event",              Served,                   Served),
    ("U14", Open,   "endless-line",             OverBilled(BAD),          Broken(BAD)),
    ("U14", Open,   "endless-line+early",       OverBilled(BAD),          OverBilled(BAD)),
    ("U15", Open,   "text+gzip",                Served,                   Served),
    ("U15", Open,   "text+deflate+cut=9",       Served,                   Served),
    ("U15", Open,   "text+br",                  Served,                   Served),
    ("U15", Open,   "bomb+gzip",                OverBilled(BAD),          Broken(BAD)),
    ("U15", Open,   "bomb+br+early",            OverBilled(BAD),          OverBilled(BAD)),
    ("U16", Open,   "429-after-7s",             Over("rate_limited"),     Over("rate_limited")),
    ("U16", Open,   "429-date",                 Over("rate_limited"),     Over("rate_limited")),
    ("U16", Open,   "429-absurd",               Over("rate_limited"),     Over("rate_limited")),
    ("U17", Open,   "status-500",               Over("upstream_error"),   Over("upstream_error")),
    ("U17", Open,   "status-502",               Over("upstream_error"),   Over("upstream_error")),
    ("U17", Open,   "status-503",               Over("overloaded"),       Over("overloaded")),
    ("U17", Open,   "status-529",               Over("overloaded"),       Over("overloaded")),
    ("U18", Open,   "status-400",               Refused(400),             Refused(400)),
    ("U18", Open,   "status-413",               Refused(413),             Refused(413)),
    ("U18", Open,   "status-401",               Over("upstream_auth"),    Over("upstream_auth")),
    ("U18", Open,   "status-402",               Over("upstream_billing"), Over("upstream_billing")),
    ("U18", Open,   "status-403",               Over("upstream_auth"),    Over("upstream_auth")),
    ("U18", Open,   "status-404",               Over("model_not_found"),  Over("model_not_found")),
    ("U19", Open,   "redirect-301",             OverBilled(BAD),          OverBilled(BAD)),
    ("U19", Open,   "redirect-308",             OverBilled(BAD),          OverBilled(BAD)),
    ("U20", Open,   "html",                     OverBilled(BAD),          OverBilled(BAD)),
    ("U20", Open,   "empty",                    OverBilled(BAD),          OverBilled(BAD)),
    ("U20", Open,   "short-body",               OverBilled(CUT),          Served),
    ("U20", Open,   "bad-status-line",          OverBilled(BAD),          OverBilled(BAD)),
    ("U20", Open,   "many-headers",             OverBilled(BAD),          OverBilled(BAD)),
    ("U21", Open,   "close-idle",               Served,                   Served),
    ("U21", Open,   "close-reuse",              Served,                   Served),
    ("U22", Open,   "odd-usage",                Served,                   Served),
];

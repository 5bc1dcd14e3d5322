//! Who of the targets can serve this request now: what it holds, and how they have been lately.

use std::sync::Arc;
use std::time::Duration;

use wire::chat::Abilities;
use wire::fault::{Class, Fault, UpstreamFault};

use super::{Ask, Choice, Skipped, Standing, Target};
use crate::health::Verdict;
use crate::provider::Reason;
use crate::snapshot::Snapshot;

/// What a conversation holds that not every model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    #[allow(missing_docs)]
    pub images: bool,
    /// PDF documents.
    pub documents: bool,
    /// Sound.
    pub audio: bool,
    /// Tools that the model may call. A model that is not known to call any is asked all the same.
    pub tools: bool,
}

impl Needs {
    /// What of it is known to be too much for a model.
    fn lacking(self, able: &Abilities) -> Option<&'static str> {
        let wanted = [
            (self.images, able.image, "images"),
            (self.documents, able.pdf, "documents"),
            (self.audio, able.audio, "audio"),
        ];
        wanted.into_iter().find(|(needed, can, _)| *needed && !can).map(|(_, _, what)| what)
    }
}

/// Leaves out who cannot serve now, with a reason each, and puts last those whose keys were refused.
///
/// # Errors
/// Nobody is left: what is missing, or how long to wait.
pub(super) fn sift(
    ask: &Ask<'_>,
    world: &Snapshot,
    standing: &dyn Standing,
    targets: Vec<Target>,
    skipped: &mut Vec<Skipped>,
) -> Result<Vec<Target>, Fault> {
    let (mut fit, mut last, mut out) = (Vec::with_capacity(targets.len()), Vec::new(), Vec::new());
    for (at, target) in targets.into_iter().enumerate() {
        match judge(ask, standing, &target) {
            Verdict::Well => fit.push((at, target)),
            Verdict::LastResort => last.push((at, target)),
            Verdict::Resting(why) => out.push((target, why)),
        }
    }
    fit.append(&mut last);
    let Some(first) = fit.first().map(|(at, _)| *at) else {
        return Err(nobody(ask, world, standing, &out));
    };
    skipped.extend(out.into_iter().filter_map(|(target, why)| left_out(world, &target, why)));
    Ok(fit.into_iter().map(|(at, target)| stand_in(at, first, target)).collect())
}

fn left_out(world: &Snapshot, target: &Target, why: Reason) -> Option<Skipped> {
    let provider = world.position(&target.provider.id)?;
    Some(Skipped { provider, model: Some(target.model.id.clone()), why })
}

/// Adds the targets for one case only that can serve now.
pub(super) fn add_reserves(
    ask: &Ask<'_>,
    world: &Snapshot,
    standing: &dyn Standing,
    targets: &mut Vec<Target>,
    reserves: Vec<Target>,
    skipped: &mut Vec<Skipped>,
) {
    for target in reserves {
        match judge(ask, standing, &target) {
            Verdict::Well | Verdict::LastResort => targets.push(target),
            Verdict::Resting(why) => skipped.extend(left_out(world, &target, why)),
        }
    }
    pass_refusals_on(targets);
}

/// Notes at every target whether one comes after it that takes what it declines.
pub(super) fn pass_refusals_on(targets: &mut [Target]) {
    let last = targets.iter().rposition(|target| target.reason == Choice::WhenRefused);
    for (at, target) in targets.iter_mut().enumerate() {
        let is_followed = last.is_some_and(|last| at < last);
        target.passes_refusals_on = is_followed && target.reason != Choice::WhenTooLong;
    }
}

/// Where the first choice is not the first to be tried, all others stand in for it.
fn stand_in(at: usize, first: usize, mut target: Target) -> Target {
    if first != 0 && at != 0 && !target.is_fallback() {
        target.reason = Choice::Fallback;
    }
    target
}

fn judge(ask: &Ask<'_>, standing: &dyn Standing, target: &Target) -> Verdict {
    match ask.needs.lacking(&target.model.profile.abilities) {
        Some(what) => Verdict::Resting(Reason::Lacks(what)),
        None => standing.verdict(&target.provider, &target.model, ask.project, target.key.as_ref()),
    }
}

/// What to say when every target is out: who rests shortest, else what none of them takes and who would.
fn nobody(ask: &Ask<'_>, world: &Snapshot, standing: &dyn Standing, out: &[(Target, Reason)]) -> Fault {
    let resting = out.iter().filter_map(|(target, why)| Some((target, *why, wait(*why)?)));
    if let Some((target, why, wait)) = resting.min_by_key(|(_, _, wait)| *wait) {
        return rests(target, why, wait);
    }
    let (by, lacks) = match out.first() {
        Some((target, Reason::Lacks(what))) => (target.model.id.to_string(), *what),
        _ => ("no target".to_owned(), "this request"),
    };
    let what = match who_could(ask, world, standing) {
        Some(other) => format!("{lacks}; {other} takes them"),
        None => lacks.to_owned(),
    };
    Fault::Unsupported { what, by, at: None }
}

fn wait(why: Reason) -> Option<Duration> {
    match why {
        Reason::BreakerOpen(wait) | Reason::CoolingDown(wait) => Some(wait),
        _ => None,
    }
}

/// What the provider would say itself if it were asked, without asking it.
fn rests(target: &Target, why: Reason, wait: Duration) -> Fault {
    let (status, class) = match why {
        Reason::CoolingDown(_) => (429, Class::RateLimit),
        _ => (503, Class::Overloaded),
    };
    let stated = UpstreamFault {
        provider: target.provider.id.to_string(),
        status,
        class,
        message: target.provider.why(why),
        param: None,
        code: None,
        retry_after: Some(wait),
        original: None,
    };
    Fault::Upstream(Box::new(stated))
}

/// The first listed model of an available provider that takes all of it, as `openai/gpt-4o`.
fn who_could(ask: &Ask<'_>, world: &Snapshot, standing: &dyn Standing) -> Option<String> {
    let is_usable = |at: &usize| {
        let provider = &world.providers()[*at];
        provider.disabled.is_none()
            && !world.is_demo(*at)
            && standing.unavailable(*at, provider, ask.project).is_none()
    };
    (0..world.providers().len()).filter(is_usable).find_map(|at| {
        let provider = &world.providers()[at];
        let able = |model: &&Arc<crate::Model>| ask.needs.lacking(&model.profile.abilities).is_none();
        provider.listed_models().find(able).map(|model| format!("{}/{}", provider.id, model.id))
    })
}

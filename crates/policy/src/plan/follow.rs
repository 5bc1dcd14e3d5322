//! Following a route of the operator's: its members in the order of its strategy.

use std::sync::Arc;

use wire::fault::Fault;

use super::resolve::Resolver;
use super::{Builder, Choice, Skipped, Standing, Target};
use crate::health::Pin;
use crate::provider::{Model, Reason};
use crate::route::{Candidate, Member, Route};

/// The provider that a member meant, if there is one, and why it cannot be used.
type Unusable = Option<(usize, Reason)>;

impl<'a> Builder<'a> {
    /// Makes targets of the members that can be used; the others are skipped, and so is everybody else.
    ///
    /// # Errors
    /// No member can be used.
    pub(super) fn follow(
        &mut self,
        route: &'a Route,
        resolver: &Resolver<'a>,
        standing: &dyn Standing,
    ) -> Result<(), Fault> {
        let candidates = self.candidates(&route.members, resolver, standing);
        if candidates.is_empty() {
            return Err(self.nobody_on(route));
        }
        let turn = standing.turn(&route.name);
        let ordered = route.strategy.order(candidates, turn, self.ask.dice);
        for (at, candidate) in ordered.into_iter().enumerate() {
            let choice = if at == 0 { Choice::Route } else { Choice::Fallback };
            let target = self.of_candidate(candidate, choice);
            self.targets.push(target);
        }
        self.stick(route, standing);
        match self.ask.strict {
            true => self.targets.truncate(1),
            false => self.reserve(route, resolver, standing),
        }
        self.leave_the_others_out();
        Ok(())
    }

    /// Members that can be used; the others are skipped.
    fn candidates(
        &mut self,
        members: &'a [Member],
        resolver: &Resolver<'a>,
        standing: &dyn Standing,
    ) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(members.len());
        for member in members {
            match self.candidate(member, resolver, standing) {
                Ok(candidate) => candidates.push(candidate),
                Err(Some((provider, why))) => {
                    let model = member.model.as_deref().map(Into::into);
                    self.skipped.push(Skipped { provider, model, why });
                }
                Err(None) => {}
            }
        }
        candidates
    }

    fn of_candidate(&self, candidate: Candidate, choice: Choice) -> Target {
        Target { key: candidate.key, ..self.target(candidate.provider, candidate.model, choice) }
    }

    /// Puts first who answered the conversation last, if it is still among the targets.
    fn stick(&mut self, route: &Route, standing: &dyn Standing) {
        let Some(session) = route.sticky.and(self.ask.session) else { return };
        let Some(pin) = standing.pinned(&route.name, session) else { return };
        let Some(at) = self.targets.iter().position(|target| self.is_at(target, &pin, standing)) else {
            return;
        };
        self.targets[0].reason = Choice::Fallback;
        self.targets[..=at].rotate_right(1);
        self.targets[0].reason = Choice::Sticky;
        self.targets[0].warm_key = pin.key;
    }

    fn is_at(&self, target: &Target, pin: &Pin, standing: &dyn Standing) -> bool {
        let has_key = |name: &Arc<str>| {
            let named = standing.keys_named(&target.provider, self.ask.project, name);
            pin.key.is_some_and(|key| named.contains(&key))
        };
        target.provider.id == pin.provider
            && target.model.id == pin.model
            && target.key.as_ref().is_none_or(has_key)
    }

    /// Targets for one case only.
    fn reserve(&mut self, route: &'a Route, resolver: &Resolver<'a>, standing: &dyn Standing) {
        let cases = [(Choice::WhenTooLong, &route.when_too_long), (Choice::WhenRefused, &route.when_refused)];
        for (choice, members) in cases {
            for candidate in self.candidates(members, resolver, standing) {
                let target = self.of_candidate(candidate, choice);
                self.reserves.push(target);
            }
        }
    }

    fn candidate(
        &self,
        member: &'a Member,
        resolver: &Resolver<'a>,
        standing: &dyn Standing,
    ) -> Result<Candidate, Unusable> {
        let (provider, model) = self.meant(member, resolver)?;
        let owner = &self.world.providers()[provider];
        if !self.ask.access.to_model(owner, &model) {
            return Err(Some((provider, Reason::NotAllowed)));
        }
        let is_missing = |key: &Arc<str>| standing.keys_named(owner, self.ask.project, key).is_empty();
        if member.key.as_ref().is_some_and(is_missing) {
            return Err(Some((provider, Reason::NoSuchKey)));
        }
        let pace = standing.pace(owner, &model);
        let (key, weight, priority) = (member.key.clone(), member.weight, member.priority);
        Ok(Candidate { provider, model, key, weight, priority, pace })
    }

    /// A member that names a provider gets a model that this one has; one that names a model alone, who serves it.
    fn meant(&self, member: &'a Member, resolver: &Resolver<'a>) -> Result<(usize, Arc<Model>), Unusable> {
        let Some(name) = &member.provider else {
            let model = member.model.as_deref().ok_or(None)?;
            return resolver
                .first_served(model)
                .map_err(|absent| absent.map(|at| (at, self.absent[at].unwrap_or(Reason::NoModel))));
        };
        let at = self.world.position(name).ok_or(None)?;
        if let Some(reason) = self.absent[at] {
            return Err(Some((at, reason)));
        }
        let provider = &self.world.providers()[at];
        let model = match member.model.as_deref() {
            Some(model) => provider.model_or_unlisted(model),
            None => provider.model_or_default(self.ask.model),
        };
        model.map(|model| (at, model)).ok_or(Some((at, Reason::NoModel)))
    }

    fn leave_the_others_out(&mut self) {
        for at in 0..self.absent.len() {
            let id = &self.world.providers()[at].id;
            let is_target = self.targets.iter().chain(&self.reserves).any(|target| target.provider.id == *id);
            if !is_target && !self.skipped.iter().any(|skipped| skipped.provider == at) {
                let why = self.absent[at].unwrap_or(Reason::NotOnRoute);
                self.skipped.push(Skipped { provider: at, model: None, why });
            }
        }
    }

    /// What to say when no member can be used; who is skipped by now is a member.
    fn nobody_on(&self, route: &Route) -> Fault {
        let mut why: Vec<String> = self
            .skipped
            .iter()
            .map(|skipped| self.world.providers()[skipped.provider].why(skipped.why))
            .collect();
        why.dedup();
        if why.is_empty() {
            why.push("none of its targets is known here".to_owned());
        }
        Fault::NoTarget { why: format!("the route '{}' leads nowhere now: {}", route.name, why.join("; ")) }
    }
}

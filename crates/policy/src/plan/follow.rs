//! Following a route of the operator's: its members in the order of its strategy.

use std::sync::Arc;

use wire::fault::Fault;

use super::resolve::Resolver;
use super::{Builder, Choice, Skipped, Standing};
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
        let mut candidates = Vec::with_capacity(route.members.len());
        for member in &route.members {
            match self.candidate(member, resolver, standing) {
                Ok(candidate) => candidates.push(candidate),
                Err(Some((provider, why))) => {
                    let model = member.model.as_deref().map(Into::into);
                    self.skipped.push(Skipped { provider, model, why });
                }
                Err(None) => {}
            }
        }
        if candidates.is_empty() {
            return Err(self.nobody_on(route));
        }
        let turn = standing.turn(&route.name);
        let ordered = route.strategy.order(candidates, turn, self.ask.dice);
        for (at, candidate) in ordered.into_iter().enumerate() {
            let choice = if at == 0 { Choice::Route } else { Choice::Fallback };
            self.push(candidate.provider, candidate.model, choice);
        }
        if self.ask.strict {
            self.targets.truncate(1);
        }
        self.leave_the_others_out();
        Ok(())
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
        let pace = standing.pace(owner, &model);
        Ok(Candidate { provider, model, weight: member.weight, priority: member.priority, pace })
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
            let is_target = self.targets.iter().any(|target| target.provider.id == *id);
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

//! How a turn begins: what arrived goes into its lane, and a free lane takes the next.

use std::{collections::VecDeque, sync::Arc};

use protocol::{
    Agent, AgentName, Language, MessageId, PersonId, Timestamp, UpdateId, due,
    event::{AnswerKind, Course, Event, Outcome},
    inbound::{Inbound, Pressed, Replied},
};

use screening::Placeholders;

use super::{
    Asking, Came, Effect, Entry, Heard, Queued, Session, Stage, Turn, Which, bots::is_word_to_bots,
    stream::Stream,
};
use crate::{
    alarm,
    guard::Prompt,
    request::{self, PanelPress, Request},
    right::{Governing, Granted},
    roster::View,
    timekeeper,
    trace::{self, Sought},
    words::{self, Notice},
};

impl Session {
    pub(super) fn arrive(
        &mut self,
        entries: Vec<Entry>,
        recovered: bool,
        now: Timestamp,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let (mut in_hand_talk, mut in_hand_side) = (recovered, recovered);
        for entry in entries {
            if let Some(author) = entry.author(self.key) {
                self.authors.insert(entry.update, author);
            }
            let Some(inbound) = &entry.inbound else {
                self.set_aside(&entry, effects);
                continue;
            };
            if let Inbound::Pressed(pressed) = inbound {
                let said = self.turned_away_press(pressed, inbound.language());
                effects.push(Effect::AnswerPress(pressed.query.clone(), said));
            }
            let is_edited = matches!(inbound, Inbound::Edited(_));
            let request = request::interpret(inbound, self.key, view, &self.config.house, now);
            let request = self.among_bots(&entry, inbound, request, effects);
            if let Some(attempt) =
                request::attempted(inbound, view).filter(|_| !request.is_denied())
            {
                effects.push(Effect::LogAttempt(attempt));
            }
            if self.ends_with_another(entry.update) || self.joins(&entry, &request, view, effects) {
                continue;
            }
            if self.was_said_of_its_album(&entry, &request) {
                self.close_unanswered(entry.update, Outcome::Ignored, entry.at, effects);
                continue;
            }
            if request == Request::Ignore && !self.state.open.contains_key(&entry.update) {
                self.close_unanswered(entry.update, Outcome::Ignored, entry.at, effects);
                continue;
            }
            // What was in hand at a failure is no new question.
            let is_new = !recovered && !self.state.open.contains_key(&entry.update);
            let is_turned_away = self.is_drained && is_new && request.asks() && !is_edited;
            let request = if is_turned_away {
                Request::Say(words::panel::turned_away())
            } else if request == Request::Cancel {
                let stopped = self.cancel(effects);
                Request::Say(if stopped { words::stopped() } else { words::nothing_to_stop() })
            } else {
                request
            };
            let in_turn = request.takes_its_turn() && !self.was_turned_away(entry.update, &request);
            let (which, in_hand) = match in_turn {
                true => (Which::Talk, &mut in_hand_talk),
                false => (Which::Side, &mut in_hand_side),
            };
            let lane = self.lanes.get_mut(which);
            if self.config.backlog_max + usize::from(lane.turn.is_none()) <= lane.backlog.len() {
                self.turn_away(&entry, effects);
                continue;
            }
            let was_in_hand = std::mem::take(in_hand);
            let heard = Heard::of(&entry, &request);
            let queued = Queued { entry, request, recovered: was_in_hand, heard };
            lane.backlog.push_back(Box::new(queued));
            if !recovered {
                // A cancel that arrived together with its question finds it at work. After a crash
                // it may have done its work already, and must not stop the next question.
                self.open_next(which, view, effects);
            }
        }
    }

    /// What somebody is told who presses a button that was shown to another.
    fn turned_away_press(
        &self,
        pressed: &Pressed,
        of_app: Option<Language>,
    ) -> Option<Box<Notice>> {
        let whose = words::chosen::read(&pressed.data).1?;
        let language = self.config.house.languages.choose(self.state.language, of_app);
        let said = || words::chosen::of_another().in_language(language);
        (whose != pressed.person.id).then(|| Box::new(said()))
    }

    /// A question whose fixed answer is a notice was answered beside the conversation, and must
    /// not be taken for the one that was in hand.
    fn was_turned_away(&self, update: UpdateId, request: &Request) -> bool {
        let answer = self.state.open.get(&update).and_then(|it| it.answer.as_ref());
        let is_question = matches!(request, Request::Ask(..) | Request::Retry);
        is_question && answer.is_some_and(|it| it.kind == AnswerKind::Notice)
    }

    /// An update that cannot be read: it ends here, and the operator learns of it.
    fn set_aside(&mut self, entry: &Entry, effects: &mut Vec<Effect>) {
        effects.push(Effect::AlertQuarantined(entry.reference));
        self.close_unanswered(entry.update, Outcome::Quarantined, entry.at, effects);
    }

    fn close_unanswered(
        &mut self,
        update: UpdateId,
        outcome: Outcome,
        at: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.record(vec![Event::TurnClosed { update, outcome }], vec![update], effects);
        effects.push(Effect::Count(outcome, at));
    }

    /// Too many wait: the person is told, in the lane that is free of questions.
    fn turn_away(&mut self, entry: &Entry, effects: &mut Vec<Effect>) {
        let side = &mut self.lanes.side.backlog;
        if side.len() < self.config.backlog_max {
            let request = Request::Say(words::one_at_a_time());
            let heard = Heard::default();
            let queued = Queued { entry: entry.clone(), request, recovered: false, heard };
            side.push_back(Box::new(queued));
            return;
        }
        self.close_unanswered(entry.update, Outcome::Refused, entry.at, effects);
    }

    /// Stops the question being answered, if its answer is not already being sent.
    fn cancel(&mut self, effects: &mut Vec<Effect>) -> bool {
        let stoppable = |turn: &Turn| match turn.stage {
            Stage::Gathering(_)
            | Stage::ShowingNotice(_)
            | Stage::TakingIn(_)
            | Stage::ScreeningPrompt(_)
            | Stage::Filing(..)
            | Stage::Recalling(..)
            | Stage::AwaitingModel(_)
            | Stage::Working(_)
            | Stage::ScreeningDraft(..)
            | Stage::ScreeningFact(_)
            | Stage::ScreeningProposals(_) => true,
            Stage::RescreeningParts
            | Stage::Delivering { .. }
            | Stage::Administering { .. }
            | Stage::Tracing { .. }
            | Stage::Looking
            | Stage::ComposingStatus
            | Stage::Exporting
            | Stage::Forgetting => false,
        };
        let Some(turn) = self.lanes.talk.turn.take_if(|it| stoppable(it)) else { return false };
        effects.push(Effect::Withdraw(turn.update));
        turn.unmark(effects);
        let all = turn.heard.all_with(turn.update);
        let ended = |update: &UpdateId| {
            let (update, outcome) = (*update, Outcome::Cancelled);
            Event::TurnClosed { update, outcome }
        };
        self.record(all.iter().map(ended).collect(), all, effects);
        effects.push(Effect::Count(Outcome::Cancelled, turn.at));
        true
    }

    // --- opening a turn ---

    // SESSION-1: only a lane without a turn opens one.
    pub(super) fn open_next(&mut self, lane: Which, view: &View, effects: &mut Vec<Effect>) {
        while self.lanes.get_mut(lane).turn.is_none() {
            let Some(queued) = self.lanes.get_mut(lane).backlog.pop_front() else { return };
            self.open(lane, *queued, view, effects);
        }
    }

    fn open(&mut self, lane: Which, queued: Queued, view: &View, effects: &mut Vec<Effect>) {
        let Queued { entry, request, recovered, mut heard } = queued;
        let update = entry.update;
        let known = self.state.open.get(&update).cloned().unwrap_or_default();
        if recovered {
            let attempt = known.retries + 2;
            self.record(vec![Event::TurnRetried { update, attempt }], vec![], effects);
        }
        let (reply_to, previews) = answers_to(&entry);
        let asker = asker_of(&entry);
        let of_app = entry.inbound.as_ref().and_then(Inbound::language);
        let aside = self.aside(&known, &entry, &request, view);
        let language = self.language_for(aside.is_some(), entry.own, of_app);
        let Entry { at, reference, .. } = entry;
        let course = Course { asker, arrived: at, ..Course::default() };
        let (warning, aloud) = (None, Vec::new());
        if known.answer.is_some() {
            // What it came with may have been another choice than it would be now: it ends with it.
            heard.also.clone_from(&known.also);
        }
        let more_may_come = heard.more_may_come() && !recovered;
        let before = self.called_before(&entry, &request);
        let reply_to = reply_to.filter(|_| !is_word_to_bots(&entry, &request));
        let is_panel = matches!(request, Request::Convene(_));
        let seen = self.seen(request.asks(), recovered);
        let (was_shown, stream) = (known.shown.is_some(), self.stream_of(&known, &heard));
        // Another bot would read the beginning, and take it for the answer.
        let stream = if known.link.is_some() { Stream::Off } else { stream };
        let turn = Turn {
            update,
            at,
            reference,
            reply_to,
            previews,
            of_app,
            language,
            was_shown,
            stream,
            seen,
            course,
            warning,
            aloud,
            heard,
            work: None,
            is_panel,
            aside,
            filed: Vec::new(),
            stage: Stage::RescreeningParts,
        };
        self.lanes.get_mut(lane).turn = Some(Box::new(turn));
        if let Some(answer) = known.answer {
            let left = answer.parts.into_iter().skip(known.parts_sent as usize).collect();
            effects.push(Effect::ScreenParts(update, left));
            return;
        }
        if recovered && self.config.attempts_max < known.retries + 2 {
            effects.push(Effect::AlertQuarantined(reference));
            let notice = words::quarantined(reference);
            let (kind, outcome) = (AnswerKind::Apology, Outcome::Quarantined);
            self.answer_kind(update, vec![], kind, notice, outcome, effects);
            return;
        }
        if !before.is_empty() {
            self.set_stage(update, Stage::Gathering(request));
            effects.push(Effect::TakeTurn(update, before));
            return;
        }
        if more_may_come && !self.config.home.gather_time.is_zero() {
            self.set_stage(update, Stage::Gathering(request));
            effects.push(Effect::Gather(update));
            return;
        }
        self.take_up(update, request, view, effects);
    }

    /// A private matter in a group is told in the person's own language, all else in the group's.
    fn language_for(
        &self,
        is_aside: bool,
        own: Option<Language>,
        of_app: Option<Language>,
    ) -> Language {
        let languages = self.config.house.languages;
        match is_aside {
            true => languages.choose(own, of_app),
            // A reminder has no app to ask.
            false if self.key.is_private() => languages.choose(self.state.language, of_app.or(own)),
            false => languages.choose(self.state.language, of_app),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a list of all that can be wanted")]
    pub(super) fn begin(
        &mut self,
        update: UpdateId,
        request: Request,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let notice = match request {
            Request::Ask(agent, it) => return self.ask(update, agent, it, false, view, effects),
            Request::Convene(it) => return self.ask(update, None, it, false, view, effects),
            Request::Retry => return self.ask_again(update, view, effects),
            Request::Decide(it, by) => return self.decide(update, it, by, view, effects),
            Request::Accept(by) => return self.accept(update, by, view, effects),
            Request::Greet { first_name } => return self.greet(update, &first_name, view, effects),
            Request::Switch(name) => return self.switch(update, name, view, effects),
            Request::Fresh => return self.begin_anew(update, view, effects),
            Request::Speak(language) => return self.speak(update, language, effects),
            Request::Say(notice) => notice,
            Request::ListAgents => self.list_agents(view).bound_to(self.asker_in_group(update)),
            Request::Status { in_full } => {
                return self.compose(update, Effect::ComposeStatus(update, in_full), effects);
            }
            Request::Panel(_) => return self.look(update, Effect::ComposePanel(update), effects),
            Request::PressPanel(it) => return self.press_panel(update, it, effects),
            Request::Usage(whose) => {
                return self.compose(update, Effect::ComposeUsage(update, whose), effects);
            }
            Request::Trace { replied, person, in_full } => {
                return self.look_for_turn(update, replied, (person, in_full), effects);
            }
            Request::ListAlarms(_) => words::alarms(view.alarms()),
            Request::Judge { ask, at, by } => return self.judge(update, ask, at, by, effects),
            Request::PressDenied(person) => {
                effects.push(Effect::LogPressDenied(person));
                return self.finish(update, vec![], Outcome::Ignored, effects);
            }
            Request::Remember { text, by } => {
                return self.remember(update, &text, by, view, effects);
            }
            Request::ListMemory { by } => return self.list_memory(update, by, effects),
            Request::ForgetFact { fact, by, is_admin } => {
                return self.forget_fact(update, fact, by, is_admin, effects);
            }
            Request::Papers(wish) => {
                return self.look(update, Effect::Papers(update, wish), effects);
            }
            Request::Alerts(order, by) => {
                return self.compose(update, Effect::AskAlerter(update, order, by), effects);
            }
            Request::Timetable(it) => return self.keep_time(update, it, effects),
            Request::ListRules(_) => words::own_rules(view.own_rules()),
            Request::ListRoles(_) => words::officers::roles(view),
            Request::Arrange(it) => {
                return self.look(update, Effect::Arrange(update, it), effects);
            }
            Request::Look(look) => return self.look(update, Effect::Look(update, look), effects),
            Request::TryRule { name, days, by } => {
                return self.compose(update, Effect::TryRule(update, (name, days), by), effects);
            }
            Request::Administer { order, done } => {
                let effect = Effect::Administer(update, order);
                return self.await_answer(update, Stage::Administering { done }, effect, effects);
            }
            Request::Export(person) => {
                let effect = Effect::Export(update, person);
                return self.await_answer(update, Stage::Exporting, effect, effects);
            }
            Request::Forget(person) => {
                let effect = Effect::Forget(update, person);
                return self.await_answer(update, Stage::Forgetting, effect, effects);
            }
            Request::Denied { command, person } => {
                effects.push(Effect::LogDenied(command, person));
                words::unknown_command()
            }
            // A cancel was turned into words when it arrived.
            Request::Ignore | Request::Cancel => {
                return self.finish(update, vec![], Outcome::Ignored, effects);
            }
        };
        self.answer_notice(update, notice, Outcome::Answered, effects);
    }

    /// Who asked, where others read along.
    fn asker_in_group(&mut self, update: UpdateId) -> Option<PersonId> {
        let is_private = self.key.is_private();
        self.turn(update, |_| true).and_then(|it| it.course.asker).filter(|_| !is_private)
    }

    fn list_agents(&self, view: &View) -> Notice {
        let agents: Vec<&Agent> = view.agents().collect();
        let current = request::current_agent(self.state.agent.as_ref(), self.key, view);
        words::agents(&agents, current.map(|it| &it.name))
    }

    fn switch(
        &mut self,
        update: UpdateId,
        name: AgentName,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let (events, notice) = match view.agent(&name) {
            Some(agent) if agent.paused => (vec![], words::agent_paused(&name)),
            Some(agent) => (vec![Event::AgentSwitched { agent: name }], words::switched(agent)),
            None => (vec![], words::no_such_agent(name.as_str())),
        };
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    /// `/language`: told in the language that was chosen.
    fn speak(&mut self, update: UpdateId, chosen: Option<Language>, effects: &mut Vec<Effect>) {
        let config = Arc::clone(&self.config);
        if let Some(turn) = self.turn(update, |_| true) {
            turn.language = config.house.languages.choose(chosen, turn.of_app);
        }
        let events = vec![Event::LanguageChosen { language: chosen }];
        let notice = words::language_set(chosen);
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    fn ask_again(&mut self, update: UpdateId, view: &View, effects: &mut Vec<Effect>) {
        let Some((agent, text)) = self.state.last_asked.clone() else {
            let notice = words::nothing_to_retry();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        };
        let answered = self.state.histories.get(&agent).and_then(VecDeque::back);
        let replaces = answered.is_some_and(|it| *it.asked == text);
        let prompt = Prompt { text, ..Prompt::default() };
        self.ask(update, Some(agent), prompt, replaces, view, effects);
    }

    /// Somebody else puts the answer into words.
    fn compose(&mut self, update: UpdateId, effect: Effect, effects: &mut Vec<Effect>) {
        self.await_answer(update, Stage::ComposingStatus, effect, effects);
    }

    /// An officer looks at something.
    fn look(&mut self, update: UpdateId, effect: Effect, effects: &mut Vec<Effect>) {
        self.await_answer(update, Stage::Looking, effect, effects);
    }

    fn keep_time(&mut self, update: UpdateId, it: timekeeper::Order, effects: &mut Vec<Effect>) {
        self.look(update, Effect::AskTimekeeper(update, it), effects);
    }

    fn press_panel(&mut self, update: UpdateId, press: PanelPress, effects: &mut Vec<Effect>) {
        self.look(update, Effect::PressPanel(update, press), effects);
    }

    /// Somebody else has to find out first.
    fn await_answer(
        &mut self,
        update: UpdateId,
        stage: Stage,
        effect: Effect,
        effects: &mut Vec<Effect>,
    ) {
        self.set_stage(update, stage);
        effects.push(effect);
    }

    /// `/trace`: of the answer that was replied to, or of the newest.
    fn look_for_turn(
        &mut self,
        update: UpdateId,
        replied: Option<Replied>,
        (person, in_full): (Option<PersonId>, bool),
        effects: &mut Vec<Effect>,
    ) {
        let key = self.key;
        let by_message = replied.map(|it| (trace::Turn::Message(it.message), it.at));
        let newest = self.state.newest.map(|(update, at)| (trace::Turn::Update(update), at));
        let Some((turn, at)) = by_message.or(newest) else {
            let notice = words::nothing_to_trace();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        };
        self.set_stage(update, Stage::Tracing { person, in_full });
        effects.push(Effect::Trace(update, Sought { key, turn, at }));
    }

    /// An admin looks at a refusal, or says that it was none.
    fn judge(
        &mut self,
        update: UpdateId,
        ask: alarm::Ask,
        at: alarm::Pointer,
        by: Granted<Governing>,
        effects: &mut Vec<Effect>,
    ) {
        match ask {
            alarm::Ask::Show => {
                self.set_stage(update, Stage::ComposingStatus);
                effects.push(Effect::FindHeldBack(update, at, by));
            }
            alarm::Ask::MarkQuestion | alarm::Ask::MarkAnswer => {
                let done = words::marked(ask == alarm::Ask::MarkAnswer);
                self.set_stage(update, Stage::Administering { done });
                effects.push(Effect::MarkAlarm(update, at, by));
            }
        }
    }

    fn greet(
        &mut self,
        update: UpdateId,
        first_name: &str,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let events = if self.state.noticed { vec![] } else { vec![Event::NoticeShown] };
        let agent = request::current_agent(self.state.agent.as_ref(), self.key, view);
        let house = &self.config.house;
        let privacy = words::privacy_notice(&house.providers, &house.contact);
        let must_accept = !self.may_be_asked_for(update);
        let agent = agent.map(|it| &**it);
        let language = self.language(update);
        let notice = words::greeting(first_name, agent, &privacy, must_accept, language);
        let notice = notice.bound_to(self.asker_in_group(update));
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    /// False while whoever sent this still has to agree to the privacy notice.
    fn may_be_asked_for(&mut self, update: UpdateId) -> bool {
        // What an officer has the hall ask at set times is the officer's, who has agreed.
        if !self.config.house.must_accept || due::is_halls(update) {
            return true;
        }
        let asker = self.turn(update, |_| true).and_then(|it| it.course.asker);
        asker.is_some_and(|it| self.state.accepted.contains(&it))
    }

    /// Shows the notice with a button. In a private chat the question is kept until it is pressed.
    fn ask_to_accept(
        &mut self,
        update: UpdateId,
        agent: &Agent,
        prompt: Prompt,
        effects: &mut Vec<Effect>,
    ) {
        let mut events = if self.state.noticed { vec![] } else { vec![Event::NoticeShown] };
        // A question that leans on other texts is not the same without them.
        let is_held = self.key.is_private() && prompt.texts().count() == 1 && prompt.file.is_none();
        if is_held {
            let (agent, text) = (agent.name.clone(), prompt.text);
            events.push(Event::QuestionHeld { update, agent, text });
        }
        let has_asker = self.turn(update, |_| true).is_some_and(|it| it.course.asker.is_some());
        let house = &self.config.house;
        let privacy = words::privacy_notice(&house.providers, &house.contact);
        let notice = match has_asker {
            true => words::accept_first(&privacy, is_held),
            false => words::accept_as_yourself(),
        };
        self.answer_with(update, events, notice, Outcome::Refused, effects);
    }

    /// They agree: what waited for it is asked now.
    fn accept(&mut self, update: UpdateId, by: PersonId, view: &View, effects: &mut Vec<Effect>) {
        let events = vec![Event::NoticeAccepted { update, by }];
        let Some((agent, text)) = self.state.held.clone() else {
            return self.answer_with(update, events, words::accepted(), Outcome::Answered, effects);
        };
        self.record(events, vec![], effects);
        let prompt = Prompt { text, ..Prompt::default() };
        self.ask(update, Some(agent), prompt, false, view, effects);
    }

    fn begin_anew(&mut self, update: UpdateId, view: &View, effects: &mut Vec<Effect>) {
        let Some(agent) = request::current_agent(self.state.agent.as_ref(), self.key, view) else {
            let notice = words::nobody_here();
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        };
        let events = vec![Event::HistoryReset { agent: agent.name.clone() }];
        let notice = words::fresh(&agent.name);
        self.answer_with(update, events, notice, Outcome::Answered, effects);
    }

    pub(super) fn ask(
        &mut self,
        update: UpdateId,
        agent: Option<AgentName>,
        prompt: Prompt,
        replaces: bool,
        view: &View,
        effects: &mut Vec<Effect>,
    ) {
        let agent = match &agent {
            Some(name) => match view.agent(name) {
                Some(agent) => agent,
                None => {
                    let notice = words::no_such_agent(name.as_str());
                    return self.answer_notice(update, notice, Outcome::Answered, effects);
                }
            },
            None => match request::current_agent(self.state.agent.as_ref(), self.key, view) {
                Some(agent) => agent,
                None => {
                    let notice = words::nobody_here();
                    return self.answer_notice(update, notice, Outcome::Answered, effects);
                }
            },
        };
        if agent.paused {
            let notice = words::agent_paused(&agent.name);
            return self.answer_notice(update, notice, Outcome::Answered, effects);
        }
        let agent = Arc::clone(agent);
        if !self.may_be_asked_for(update) {
            return self.ask_to_accept(update, &agent, prompt, effects);
        }
        let asked = prompt.text.clone();
        if let Some(turn) = self.turn(update, |_| true) {
            turn.course.agent = Some(agent.name.clone());
        }
        let asking = Asking {
            agent,
            prompt,
            asked,
            replaces,
            hidden: Placeholders::new(),
            came: Came::Nothing,
            files_taken: 0,
            papers: VecDeque::new(),
            is_resumed: false,
        };
        if self.state.noticed {
            return self.screen_question(update, asking, effects);
        }
        // No model is asked before the person was told what happens with their text.
        let house = &self.config.house;
        let text = words::privacy_notice(&house.providers, &house.contact);
        let notice = words::first_notice(&text).in_language(self.language(update));
        effects.push(Effect::ShowNotice(update, notice));
        self.set_stage(update, Stage::ShowingNotice(asking));
    }
}

/// The message that an answer quotes, in groups, and whether it is shown while it is written.
fn answers_to(entry: &Entry) -> (Option<MessageId>, bool) {
    match &entry.inbound {
        Some(Inbound::Said(said) | Inbound::Edited(said)) => {
            ((!said.private).then_some(said.message), said.private)
        }
        Some(Inbound::Pressed(pressed)) => (None, pressed.private),
        Some(
            Inbound::StopRequested { .. }
            | Inbound::Membership { .. }
            | Inbound::Due(_)
            | Inbound::BotMade { .. }
            | Inbound::Nothing,
        )
        | None => (None, false),
    }
}

fn asker_of(entry: &Entry) -> Option<PersonId> {
    match &entry.inbound {
        Some(Inbound::Said(said) | Inbound::Edited(said)) => said.person.as_ref().map(|it| it.id),
        Some(Inbound::Pressed(pressed)) => Some(pressed.person.id),
        Some(Inbound::Due(due)) => due.person(),
        Some(Inbound::BotMade { owner, .. }) => Some(owner.id),
        Some(Inbound::StopRequested { .. } | Inbound::Membership { .. } | Inbound::Nothing)
        | None => None,
    }
}

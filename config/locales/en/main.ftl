# Every fixed text of the hall, in English: the others are held against this file by a test.
# Commands (/help), names in braces and words in `quotes` stay as they are. docs/translations.md says more.

## Beginning

hello = Hello, { $name }!
hello-nameless = Hello!
greeting-host =
    You are talking to { $agent }, an AI assistant.{ $about }
    Just write, as you would to a person. /agents shows who else is here.
greeting-can = ✅ What I can do: explain, write and plan with you, and remind you of things (/remind).
greeting-cannot = ⚠️ What I cannot do: always be right. Please check what matters, such as health, money or law.
greeting-remembers = 🧠 What I remember: our conversation, and what you ask me to remember. /memory shows it, /new starts over, /forget erases everything.
greeting-try = Try one of these:
example-explain = 💡 Explain something
    .prompt = Explain in three sentences why the sky is blue.
example-write = ✍️ Write something
    .prompt = Write a friendly two-line thank-you note to a colleague.
example-plan = 🧭 Plan something
    .prompt = Give me a short plan for a calm and useful morning.
nobody-here = No agent is here yet. An admin can bring one in with /spawn.

## Privacy

agree-button = ✅ I agree
accept-first-kept = Before I answer, please say that you agree. Your question is kept; press the button, and it will be answered.
accept-first-again = Before I answer, please say that you agree. Press the button, and send your question again.
accept-as-yourself = Here I answer only people who have agreed to the privacy notice. Please write as yourself.
accepted = Thank you. Just write, and you will be answered.
privacy-notice = 🔒 What you write is stored encrypted on this server so that conversations survive restarts, until you erase it with /forget. To answer, it is sent to { $providers }. /privacy says more{ $contact }.
privacy =
    🔒 Your privacy

    What is stored: your messages, the answers, your Telegram id and which agent you talk to.
    How: encrypted, with a key that is kept apart from the data. Logs hold no text and no ids.
    Who sees it: to answer you, your message, the recent conversation, what sums up the rest and what you had remembered go to { $providers }.
    What it is used for: answering you. It is never used to train a model here.
    How long: until you erase it, or as long as the person who runs this bot{ $contact } keeps it.
    /new makes an agent forget the conversation so far when it answers; /memory shows and deletes what it remembers beside it. /export sends you everything that is kept about you. /forget erases it.
provider-local = a model that runs on this server
provider-none = no model yet
either = { $one } or { $other }
only-in-private = That is between you and me: please use this command in our private chat.
told-in-private = I have answered you in our private chat.
open-private = That is between you and me, and I cannot write to you yet. Please open { $link }, press Start, and ask me there.
forget-offer =
    Erase everything about you?

    What goes: your messages, the answers you got, what agents remember of you, in this chat and in groups, and everything that waits to be answered. The key that your data is sealed with is destroyed, so copies and backups cannot be read any more either.
    What stays: whether you may use this bot, logs without texts and names, and what Telegram itself keeps in this chat.

    It cannot be undone. /export first sends you a copy. You get a signed receipt.
forget-button = Erase everything
forgotten = Everything about you is erased. Keep this receipt if you like; whoever runs this bot can check it with `guildhall person receipt`.
exported = That is everything that is kept about you: one file for programs, one to read. /forget erases it.
too-much-to-export = There is more than fits into a file here. Please ask the person who runs this bot: they can make the same copy with `guildhall person export`.

## Help and language

help-head = Just write, and an agent answers. You can also use:
help-foot = In a group, mention me, reply to me, or use a command.
help-more = The menu button shows every command.
help-talk = 💬 Talking
help-remember = 🧠 Remembering
help-you = 🔒 You and your data
help-agents = 🤖 Agents
help-people = 👥 People
help-watch = 🛡 Looking after all of it
language-ask = Which language shall I speak in this chat? Agents answer in the language that you write in.
language-auto = As in Telegram
language-set = I speak English here from now on.
language-automatic = From now on I speak the language of your Telegram app, where I know it.
language-unknown = I do not speak that language yet. /language shows those I know.
language-officers = In a group, only those who look after this bot can change its language. In our private chat you choose it yourself.

## Agents

agents-head = Who is here:
agent-here = ← you are talking to this one
agent-rests = (resting)
talk-to = Talk to { $agent }
switched = You are now talking to { $agent }.{ $about }
no-such-agent = There is no agent called “{ $name }” here. /agents shows who is.
agent-paused = { $agent } is resting at the moment. /agents shows who else is here.
fresh = A fresh conversation with { $agent }. What was said before is not used any more.

## Asking

stopped = Stopped. /retry asks the same again.
nothing-to-stop = Nothing is being written at the moment.
nothing-to-retry = There is no earlier question to ask again. Just write one.
unknown-command = I do not know that command. /help shows what I understand.
usage = Use it like this: { $command }
refused-prompt = I would rather not answer this one. Please put it in other words.
refused-draft = The answer was held back because it contained something that must not be shown. Please ask in another way, or press /retry. (ref { $reference })
apology = Sorry, I could not get an answer just now. Your message is not lost: /retry asks again. (ref { $reference })
too-slow = Sorry, this took too long and I stopped waiting. Your message is not lost: /retry asks again. (ref { $reference })
busy = Very many people are asking at once. Your message is not lost: please press /retry in a minute. (ref { $reference })
quarantined = Sorry, something about this message makes me stumble, so I have set it aside and told the people who run me. You can go on writing. (ref { $reference })
one-at-a-time = One at a time, please: I am still busy with your earlier messages.
turned-away = I take no new questions right now, because I am being looked after. Please ask again in a few minutes. Commands work as usual.
stranger = This bot is private. If you should have access, send this number to the person who runs it: { $person }. Nothing you wrote was stored.
slow-down = That was a lot at once. I did not take the last message: please wait a moment and send it again.
ignored-for =
    { $minutes ->
        [one] I will not react to your messages for the next minute, to stay fair to everyone.
       *[other] I will not react to your messages for the next { $minutes } minutes, to stay fair to everyone.
    }
must-wait =
    { $minutes ->
        [one] Some of your last messages looked like an attempt to get around my rules, so I take a break from our conversation: about 1 minute. I did not keep the message that you just sent; nothing else is lost. Please write again then. If this is a mistake, the people who run this bot know of it and can end it sooner.
       *[other] Some of your last messages looked like an attempt to get around my rules, so I take a break from our conversation: about { $minutes } minutes. I did not keep the message that you just sent; nothing else is lost. Please write again then. If this is a mistake, the people who run this bot know of it and can end it sooner.
    }
held-back-pace =
    { $count ->
        [one] You used far more than usual, so for now I take 1 message a minute from you. I did not take the last one: please wait a moment and send it again.
       *[other] You used far more than usual, so for now I take { $count } messages a minute from you. I did not take the last one: please wait a moment and send it again.
    }

## What is remembered

fact-remembered = 📝 I will remember: “{ $fact }”. /memory shows and deletes what I remember.
facts-noted =
    { $count ->
        [one] 📝 { $agent } has noted something about you. /memory shows and deletes it.
       *[other] 📝 { $agent } has noted { $count } things about you. /memory shows and deletes it.
    }
fact-known = I remember that already. /memory shows everything.
facts-full =
    { $most ->
        [one] I remember 1 thing already, which is the most. /memory deletes it.
       *[other] I remember { $most } things already, which is the most. /memory deletes some of them.
    }
fact-too-long = That is too long to remember: at most { $most } characters, please.
nobody-to-remember = I can only remember things for a person who writes under their own name.
memory-none = I remember nothing about you here. Write “remember that …” or use /remember <text>.
memory-others =
    { $count ->
        [one] Somebody else has had something remembered here, too.
       *[other] Others have had { $count } things remembered here, too.
    }
memory-head = What I remember here:
memory-noted-by = noted by { $agent }
memory-more = … and more: delete some to see the rest.
fact-forgotten = 🗑 Forgotten: “{ $fact }”. It is not used any more.
fact-forgotten-unseen = 🗑 Forgotten. It is not used any more.
fact-gone = That is forgotten already.
fact-of-another = Only the person who said it can have it forgotten. /memory shows your own buttons.

## Usage and caps

over-cap-person-day = You have used up what you may ask today. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /usage shows what was used.
over-cap-person-month = You have used up what you may ask this month. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /usage shows what was used.
over-cap-chat-day = This group has used up what it may ask today. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /usage shows what was used.
over-cap-chat-month = This group has used up what it may ask this month. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /usage shows what was used.
over-cap-agent-day = This agent has answered as much as it may today. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /agents shows who else is here.
over-cap-agent-month = This agent has answered as much as it may this month. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted. /agents shows who else is here.
over-cap-hall-day = I have answered as much as I may today. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted.
over-cap-hall-month = I have answered as much as I may this month. I go on { $resumes }; please ask again then, or press /retry. Nothing was sent to a model and nothing was counted.
cap-near-person-day = ℹ️ You have used { $percent } % of what may be asked today. It begins anew { $resumes }. /usage says more.
cap-near-person-month = ℹ️ You have used { $percent } % of what may be asked this month. It begins anew { $resumes }. /usage says more.
cap-near-chat-day = ℹ️ This group has used { $percent } % of what may be asked today. It begins anew { $resumes }. /usage says more.
cap-near-chat-month = ℹ️ This group has used { $percent } % of what may be asked this month. It begins anew { $resumes }. /usage says more.
cap-near-us-day = ℹ️ We have used { $percent } % of what may be asked today. It begins anew { $resumes }. /usage says more.
cap-near-us-month = ℹ️ We have used { $percent } % of what may be asked this month. It begins anew { $resumes }. /usage says more.
cap-reached-person-day = ℹ️ You have now used all that may be asked today. I go on { $resumes }.
cap-reached-person-month = ℹ️ You have now used all that may be asked this month. I go on { $resumes }.
cap-reached-chat-day = ℹ️ This group has now used all that may be asked today. I go on { $resumes }.
cap-reached-chat-month = ℹ️ This group has now used all that may be asked this month. I go on { $resumes }.
cap-reached-us-day = ℹ️ We have now used all that may be asked today. I go on { $resumes }.
cap-reached-us-month = ℹ️ We have now used all that may be asked this month. I go on { $resumes }.
at-time = at { $time }
on-date = on { $date }
time = { $time } ({ $zone })
date =
    { $day } { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    }, { $time } ({ $zone })
usage-head = What was used of models:
usage-you = you
usage-today = today: { $used }
usage-month = this month: { $used }
usage-by-agent = This month, by agent:
usage-ends = The day ends at { $day }, the month on { $month }.
usage-more = … and more: `guildhall usage` shows everything.
used-answers =
    { $count ->
        [one] 1 answer
       *[other] { $count } answers
    }
used-tokens =
    { $count ->
       *[other] { $count } tokens
    }
used-heard =
    { $count ->
        [one] 1 minute heard
       *[other] { $count } minutes heard
    }
used-spoken =
    { $count ->
        [one] 1 character spoken
       *[other] { $count } characters spoken
    }
used-lost =
    { $count ->
       *[other] { $count } more tokens without an answer
    }
used-tokens-left = { $left } of { $most } tokens left
used-money-left = { $left } of { $most } left
number = { $number }
money = { $amount } { $currency }
used-today = Used today: { $used }

## How an answer came about

trace-head = 🔎 How this answer came about
trace-head-ref = 🔎 How this answer came about (ref { $reference })
trace-notice = It is a fixed text of mine: no agent and no model was asked.
trace-agent = Agent: { $agent }
trace-model = Model: { $model }
trace-question = Question: { $words }
trace-answer = Answer: { $words }
trace-work = Work: { $attempts }, { $calls }
trace-attempts =
    { $count ->
        [one] 1 attempt
       *[other] { $count } attempts
    }
trace-calls =
    { $count ->
        [one] 1 model call
       *[other] { $count } model calls
    }
trace-time = Time: { $stages }; { $total } s in all
trace-time-question = { $seconds } s until the question was checked
trace-time-past = { $seconds } s to look through the past
trace-time-model = { $seconds } s for the model
trace-time-answer = { $seconds } s until the answer was fixed
trace-messages = Messages: { $sent } of { $all } sent, none twice as far as I know.
trace-messages-perhaps-twice = Messages: { $sent } of { $all } sent. A restart came while one was on its way: it may have come twice.
trace-model-used = { $model }, { $read } tokens in, { $written } out
trace-model-cost = { $model }, { $read } tokens in, { $written } out, cost { $cost }
trace-model-none-asked = none was asked
trace-model-none-answered = none answered
trace-question-refused = checked, and not passed on
trace-question-redacted = checked; hidden from the model: { $what }
trace-question-redacted-parts = parts of it
trace-question-passed = checked, and passed on
trace-answer-refused = checked, and held back
trace-answer-redacted = checked; parts of it were hidden
trace-answer-shown = checked, and shown
trace-score = score { $score }, { $likely }
trace-rules = rules { $names }
trace-shadow = in shadow { $names }
likely-none = no sign of an attack
likely-little = little like an attack
likely-somewhat = somewhat like an attack
likely-much = much like an attack
likely-surely = almost surely an attack
nothing-to-trace = I know of no answer to you there. Reply to an answer of mine with /trace, and I say how it came about.
cannot-trace = ⚠️ I cannot look that up just now. Please try again in a moment.

## Whether all is well

status-well = ✅ All is well.
status-one-ill = ⚠️ A part of me does not work right now. Your messages are kept and answered later.
status-many-ill = ⚠️ Some parts of me do not work right now. Your messages are kept and answered later.

## For officers: what was done, and why not

agent-name-rule = An agent's name has 2 to 32 characters: small letters, digits and underscores, and begins with a letter.
id-is-number = The id is a number.
id-is-number-of-whom = The id is a number. A person sees theirs when they write to this bot.
instructions-missing = The instructions are missing.
words-missing = The words after the name are missing.
minutes-range = The minutes are a number from 1 to 525600.
incident-verbs = The first word is ack or close, the second a number.
playbook-verbs = The first word is undo, keep, yes, no or close, the second a number.
role-verbs = The first word is give or take.
role-words = The role is auditor, operator, admin or owner.
silence-kind = The kind is one of those that /alerts lists, or all.
silence-time = The time is such as 30m, 2h or 1d, at most 30d; off ends a silence.
quota-whom = Whom it is for is an id, the name of an agent, or `hall`.
quota-words = After the amount comes `tokens` or `money`, and `day` or `month`.
quota-amount = The amount is a number, `none` for no cap, or `usual`.
rule-verbs = The first word is add, test, shadow, enforce, remove, alarms or unmark.
rule-action = The action is flag, redact or refuse.
rule-pattern = The pattern is missing: a regular expression.
rule-days = The days are a number from 1 to { $most }.
rule-reference = The reference is eight hex digits; /rule alarms lists them.
rule-too-many-words = There are words too many: only the rule's name is needed.
rule-name = A rule's name is 1 to 64 of a-z, 0-9 and _.
rule-noted = { $rule } is noted and not applied yet. /rule test { $rule } tells what it would have stopped, /rule shadow { $rule } lets it watch without acting.
rule-enforced = { $rule } is enforced from the next message on.
rule-shadowed = { $rule } is in shadow: it is judged and counted, and nothing is stopped by it.
rule-switched-off = { $rule } is not applied any more.
rule-removed = { $rule } is gone.
rule-unmarked = { $reference } is no longer marked.
marked-question = Marked as a false alarm. The very same question passes from now on. /rule alarms lists the marks, and new rules are checked against them.
marked-answer = Marked as a false alarm. Answers like it are held back all the same. /rule alarms lists the marks, and new rules are checked against them.
held-back-gone = ⚠️ That text is not there any more.
done-spawned = { $agent } is here. /agent { $agent } talks to it.
done-edited = { $agent } has new instructions, from the next message on.
done-model-set = { $agent } now asks { $model } first.
done-paused = { $agent } rests. /resume { $agent } wakes it.
done-resumed = { $agent } is awake.
done-retired = { $agent } has left. Its conversations are kept.
done-allowed = { $id } may talk now.
done-denied = { $id } is off the list.
done-blocked = { $id } is blocked.
done-blocked-for =
    { $minutes ->
        [one] { $id } is blocked for 1 minute.
       *[other] { $id } is blocked for { $minutes } minutes.
    }
done-unblocked = { $id } is no longer blocked.
done-role-given = { $person } is { $role } now.
done-role-taken = { $person } has no role any more.
run-acts = Run { $run } acts now. /playbooks shows what it does.
run-does-nothing = Run { $run } does nothing.
run-undone = What run { $run } did is undone.
run-kept = What run { $run } did stays until somebody undoes it: /playbooks.
run-closed = The incident of run { $run } is closed.
run-needs = ⚠️ What this playbook did can only be changed by: { $role } or above.
run-over = That run is over, and not at hand any more. /playbooks shows what is in force.
roles-head = Who has a role:
role-by-configuration = { $role }, by the configuration
roles-foot = /role give <id> <role> gives one, /role take <id> takes it away.
no-incident = No incident is open.
incident-closed = Incident { $incident } is closed.
incident-acknowledged = Incident { $incident } is acknowledged.
no-such-incident = There is no open incident { $incident }. /incidents lists those there are.
nothing-changed = Nothing was changed: { $why }.
not-shown = Nothing is shown, because { $why }.
audit-busy = too much waits to be written to the audit log
audit-unavailable = the audit log takes no records
sentence = { $text }.
no-older-records = There are no older records at hand. `guildhall audit list` shows them all.
not-agent-taken = There is already an agent called { $agent }. /edit changes its instructions.
not-no-such-agent = There is no agent called { $agent }. /agents shows who is here.
not-no-such-model = There is no model called { $model }. Known models: { $known }.
not-too-many-agents = There are { $most } agents already: that is the most. /retire one first.
not-bad-instructions = Instructions must have 1 to { $most } characters.
not-is-admin = That is an admin. Admins are named in the configuration, and cannot be denied or blocked here.
not-allowed = You may not do that any more.
not-role-is-fixed = That role is named in the configuration, and cannot be changed here.
not-no-role = That person has no role. /role lists who has one.
not-no-person = Only a person can have a role: their id is a positive number.
not-too-many-roles = { $most } people have a role already: that is the most. /role take takes one away.
not-rule-taken = There is already a rule called { $rule }. /rule remove { $rule } takes it away.
not-no-such-rule = No admin gave a rule called { $rule }. /rule lists those there are.
not-too-many-rules = There are { $most } rules already: that is the most. /rule remove one first.
not-bad-rule = That rule cannot be used, so nothing was changed: { $why }
not-alarm-known = { $reference } is marked as a false alarm already.
not-no-such-alarm = { $reference } is not marked. /rule alarms lists the marks.
not-too-many-alarms = There are { $most } marks already: that is the most. /rule unmark takes one away.
not-too-many-quotas = Quotas are set for { $most } already: that is the most. Set one back with `usual` first.
not-settled = That is settled already: /playbooks shows what is in force.
not-officers-spared = That is about officers, and those are spared.
not-so-already = It is so already.
not-nothing-held-back = That text is not there any more, so nothing was marked.
not-stored = The change could not be stored, so nothing was changed. Please try again.

## The panel

panel-refresh = 🔄 Refresh
panel-mute = 🔕 Mute 1 hour
panel-unmute = 🔔 Unmute alerts
panel-agents = ⏸ Let an agent rest
panel-actors = ♻️ Restart a part
panel-drain = 🚪 Stop new questions
panel-fill = 🚪 Take questions again
panel-yes = ⚠️ Yes, do it
panel-back = ↩️ Back
state-muted = 🔕 Nobody is told of alerts until { $time } UTC
state-drained = 🚪 New questions are turned away.
state-as-of = As of { $time } UTC
ask-pause = Shall { $agent } rest? Who talks to it is told so until somebody wakes it.
ask-restart = Shall { $part } be made anew? What waits for it is kept; what it is doing is begun again, and people may wait a moment longer.
ask-drain = Shall new questions be turned away, with a word to ask again later? What is in hand is answered. It ends by the same button, and when the hall starts anew.
restarting = ♻️ { $part } is being made anew. Refresh shows whether it is there again.
drained = 🚪 New questions are turned away; what is in hand is answered.
filled = 🚪 Questions are taken again.
paused = ⏸ { $agent } rests.
resumed = ▶️ { $agent } is awake.
offer-too-old =
    { $minutes ->
        [one] That button holds for 1 minute, and it is over: nothing was done. Choose again.
       *[other] That button holds for { $minutes } minutes, and they are over: nothing was done. Choose again.
    }
role-needed = Only an { $role } may do that: a playbook brought it about. Nothing was done.
not-there = There is no { $part } here: nothing was done.
nothing-done = ⚠️ Nothing was done: { $why }
alerter-away = alerts cannot be reached just now; please try again in a moment.
muted = 🔕 Nobody is told of alerts for an hour.
unmuted = 🔔 Officers are told of alerts again.

## Lists of officers

quotas-head = What may be used of models:
quota-each-person = each person
quota-each-group = each group
quota-each-agent = each agent
quota-hall = the hall
quota-person = person { $id }
quota-group = group { $id }
quota-agent = agent { $agent }
quota-set-here = { $quota } (set here)
quota-of = { $who } may use: { $allowed }
quota-any = as much as they like
quota-a-day = { $amount } a day
quota-a-month = { $amount } a month
quota-tokens = tokens
quota-money = money
quota-set-usual = For { $who }, { $what } are as the configuration says.
quota-set-any = { $who } may use any amount of { $what }.
quota-set-most = { $who } may use { $amount }.
rules-head = Rules given by admins:
rules-none = No rule was given here yet. /rule add <name> <action> <pattern> notes one.
rules-foot = Rules in files: guildhall rules check.
rule-left-out = • { $rule } (left out, { $why })
list-more = • … and more
held-back-head = The guard stopped this question to { $agent }:
alarms-head = False alarms:
alarms-none = Nothing is marked. The button under a refusal does it.
alarms-foot = /rule unmark <ref> takes a mark away.
alarm-answer = • { $reference }: answer of { $agent } ({ $rules })
alarm-question = • { $reference }: question to { $agent } ({ $rules })
incidents-head = What needs a look:
incidents-foot = /incidents ack <number>, /incidents close <number>
incident-times =
    { $count ->
       *[other] { $count } times
    }
incident-since = since { $time }, { $stage }
audit-head = What was done, newest first:
audit-foot = `guildhall audit verify` says whether all of it is as it was written.
audit-older = Older

## For officers: roles, alerts, playbooks, trials of rules, the state in full

role-auditor = auditor
role-operator = operator
role-admin = admin
role-owner = owner
severity-low = low
severity-medium = medium
severity-high = high
incident-guard = refused texts
incident-access = tries without the right to it
incident-crash = failures of a part
incident-leak = leaks that were stopped
incident-budget = used up
incident-usage = unusual use
stage-open = open
stage-acknowledged = acknowledged
stage-closed = closed
alert-lapsed = ☑️ Not again for 10 minutes: { $text }
alert-over = ✅ Over: { $text }
alert-in-hand = 🙋 In hand: { $text }
alert-what-to-do = What to do: { $place }
alert-foot = Not to be told for 2 hours: /silence { $kind } 2h
button-in-hand = 🙋 I take care of it
alert-times = { $text } ({ $count } times)
alert-and-more = { $text } (and { $count } more)
silence-ended = 🔔 You are told of { $kind } again.
silence-begun =
    { $minutes ->
        [one] 🔕 Of { $kind } nobody is told for 1 minute. /silence { $kind } off ends it.
       *[other] 🔕 Of { $kind } nobody is told for { $minutes } minutes. /silence { $kind } off ends it.
    }
alert-taken = ✅ { $kind } is in your hands: nobody else is told of it. /alerts lists what is open.
alerts-more = … and more: `guildhall alerts list`
alerts-none = ✅ Nothing is wrong that I know of.
alert-silenced = 🔕 { $kind } is silenced until { $time }
alert-since =
    { $count ->
        [one] once, since { $time }
       *[other] { $count } times since { $time }
    }
alert-is-in-hand = in hand
alert-not-told = not told yet: { $places }
alert-line = { $kind }: { $headline } ({ $details })
alert-not-open = There is no open alert called { $kind }.
alert-no-poll = Telegram was not reached for { $value }: new messages wait there.
alert-llm-errors = { $value } of the calls to models failed within 5 minutes.
alert-slow-replies = One in twenty replies of the last 10 minutes took longer than { $value }.
alert-restarts = Parts of the hall were restarted { $count } times within 10 minutes.
alert-quarantine = Messages were set aside within the hour: { $count }.
alert-disk-full = Only { $value } of the disk is free.
alert-backup-old = The last good backup is { $value } old.
alert-guard-blocks = The guard stopped { $count } texts within the hour: more than 5 times the usual.
alert-cost = Answers of the last hour cost { $value }: more than 5 times the usual.
alert-poll = Messages cannot be fetched from Telegram: { $why }.
alert-store = Messages cannot be stored, so none are taken in: { $why }.
alert-set-aside = A message was set aside after it failed repeatedly (ref { $reference }).
alert-session = A conversation failed too often and rests for a while: { $why }.
alert-backup-overdue = No good backup for { $value }.
alert-backup-failed = A backup failed: { $why }
alert-budget-over = { $who } has used up what it may this { $span }. Questions are refused.
alert-budget-near = { $who } has used { $value } of what it may this { $span }.
alert-bot = A bot cannot be connected, the others go on: { $why }.
alert-tool-servers = Tool servers that are away, end again and again or have changed: { $count }. `/status` says which.
alert-log = { $count } lines of the log were lost: the disk is full or too slow, or nobody reads the standard output.
alert-trial = This is a test of the way that alerts take. Nothing is wrong.
part-hall = The hall
part-agent = The agent { $agent }
part-day = day
part-month = month
span-seconds = { $count } s
span-minutes = { $count } min
span-hours = { $count } h
run-about = Playbook { $playbook } acts on incident { $incident }: { $rest }
run-about-asks = Playbook { $playbook } asks whether it may act on incident { $incident }: { $rest }
run-about-stopped = Playbook { $playbook } was stopped on incident { $incident }: { $rest }
run-in-short = Playbook { $playbook }, on incident { $incident }: /playbooks says more.
run-what = { $signs } by { $who }. { $steps }.
run-the-hall = the hall
run-with = { $who } with { $agent }
run-signs =
    { $count ->
        [one] 1 sign
       *[other] { $count } signs
    }
step-block = block them
step-pause = pause { $agent }
step-pause-agent = pause the agent
step-slow =
    { $count ->
        [one] take 1 message a minute
       *[other] take { $count } messages a minute
    }
step-tighten = leave them { $count } tokens a day
step-gather = gather what they asked
step-list = list what they touched
step-rule = propose a rule
step-compare = compare with what is usual
step-left-out = { $what }: not done, { $why }
step-over = { $what }: over
step-done = { $what }: done
step-done-kept = { $what }: done, until somebody undoes it
step-done-until = { $what }: done, until { $time }
spared-officers = officers are spared
spared-so-already = it was so already
spared-gone = it is not there any more
spared-nothing = there was nothing to make it of
spared-refused = it could not be done
found-questions = { $count } questions, by reference
found-touched = { $questions } questions to { $agents } in { $chats } conversations, { $facts } facts remembered
found-too-little = the refused questions have too little in common
found-rule = rule { $rule } of { $count } refused questions, in test
found-used = { $used } tokens this hour, usual { $usual }
playbooks-head = Playbooks:
playbooks-none = none
playbooks-done = What they did that is not over:
playbooks-nothing = nothing
playbooks-more = … and more: `guildhall playbooks list`
playbook-acts = { $playbook } (acts): { $about }
playbook-asks = { $playbook } (asks): { $about }
button-run-yes = ▶️ Do it
button-run-no = ✋ Do not
button-run-undo = ↩️ Undo
button-run-keep = 📌 Keep
button-run-close = ✅ Close incident
refusal-question = 🛡 The guard stopped a question to { $agent } (ref { $reference }).
refusal-answer = 🛡 The guard stopped an answer of { $agent } (ref { $reference }).
refusal-newest = It is the newest of { $count } since I last told you.
button-show-text = 👁 Show the text
button-false-alarm = ✅ False alarm
step-wants = { $agent } wants to use:
step-asks = { $agent } asks { $asked }: { $what }
step-uses = { $agent } uses { $tool }: { $what }
step-failed = It failed: { $what }
step-gave = It gave back: { $what }
step-gave-much =
    { $count ->
        [one] it gave back 1 character
       *[other] it gave back { $count } characters
    }
step-held-back = held back
step-judged = The guard says: { $verdict }
step-may-it = The person is asked whether it may be used, for: { $what }
step-allowed = It may be used, once.
step-denied = It may not be used.
step-hands-over = { $from } hands over to { $to }: { $note }
steps-more = … and more, see /export
not-tried = ⚠️ Nothing was tried: { $why }
tried-rules =
    { $count ->
        [one] 1 rule
       *[other] { $count } rules
    }
tried-days =
    { $days ->
        [one] the last day
       *[other] the last { $days } days
    }
tried-head = { $rules }, over { $past }: of { $texts } texts that passed, { $stopped } would have been stopped.
tried-questions = questions to { $agent }
tried-answers = answers of { $agent }
tried-counts = { $stopped } of { $texts } ({ $refused } refused, { $redacted } redacted, { $flagged } flagged)
tried-turns = Turns (ref): { $references }
tried-false-alarms = ⚠️ It would stop what was marked as a false alarm (ref): { $references }
tried-incomplete = There was more than one look takes in; ask for fewer days.
tried-unreadable =
    { $count ->
        [one] 1 entry of the ledger could not be read.
       *[other] { $count } entries of the ledger could not be read.
    }
status-restarts =
    { $count ->
        [one] 1 restart
       *[other] { $count } restarts
    }
status-waiting = { $count } waiting
status-ago = { $span } ago
status-fault = last fault: { $fault }
status-model-good = Model { $model }: 🟢 in use
status-model-failing = Model { $model }: 🔴 failing, left alone for a moment
status-model-tried = Model { $model }: 🟡 being tried again
status-server-used = calls: { $calls }, failed: { $failures }
status-server-good =
    Tool server { $server }: 🟢 { $tools ->
        [one] 1 tool
       *[other] { $tools } tools
    } · { $used }
status-server-poor = Tool server { $server }: 🟡 { $problem } · { $used }
status-server-away = Tool server { $server }: 🔴 { $problem } · { $used }
status-server-ended = ended so far: { $count }, last: { $why }
status-ledger = Ledger: { $waiting } waiting, { $aside } set aside, { $size } on disk, last write took { $took } ms
status-backup = Backup: { $span } ago
status-backup-none = Backup: none yet
status-backup-off = Backup: switched off
status-conversations = Conversations in memory: { $count }
status-version = Guildhall { $version }, up { $span }
report-caption = This hall against { $standard }.
export-for-programs = Everything that is kept about you, for programs.
export-to-read = The same, to read.
why-not-delivered = it cannot be delivered
why-restarted = a part was restarted; please try again
why-backups-off = backups are switched off (`backup.every`)
why-takes-long = it takes long; /backup list shows when it is there

## Tools and other agents

may-i-does = ✋ { $agent } would like to { $does } ({ $tool }).
may-i-does-so = ✋ { $agent } would like to do this: “{ $does }” ({ $tool }).
may-i-title = ✋ { $agent } would like to use “{ $title }” ({ $tool }).
may-i-tool = ✋ { $agent } would like to use { $tool }.
may-i-about = It says of itself: { $about }
may-i-hand = ✋ { $agent } would like to hand this conversation over to { $to }. From then on { $to } answers you, and you can take it back at any time. This is what { $to } would be told:
may-i-fetch = ✋ { $agent } would like to read this page of the web. Whoever runs it will see the address:
may-i-again = ⚠️ I was restarted while this was being done. It may have happened, or not: look there first, if you can. Shall it be done (again)?
may-i-changes = This may change something outside this chat.
may-i-reads = This only looks something up.
may-i-strangers = ⚠️ Words of others have come into this question. Allow it only if it is just what you want.
may-i-cut =
    { $left ->
        [one] { $text }… ({ $left } character more, all of it is in the file above)
       *[other] { $text }… ({ $left } characters more, all of it is in the file above)
    }
may-i-file = 📄 You are asked about something long: here is all of it.
may-i-yes = yes
may-i-no = no
may-i-empty = (empty)
tool-no-details = (without any details)
tool-allow =
    { $minutes ->
        [one] Only you can allow it, once, within { $minutes } minute.
       *[other] Only you can allow it, once, within { $minutes } minutes.
    }
button-allow = ✅ Allow once
button-deny = ✖️ No
tool-settled = That is settled already. Ask again if you still want it.
tool-of-another = Only the person who was asked can decide that.
tool-too-late = That was too long ago, so nothing was done. Ask again if you still want it.
handed-over = 🔁 { $to } takes over from { $from }. Take it back: /agent { $from }
button-back-to = ↩️ Back to { $agent }
agent-asked = 🗣 { $from } asked { $to }: { $what }
agent-held-back = (held back)
agent-no-answer = (no answer)
more-in-trace = … and more, see /trace
panel-answer-held-back = { $agent }: the answer was held back.
nobody-to-ask = Nobody is here whom I could ask. /agents shows who there is.

## Reminders and set times

times-how = The time is such as “every weekday 8:00”, “every 2 hours”, “tomorrow 9:00”, or the five fields of a cron rule, such as 0 8 * * 1-5.
remind-how =
    Tell me when, and then of what. For example:
    /remind in 20 minutes take the bread out
    /remind tomorrow 9:00 call Ada
    /remind 2026-12-01 18:00 buy the gifts
    /remind every monday 8:00 plan the week

    /reminders shows what is set. /remind zone Europe/Berlin sets your time zone.
remind-nobody = I can remind only a person. Please write as yourself.
reminder-of-another = That is a reminder of somebody else. /reminders shows yours.
timetable-away = That could not be done just now, and nothing was changed. Please try it again.
timetable-not-noted = Nothing is shown or changed: { $why }.
timetable-deleted = 🗑 Deleted. It will not come.
timetable-gone = That is not there any more.
zone-set = Times you tell me are those of { $zone }. /remind zone Europe/Berlin sets another; what is set already stays as it is.
zone-unknown = There is no such time zone. It is a name such as Europe/Berlin or America/Lima.
time-past = That time is over. Please tell me one to come.
time-too-far = That is more than five years away.
time-too-often =
    { $count ->
       *[other] That comes too often. There must be at least { $count } seconds between two times.
    }
timetable-full =
    { $most ->
       *[other] There are { $most } already, and no more are kept. Delete one first: /reminders shows yours.
    }
reminder-too-long =
    { $most ->
       *[other] That is too long: at most { $most } characters are kept.
    }
reminder-set = ⏰ I will remind you on { $when }: { $text }
schedule-set = ⏰ { $agent } will be asked on { $when }.
comes-again = That is the first time; it comes again.
reminders-foot = /reminders shows and deletes what is set.
schedules-foot = /schedules shows and deletes what is set.
reminders-none = Nothing is set here. /remind in 20 minutes take the bread out sets something.
schedules-none = No agent is asked anything at set times. /schedule sage every weekday 8:00 here Good morning! sets something.
reminders-head = ⏰ What I will remind you of:
schedules-head = ⏰ What agents are asked at set times:
asked-in = { $agent } in { $chat }:
button-delete = 🗑 Delete { $number }
reminder-late = ⏰ This was due on { $when }, while I was away: { $text }
prompt-missed = ⏰ { $agent } was to be asked on { $when }, while I was away. That was left out; it goes on with the next time.
when-and-after =
    { $count ->
        [one] { $when } and once after that
       *[other] { $when } and { $count } times after that
    }
moment = { $weekday } { $date } { $month_name } { $year }, { $time } ({ $zone })
weekday =
    { $day ->
        [1] Mon
        [2] Tue
        [3] Wed
        [4] Thu
        [5] Fri
        [6] Sat
       *[7] Sun
    }
month =
    { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }
schedule-agent = The first word is the name of an agent.
schedule-chat = After the time stands “here”, or the id of a chat.
schedule-prompt = At the end stands what the agent is asked.

## Pictures, recordings and files

cannot-use = I cannot use that. { $works } Nothing was fetched or kept of it.
works-text-alone = I can only read text: please write what you would like to know.
works-one = What works: text, and { $one }.
works-many = What works: text, { $others }, and { $last }.
works-voice = voice messages or recordings of up to { $span }
works-pictures = pictures of up to { $size }
works-files = files of plain text (TXT, Markdown, CSV) of up to { $size }
works-documents = documents (PDF, Word, Excel, PowerPoint, OpenDocument) of up to { $size }
up-to-seconds =
    { $count ->
       *[other] { $count } seconds
    }
up-to-minutes =
    { $minutes ->
       *[other] { $minutes } minutes
    }
cannot-see = { $agent } cannot look at pictures: none of the models that it may ask can see. Please describe it in words, or ask another agent (/agents).
picture-alone = What is to be seen in this picture?
file-alone = What does this file say, in short?
recording-too-long = That recording is too long for me: up to { $span }, please. Nothing of it was fetched.
file-too-large = That file is too large for me: up to { $size }, please. It was not kept.
file-unreadable = I could not make anything of that file: it is damaged, or of a form that I do not know. It was not kept. Please send it in another form, or write.
file-locked = That document is locked with a password. Please send it without one. It was not kept.
file-too-much = That document unfolds to more than I may read, or takes too long. It was not kept. Please send a part of it, or its text.
file-wordless = I found no words in that document: its pages may be pictures. It was not kept. Please send it as text, or write.
paper-kept = 📎 I keep the text of “{ $name }”, so that you can ask about it later. /files shows what I keep, and deletes it.
paper-kept-in-part = 📎 I keep the beginning of the text of “{ $name }”, so that you can ask about it later: there is more in it than I keep. /files shows what I keep, and deletes it.
papers-full = 📎 I have read this file and not kept it: at most { $count } files of yours with { $size } of text have room here. /files shows them, and deletes what you no longer need.
papers-none = I keep none of your files in this chat. Send me a PDF, an office document or a text file, and I keep what it says, so that you can ask about it later.
papers-head = Your files in this chat, the newest first. I keep what they say, encrypted, and search it when you ask:
paper-in-part = the beginning
paper-deleted = 🗑 “{ $name }” is deleted: nobody finds anything in it any more.
paper-gone = That file is not kept any more.
papers-of-another = Those are somebody else's files. /files shows yours.
papers-of-nobody = Files belong to a person, and I cannot see who writes here. Please write as yourself.
papers-away = I cannot look at your files just now. Nothing is lost: please try again in a while.
privacy-papers = ; what the files that you send say is kept encrypted, so that agents can search it for you alone (/files shows and deletes it)
nothing-heard = I listened, and heard no words. Please record it again, or write.
not-taken-in = Sorry, I could not take in what you sent just now. Please send it again in a while, or write. (ref { $reference })
privacy-hears = ; what you record goes to { $who } before, which turns it into text
privacy-speaks = ; { $who } speaks the answer to it
heard = 🎙 I heard: { $text }

## Edited questions, long answers, bots of one agent

supersedes = ✏️ You edited your question. This answer takes the place of the one before.
edited-piece = ✏️ I see that you edited a part of your question. Please send me the whole question once more, and I will answer it.
long-answer = 📄 The answer is long: here is all of it.
bot-description =
    AI agents that answer here, each with a task of its own.

    Press Start, and just write: you can send several messages in a row, edit what you asked, and stop an answer. /agents shows who is here, /privacy what is kept of what you write, and /forget erases it.
bot-short-description = AI agents that answer here. What you write is stored encrypted; /forget erases it.
bot-of-alone = This bot is { $agent }'s own: nobody else answers here. Just write.
bots-cut-hops = Bots have been answering each other here for a while, so I do not answer other bots any more until a person writes to me.
bots-cut-pace = Bots write very much here, so I do not answer other bots any more until a person writes to me.
chosen-of-another = That button was shown to somebody else. /agents and /start show you your own.
own-bot-make =
    { $agent } shall have a bot of its own. Please open { $link } and confirm it in Telegram: the bot will be yours, and I will connect it as soon as Telegram tells me.
own-bot-cannot =
    { $bot } may not have bots made: switch on bot management for it in @BotFather, or the Bot API server is older than 9.6. Nothing was changed. You can make a bot with @BotFather yourself and name it in the configuration.
own-bot-of-nobody = { $bot } is there, but no agent waits for a bot. /spawn <name> as bot says for whom it shall be.
own-bot-no-token = Telegram does not give me the token of { $bot } right now, so it is not connected. Please make a new token for it in @BotFather: I am told then, and try again.
own-bot-given = { $agent } has a bot of its own now: { $link }. Its token is kept sealed, and I am connecting it.
done-retired-with-bot = { $agent } has left, and { $bot } is not connected any more. The bot itself stays yours: @BotFather deletes it.
invite-made =
    Whoever opens this link first may talk here:
    { $link }
    
    It is open until { $time } (UTC), for one person. It is number { $number }; /invites lists those that are open.
invite-hours = For how many hours? A whole number up to { $most }.
invites-none = No link is open. /invite makes one.
invites-head = These links are open, each for one person:
invite-line = Number { $number }, until { $time } (UTC)
invite-withdrawn = Link number { $number } lets nobody in any more.
button-withdraw = Withdraw { $number }
invite-welcome = You were invited and may talk here now. /start begins.
invite-used = This link was used already: each lets one person in.
invite-over = This link is not open any more.
invite-unknown = I do not know this link.
invite-ask-anew = Please ask whoever sent it to you for a new one. Your number is { $person }.
not-invite-gone = That link is used or withdrawn already. /invites shows those that are open.
not-too-many-invites = { $most } links are open already: that is the most. /invites withdraws one.
not-has-bot = { $agent } has a bot of its own already.
not-too-many-bots = { $most } agents have bots of their own already: that is the most. /retire one first.
bot-of = This bot is { $agent }'s own
bot-rests = It is resting.
bot-awake = Just write.

## For officers: incidents, what was set aside, backups, reports

incident-head = Incident { $incident }: { $kind }, { $severity }
incident-weight =
    { $count ->
       *[other] { $count } times, weight { $weight }
    }
incident-span = From { $since } to { $last }
incident-stage = It is { $stage }.
incident-noted = What was noted of it, newest first:
incident-export = { $command } writes all of it, signed.
button-acknowledge = Acknowledge
button-close = Close
incident-not-at-hand = There is no incident { $incident } at hand. /incidents lists those that are open.
incident-number = The number is one that /incidents shows.
nothing-done-because = Nothing was done, because { $why }.
failed-because = { $what }: { $why }.
backups-not-shown = The backups cannot be looked at
aside-not-shown = What was set aside cannot be looked at
nothing-was-done = Nothing was done
backup-not-made = No backup was made
report-not-made = There is no report
aside-none = Nothing is set aside.
aside-head = What was set aside, newest first:
aside-foot = /quarantine retry <ref> puts one back for one more turn, /quarantine drop <ref> takes it off this list.
some-time-ago = some time ago
chat-unknown = a chat that is not known
chat-of = the chat of { $person }
chat-group = group { $group }
aside-unread = it could not be read
aside-failed = it failed too often
aside-put-back = { $why }, put back, and waits for its turn
and-more =
    { $count ->
       *[other] … and { $count } more
    }
not-no-such-aside = Nothing with the ref { $reference } is set aside. /quarantine lists what is.
aside-unreadable = this version of me cannot read it
aside-not-kept = what was received is not kept any more
aside-stays = { $reference } cannot be put back: { $why }. /quarantine drop { $reference } ends it.
aside-retried = { $reference } is put back, and has one more turn.
aside-had-its-turn = { $reference } was put back already: it had its turn.
aside-dropped = { $reference } is off the list.
aside-verbs = The first word is retry or drop.
aside-reference = The ref has eight digits, as /quarantine shows it.
backup-nothing-new = Nothing was written since the backup { $name }.
backup-made = ✅ Backup { $name } is made and was read back: { $size } in { $took } ms; { $removed } older ones were removed. No key is in it: keep copies of the key and the keyring elsewhere.
backup-line = { $name } · { $time } ({ $hours } h ago) · { $size }
backup-words = Say nothing after it, or list.
backups-none = There is no backup yet. /backup makes one.
backups-head = Backups, newest first:
backups-foot = `guildhall backup drill` tries one.
report-sent = That is this hall against { $standard }, control by control, with what is missing.
report-standards = The standard is one of { $standards }.
trace-heard-by = Heard by: { $model }
trace-tools = Tools and other agents:

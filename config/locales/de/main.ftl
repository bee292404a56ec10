# Alle festen Texte auf Deutsch. Befehle (/help), Namen in Klammern und Wörter in `Zeichen` bleiben, wie sie sind.

## Anfang

hello = Hallo { $name }!
hello-nameless = Hallo!
greeting-host =
    Du sprichst mit { $agent }, einem KI-Assistenten.{ $about }
    Schreib einfach los, wie an einen Menschen. /agents zeigt, wer sonst noch da ist.
greeting-can = ✅ Was ich kann: mit dir erklären, schreiben und planen, und dich an etwas erinnern (/remind).
greeting-cannot = ⚠️ Was ich nicht kann: immer recht haben. Prüfe bitte nach, was wichtig ist, etwa bei Gesundheit, Geld oder Recht.
greeting-remembers = 🧠 Was ich mir merke: unser Gespräch und was ich mir merken soll. /memory zeigt es, /new fängt neu an, /forget löscht alles.
greeting-try = Probier eines davon:
example-explain = 💡 Etwas erklären
    .prompt = Erkläre in drei Sätzen, warum der Himmel blau ist.
example-write = ✍️ Etwas schreiben
    .prompt = Schreibe einer Kollegin ein freundliches Dankeschön in zwei Zeilen.
example-plan = 🧭 Etwas planen
    .prompt = Gib mir einen kurzen Plan für einen ruhigen und nützlichen Vormittag.
nobody-here = Hier ist noch kein Agent. Ein Admin kann mit /spawn einen holen.

## Datenschutz

agree-button = ✅ Einverstanden
accept-first-kept = Bevor ich antworte, brauche ich dein Einverständnis. Deine Frage ist aufgehoben: Drück auf den Knopf, dann wird sie beantwortet.
accept-first-again = Bevor ich antworte, brauche ich dein Einverständnis. Drück auf den Knopf und schick deine Frage noch einmal.
accept-as-yourself = Hier antworte ich nur Menschen, die dem Datenschutzhinweis zugestimmt haben. Bitte schreib unter deinem eigenen Namen.
accepted = Danke. Schreib einfach los, du bekommst eine Antwort.
privacy-notice = 🔒 Was du schreibst, wird verschlüsselt auf diesem Server gespeichert, damit Gespräche einen Neustart überstehen, bis du es mit /forget löschst. Für die Antwort geht es an { $providers }. Mehr dazu: /privacy{ $contact }.
privacy =
    🔒 Deine Daten

    Was gespeichert wird: deine Nachrichten, die Antworten, deine Telegram-ID und mit welchem Agenten du sprichst.
    Wie: verschlüsselt, mit einem Schlüssel, der getrennt von den Daten liegt. In Protokollen stehen weder Texte noch IDs.
    Wer es sieht: Für die Antwort gehen deine Nachricht, das letzte Gespräch, eine Zusammenfassung des Übrigen und was du dir hast merken lassen an { $providers }.
    Wofür: um dir zu antworten. Hier wird damit nie ein Modell trainiert.
    Wie lange: bis du es löschst oder solange, wie der Betreiber dieses Bots{ $contact } es aufbewahrt.
    Mit /new vergisst ein Agent beim Antworten das bisherige Gespräch; /memory zeigt und löscht, was er sich daneben merkt. /export schickt dir alles, was über dich gespeichert ist. /forget löscht es.
provider-local = ein Modell, das auf diesem Server läuft
provider-none = noch kein Modell
either = { $one } oder { $other }
only-in-private = Das bleibt unter uns: Benutze diesen Befehl bitte in unserem privaten Chat.
told-in-private = Ich habe dir in unserem privaten Chat geantwortet.
open-private = Das bleibt unter uns, und ich kann dir noch nicht schreiben. Öffne bitte { $link }, drücke auf Start und frag mich dort.
forget-offer =
    Alles über dich löschen?

    Was verschwindet: deine Nachrichten, die Antworten darauf, was Agenten sich über dich merken, hier und in Gruppen, und alles, was noch auf Antwort wartet. Der Schlüssel zu deinen Daten wird vernichtet, sodass auch Kopien und Sicherungen nicht mehr lesbar sind.
    Was bleibt: ob du diesen Bot benutzen darfst, Protokolle ohne Texte und Namen und was Telegram selbst in diesem Chat aufhebt.

    Das lässt sich nicht rückgängig machen. /export schickt dir vorher eine Kopie. Du bekommst eine signierte Quittung.
forget-button = Alles löschen
forgotten = Alles über dich ist gelöscht. Heb diese Quittung auf, wenn du magst; der Betreiber dieses Bots kann sie mit `guildhall person receipt` prüfen.
exported = Das ist alles, was über dich gespeichert ist: eine Datei für Programme, eine zum Lesen. /forget löscht es.
too-much-to-export = Es ist mehr, als hier in eine Datei passt. Bitte frag den Betreiber dieses Bots: Er kann dieselbe Kopie mit `guildhall person export` erstellen.

## Hilfe und Sprache

help-head = Schreib einfach los, und ein Agent antwortet. Außerdem gibt es:
help-foot = In einer Gruppe erwähne mich, antworte mir oder benutze einen Befehl.
help-more = Der Menüknopf zeigt alle Befehle.
help-talk = 💬 Sprechen
help-remember = 🧠 Merken und erinnern
help-you = 🔒 Du und deine Daten
help-agents = 🤖 Agenten
help-people = 👥 Menschen
help-watch = 🛡 Nach allem sehen
language-ask = Welche Sprache soll ich in diesem Chat sprechen? Agenten antworten in der Sprache, in der du schreibst.
language-auto = Wie in Telegram
language-set = Ab jetzt spreche ich hier Deutsch.
language-automatic = Ab jetzt spreche ich die Sprache deiner Telegram-App, soweit ich sie kann.
language-unknown = Diese Sprache spreche ich noch nicht. /language zeigt, welche ich kann.
language-officers = In einer Gruppe kann nur die Sprache ändern, wer sich um diesen Bot kümmert. In unserem privaten Chat wählst du sie selbst.

## Agenten

agents-head = Wer hier ist:
agent-here = ← mit diesem sprichst du
agent-rests = (ruht gerade)
talk-to = Mit { $agent } sprechen
switched = Du sprichst jetzt mit { $agent }.{ $about }
no-such-agent = Einen Agenten namens „{ $name }“ gibt es hier nicht. /agents zeigt, wer da ist.
agent-paused = { $agent } ruht gerade. /agents zeigt, wer sonst noch da ist.
fresh = Ein neues Gespräch mit { $agent }. Was vorher gesagt wurde, zählt nicht mehr.

## Fragen

stopped = Angehalten. /retry fragt dasselbe noch einmal.
nothing-to-stop = Gerade wird nichts geschrieben.
nothing-to-retry = Es gibt keine frühere Frage, die ich wiederholen könnte. Schreib einfach eine.
unknown-command = Diesen Befehl kenne ich nicht. /help zeigt, was ich verstehe.
usage = So geht es: { $command }
refused-prompt = Darauf möchte ich lieber nicht antworten. Bitte sag es mit anderen Worten.
refused-draft = Die Antwort wurde zurückgehalten, weil sie etwas enthielt, das nicht gezeigt werden darf. Bitte frag anders oder drück /retry. (Ref. { $reference })
apology = Entschuldige, ich habe gerade keine Antwort bekommen. Deine Nachricht ist nicht verloren: /retry fragt noch einmal. (Ref. { $reference })
too-slow = Entschuldige, das hat zu lange gedauert, und ich warte nicht weiter. Deine Nachricht ist nicht verloren: /retry fragt noch einmal. (Ref. { $reference })
busy = Gerade fragen sehr viele gleichzeitig. Deine Nachricht ist nicht verloren: Bitte drück in einer Minute /retry. (Ref. { $reference })
quarantined = Entschuldige, über diese Nachricht stolpere ich immer wieder. Ich habe sie beiseitegelegt und denen Bescheid gesagt, die mich betreiben. Du kannst weiterschreiben. (Ref. { $reference })
one-at-a-time = Eins nach dem anderen, bitte: Ich bin noch mit deinen früheren Nachrichten beschäftigt.
turned-away = Im Moment nehme ich keine neuen Fragen an, weil ich gerade gewartet werde. Bitte frag in ein paar Minuten wieder. Befehle gehen wie immer.
stranger = Dieser Bot ist privat. Wenn du Zugang haben solltest, schick dem Betreiber diese Nummer: { $person }. Nichts von dem, was du geschrieben hast, wurde gespeichert.
slow-down = Das war viel auf einmal. Die letzte Nachricht habe ich nicht angenommen: Bitte warte einen Moment und schick sie noch einmal.
ignored-for =
    { $minutes ->
        [one] Um allen gerecht zu werden, reagiere ich die nächste Minute nicht auf deine Nachrichten.
       *[other] Um allen gerecht zu werden, reagiere ich die nächsten { $minutes } Minuten nicht auf deine Nachrichten.
    }
must-wait =
    { $minutes ->
        [one] Einige deiner letzten Nachrichten sahen nach einem Versuch aus, meine Regeln zu umgehen. Ich mache deshalb eine Pause in unserem Gespräch: etwa 1 Minute. Die Nachricht von eben habe ich nicht behalten; sonst ist nichts verloren. Bitte schreib dann wieder. Falls das ein Irrtum ist: Die Betreiber dieses Bots wissen davon und können die Pause früher beenden.
       *[other] Einige deiner letzten Nachrichten sahen nach einem Versuch aus, meine Regeln zu umgehen. Ich mache deshalb eine Pause in unserem Gespräch: etwa { $minutes } Minuten. Die Nachricht von eben habe ich nicht behalten; sonst ist nichts verloren. Bitte schreib dann wieder. Falls das ein Irrtum ist: Die Betreiber dieses Bots wissen davon und können die Pause früher beenden.
    }
held-back-pace =
    { $count ->
        [one] Du hast viel mehr verbraucht als üblich. Vorerst nehme ich 1 Nachricht pro Minute von dir an. Die letzte habe ich nicht angenommen: Bitte warte einen Moment und schick sie noch einmal.
       *[other] Du hast viel mehr verbraucht als üblich. Vorerst nehme ich { $count } Nachrichten pro Minute von dir an. Die letzte habe ich nicht angenommen: Bitte warte einen Moment und schick sie noch einmal.
    }

## Was gemerkt wird

fact-remembered = 📝 Ich merke mir: „{ $fact }“. /memory zeigt und löscht, was ich mir merke.
facts-noted =
    { $count ->
        [one] 📝 { $agent } hat sich etwas über dich gemerkt. /memory zeigt und löscht es.
       *[other] 📝 { $agent } hat sich { $count } Dinge über dich gemerkt. /memory zeigt und löscht sie.
    }
fact-known = Das weiß ich schon. /memory zeigt alles.
facts-full =
    { $most ->
        [one] Ich merke mir schon 1 Sache, mehr geht nicht. /memory löscht sie.
       *[other] Ich merke mir schon { $most } Dinge, mehr geht nicht. /memory löscht einige davon.
    }
fact-too-long = Das ist zu lang zum Merken: höchstens { $most } Zeichen, bitte.
nobody-to-remember = Merken kann ich mir nur etwas für Menschen, die unter ihrem eigenen Namen schreiben.
memory-none = Über dich habe ich mir hier nichts gemerkt. Schreib „Merk dir, dass …“ oder benutze /remember <Text>.
memory-others =
    { $count ->
        [one] Auch jemand anders hat sich hier etwas merken lassen.
       *[other] Auch andere haben sich hier { $count } Dinge merken lassen.
    }
memory-head = Was ich mir hier merke:
memory-noted-by = notiert von { $agent }
memory-more = … und mehr: Lösch etwas, um den Rest zu sehen.
fact-forgotten = 🗑 Vergessen: „{ $fact }“. Es wird nicht mehr benutzt.
fact-forgotten-unseen = 🗑 Vergessen. Es wird nicht mehr benutzt.
fact-gone = Das ist schon vergessen.
fact-of-another = Das kann nur vergessen lassen, wer es gesagt hat. /memory zeigt deine eigenen Knöpfe.

## Verbrauch und Grenzen

over-cap-person-day = Für heute hast du aufgebraucht, was du fragen kannst. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /usage zeigt den Verbrauch.
over-cap-person-month = Für diesen Monat hast du aufgebraucht, was du fragen kannst. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /usage zeigt den Verbrauch.
over-cap-chat-day = Für heute hat diese Gruppe aufgebraucht, was sie fragen kann. { $resumes } geht es weiter; fragt dann bitte wieder oder drückt /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /usage zeigt den Verbrauch.
over-cap-chat-month = Für diesen Monat hat diese Gruppe aufgebraucht, was sie fragen kann. { $resumes } geht es weiter; fragt dann bitte wieder oder drückt /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /usage zeigt den Verbrauch.
over-cap-agent-day = Dieser Agent hat heute so viel geantwortet, wie er darf. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /agents zeigt, wer sonst noch da ist.
over-cap-agent-month = Dieser Agent hat diesen Monat so viel geantwortet, wie er darf. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt. /agents zeigt, wer sonst noch da ist.
over-cap-hall-day = Ich habe heute so viel geantwortet, wie ich darf. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt.
over-cap-hall-month = Ich habe diesen Monat so viel geantwortet, wie ich darf. { $resumes } geht es weiter; frag dann bitte wieder oder drück /retry. Es ging nichts an ein Modell, und nichts wurde gezählt.
cap-near-person-day = ℹ️ Du hast { $percent } % von dem verbraucht, was heute gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-near-person-month = ℹ️ Du hast { $percent } % von dem verbraucht, was diesen Monat gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-near-chat-day = ℹ️ Diese Gruppe hat { $percent } % von dem verbraucht, was heute gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-near-chat-month = ℹ️ Diese Gruppe hat { $percent } % von dem verbraucht, was diesen Monat gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-near-us-day = ℹ️ Wir haben { $percent } % von dem verbraucht, was heute gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-near-us-month = ℹ️ Wir haben { $percent } % von dem verbraucht, was diesen Monat gefragt werden kann. Neu beginnt es { $resumes }. /usage sagt mehr.
cap-reached-person-day = ℹ️ Jetzt hast du alles verbraucht, was heute gefragt werden kann. Weiter geht es { $resumes }.
cap-reached-person-month = ℹ️ Jetzt hast du alles verbraucht, was diesen Monat gefragt werden kann. Weiter geht es { $resumes }.
cap-reached-chat-day = ℹ️ Jetzt hat diese Gruppe alles verbraucht, was heute gefragt werden kann. Weiter geht es { $resumes }.
cap-reached-chat-month = ℹ️ Jetzt hat diese Gruppe alles verbraucht, was diesen Monat gefragt werden kann. Weiter geht es { $resumes }.
cap-reached-us-day = ℹ️ Jetzt haben wir alles verbraucht, was heute gefragt werden kann. Weiter geht es { $resumes }.
cap-reached-us-month = ℹ️ Jetzt haben wir alles verbraucht, was diesen Monat gefragt werden kann. Weiter geht es { $resumes }.
at-time = um { $time }
on-date = am { $date }
time = { $time } Uhr ({ $zone })
date =
    { $day }. { $month ->
        [1] Januar
        [2] Februar
        [3] März
        [4] April
        [5] Mai
        [6] Juni
        [7] Juli
        [8] August
        [9] September
        [10] Oktober
        [11] November
       *[12] Dezember
    }, { $time } Uhr ({ $zone })
usage-head = Was von Modellen verbraucht wurde:
usage-you = du
usage-today = heute: { $used }
usage-month = diesen Monat: { $used }
usage-by-agent = Diesen Monat, nach Agenten:
usage-ends = Der Tag endet um { $day }, der Monat am { $month }.
usage-more = … und mehr: `guildhall usage` zeigt alles.
used-answers =
    { $count ->
        [one] 1 Antwort
       *[other] { $count } Antworten
    }
used-tokens =
    { $count ->
       *[other] { $count } Token
    }
used-heard =
    { $count ->
        [one] 1 Minute gehört
       *[other] { $count } Minuten gehört
    }
used-spoken =
    { $count ->
       *[other] { $count } Zeichen gesprochen
    }
used-lost =
    { $count ->
       *[other] { $count } weitere Token ohne Antwort
    }
used-tokens-left = { $left } von { $most } Token übrig
used-money-left = { $left } von { $most } übrig
number = { $number }
money = { $amount } { $currency }
used-today = Heute verbraucht: { $used }

## Wie eine Antwort zustande kam

trace-head = 🔎 Wie diese Antwort zustande kam
trace-head-ref = 🔎 Wie diese Antwort zustande kam (Ref. { $reference })
trace-notice = Das ist ein fester Text von mir: Es wurde weder ein Agent noch ein Modell gefragt.
trace-agent = Agent: { $agent }
trace-model = Modell: { $model }
trace-question = Frage: { $words }
trace-answer = Antwort: { $words }
trace-work = Arbeit: { $attempts }, { $calls }
trace-attempts =
    { $count ->
        [one] 1 Versuch
       *[other] { $count } Versuche
    }
trace-calls =
    { $count ->
        [one] 1 Modellaufruf
       *[other] { $count } Modellaufrufe
    }
trace-time = Zeit: { $stages }; { $total } s insgesamt
trace-time-question = { $seconds } s, bis die Frage geprüft war
trace-time-past = { $seconds } s für den Blick in die Vergangenheit
trace-time-model = { $seconds } s für das Modell
trace-time-answer = { $seconds } s, bis die Antwort feststand
trace-messages = Nachrichten: { $sent } von { $all } gesendet, soweit ich weiß keine doppelt.
trace-messages-perhaps-twice = Nachrichten: { $sent } von { $all } gesendet. Ein Neustart kam, während eine unterwegs war: Sie kam vielleicht doppelt an.
trace-model-used = { $model }, { $read } Token gelesen, { $written } geschrieben
trace-model-cost = { $model }, { $read } Token gelesen, { $written } geschrieben, Kosten { $cost }
trace-model-none-asked = keines wurde gefragt
trace-model-none-answered = keines hat geantwortet
trace-question-refused = geprüft und nicht weitergegeben
trace-question-redacted = geprüft; vor dem Modell verborgen: { $what }
trace-question-redacted-parts = Teile davon
trace-question-passed = geprüft und weitergegeben
trace-answer-refused = geprüft und zurückgehalten
trace-answer-redacted = geprüft; Teile davon wurden verborgen
trace-answer-shown = geprüft und gezeigt
trace-score = Wert { $score }, { $likely }
trace-rules = Regeln { $names }
trace-shadow = auf Probe { $names }
likely-none = kein Anzeichen eines Angriffs
likely-little = ähnelt einem Angriff kaum
likely-somewhat = ähnelt einem Angriff etwas
likely-much = ähnelt einem Angriff sehr
likely-surely = fast sicher ein Angriff
nothing-to-trace = Dort weiß ich von keiner Antwort an dich. Antworte mit /trace auf eine meiner Antworten, dann sage ich, wie sie zustande kam.
cannot-trace = ⚠️ Das kann ich gerade nicht nachsehen. Bitte versuch es gleich noch einmal.

## Ob alles in Ordnung ist

status-well = ✅ Alles ist in Ordnung.
status-one-ill = ⚠️ Ein Teil von mir geht gerade nicht. Deine Nachrichten werden aufgehoben und später beantwortet.
status-many-ill = ⚠️ Einige Teile von mir gehen gerade nicht. Deine Nachrichten werden aufgehoben und später beantwortet.

## Befehle

cmd-start = hier anfangen
cmd-agents = sehen, wer da ist, und auswählen
cmd-agent = mit einem anderen Agenten sprechen
    .usage = <Name>
cmd-ask = einen Agenten einmal fragen, ohne zu wechseln
    .usage = <Name> <Text>
cmd-new = ein neues Gespräch beginnen
cmd-cancel = die Antwort anhalten, die gerade entsteht
cmd-retry = die letzte Frage noch einmal stellen
cmd-trace = als Antwort auf eine Antwort: wie sie zustande kam
cmd-remember = etwas über dich merken
    .usage = <Text>
cmd-memory = sehen, was gemerkt ist, und es löschen
cmd-files = sehen, welche Dateien ich von dir aufhebe, und sie löschen
cmd-usage = sehen, was du verbraucht hast und was übrig ist
cmd-status = sehen, ob alles in Ordnung ist
cmd-language = meine Sprache wählen
    .usage = [<Sprache>]
cmd-privacy = was gespeichert wird und wofür
cmd-export = alles bekommen, was über dich gespeichert ist
cmd-forget = alles über dich löschen lassen
cmd-help = diese Liste zeigen
cmd-spawn = einen Agenten holen
    .usage = <Name> <Anweisungen>
cmd-edit = einem Agenten andere Anweisungen geben
    .usage = <Name> <Anweisungen>
cmd-model = einen Agenten ein anderes Modell benutzen lassen
    .usage = <Name> <Modell>
cmd-pause = einen Agenten ruhen lassen
    .usage = <Name>
cmd-resume = einen Agenten wecken
    .usage = <Name>
cmd-retire = einen Agenten gehen lassen
    .usage = <Name>
cmd-invite = einen Link machen, der eine Person einlässt
    .usage = [<Stunden>]
cmd-invites = die offenen Links sehen und zurückziehen
cmd-allow = eine Person oder Gruppe zulassen
    .usage = <ID>
cmd-deny = eine Person oder Gruppe von der Liste nehmen
    .usage = <ID>
cmd-block = eine Person oder Gruppe nicht beachten
    .usage = <ID> [Minuten]
cmd-unblock = eine Sperre beenden
    .usage = <ID>
cmd-quota = sehen und festlegen, wie viel von Modellen benutzt werden darf
    .usage = [<ID> | <Agent> | hall] [<Menge> | none | usual] [tokens | money] [day | month]
cmd-rule = die Regeln des Wächters sehen und ändern
    .usage = add <Name> <Aktion> <Muster> | test <Name> [Tage] | shadow <Name> | enforce <Name> | remove <Name> | alarms | unmark <Ref>
cmd-remind = dich erinnern lassen, einmal oder immer wieder
    .usage = <wann> <was>
cmd-reminders = sehen, woran du erinnert wirst
cmd-schedule = einen Agenten zu festen Zeiten etwas fragen
    .usage = <Name> <wann> here|<Chat> <Text>
cmd-schedules = sehen, was Agenten zu festen Zeiten gefragt werden
cmd-panel = mehrere Agenten zugleich fragen und sehen, worin sie sich unterscheiden
    .usage = <Frage>
cmd-incident = einen Vorfall sehen, mit allem, was dazu notiert ist
    .usage = <Nummer>
cmd-quarantine = sehen, was beiseitegelegt wurde, und es zurückgeben
    .usage = [retry <Ref> | drop <Ref>]
cmd-backup = jetzt eine Sicherung machen
    .usage = [list]
cmd-report = die Halle an einem Standard messen
    .usage = <Standard>
cmd-alerts = sehen, was nicht stimmt und wer davon weiß
cmd-silence = von einer Art Warnung eine Zeit lang nichts hören
    .usage = <Art> <Zeit>
cmd-playbooks = sehen, was die Halle von selbst getan hat, und es zurücknehmen
    .usage = [undo <Nummer> | keep <Nummer> | yes <Nummer> | no <Nummer> | close <Nummer>]
cmd-incidents = was angesehen werden sollte
    .usage = [ack <Nummer> | close <Nummer>]
cmd-audit = was Verantwortliche getan haben, das Neueste zuerst
    .usage = [Nummer]
cmd-role = Rollen sehen, geben und nehmen
    .usage = give <ID> <Rolle> | take <ID>

## Für Verantwortliche: was getan wurde und warum nicht

agent-name-rule = Der Name eines Agenten hat 2 bis 32 Zeichen: Kleinbuchstaben, Ziffern und Unterstriche, und beginnt mit einem Buchstaben.
id-is-number = Die ID ist eine Zahl.
id-is-number-of-whom = Die ID ist eine Zahl. Wer diesem Bot schreibt, sieht die eigene.
instructions-missing = Die Anweisungen fehlen.
words-missing = Die Wörter nach dem Namen fehlen.
minutes-range = Die Minuten sind eine Zahl von 1 bis 525600.
incident-verbs = Das erste Wort ist ack oder close, das zweite eine Nummer.
playbook-verbs = Das erste Wort ist undo, keep, yes, no oder close, das zweite eine Nummer.
role-verbs = Das erste Wort ist give oder take.
role-words = Die Rolle ist auditor, operator, admin oder owner.
silence-kind = Die Art ist eine von denen, die /alerts auflistet, oder all.
silence-time = Die Zeit ist etwa 30m, 2h oder 1d, höchstens 30d; off beendet die Stille.
quota-whom = Für wen es gilt, ist eine ID, der Name eines Agenten oder `hall`.
quota-words = Nach der Menge kommt `tokens` oder `money` und `day` oder `month`.
quota-amount = Die Menge ist eine Zahl, `none` für keine Grenze oder `usual`.
rule-verbs = Das erste Wort ist add, test, shadow, enforce, remove, alarms oder unmark.
rule-action = Die Aktion ist flag, redact oder refuse.
rule-pattern = Das Muster fehlt: ein regulärer Ausdruck.
rule-days = Die Tage sind eine Zahl von 1 bis { $most }.
rule-reference = Die Referenz sind acht Hexadezimalziffern; /rule alarms listet sie auf.
rule-too-many-words = Das sind zu viele Wörter: Nur der Name der Regel wird gebraucht.
rule-name = Der Name einer Regel ist 1 bis 64 Zeichen aus a-z, 0-9 und _.
rule-noted = { $rule } ist notiert und gilt noch nicht. /rule test { $rule } sagt, was sie aufgehalten hätte, /rule shadow { $rule } lässt sie zusehen, ohne einzugreifen.
rule-enforced = { $rule } gilt ab der nächsten Nachricht.
rule-shadowed = { $rule } läuft auf Probe: Sie urteilt und zählt und hält nichts auf.
rule-switched-off = { $rule } gilt nicht mehr.
rule-removed = { $rule } ist weg.
rule-unmarked = { $reference } ist nicht mehr markiert.
marked-question = Als Fehlalarm markiert. Genau diese Frage kommt ab jetzt durch. /rule alarms listet die Markierungen auf, und neue Regeln werden daran geprüft.
marked-answer = Als Fehlalarm markiert. Solche Antworten werden trotzdem zurückgehalten. /rule alarms listet die Markierungen auf, und neue Regeln werden daran geprüft.
held-back-gone = ⚠️ Diesen Text gibt es nicht mehr.
done-spawned = { $agent } ist da. Mit /agent { $agent } sprichst du mit ihm.
done-edited = { $agent } hat neue Anweisungen, ab der nächsten Nachricht.
done-model-set = { $agent } fragt jetzt zuerst { $model }.
done-paused = { $agent } ruht. /resume { $agent } weckt ihn.
done-resumed = { $agent } ist wach.
done-retired = { $agent } ist gegangen. Seine Gespräche bleiben gespeichert.
done-allowed = { $id } darf jetzt schreiben.
done-denied = { $id } ist von der Liste.
done-blocked = { $id } ist gesperrt.
done-blocked-for =
    { $minutes ->
        [one] { $id } ist für 1 Minute gesperrt.
       *[other] { $id } ist für { $minutes } Minuten gesperrt.
    }
done-unblocked = { $id } ist nicht mehr gesperrt.
done-role-given = { $person } ist jetzt { $role }.
done-role-taken = { $person } hat keine Rolle mehr.
run-acts = Lauf { $run } handelt jetzt. /playbooks zeigt, was er tut.
run-does-nothing = Lauf { $run } tut nichts.
run-undone = Was Lauf { $run } getan hat, ist zurückgenommen.
run-kept = Was Lauf { $run } getan hat, bleibt, bis es jemand zurücknimmt: /playbooks.
run-closed = Der Vorfall von Lauf { $run } ist geschlossen.
run-needs = ⚠️ Was dieses Playbook getan hat, kann nur ändern: { $role } oder darüber.
run-over = Dieser Lauf ist vorbei und nicht mehr zur Hand. /playbooks zeigt, was gilt.
roles-head = Wer eine Rolle hat:
role-by-configuration = { $role }, laut Konfiguration
roles-foot = /role give <id> <role> gibt eine, /role take <id> nimmt sie.
no-incident = Kein Vorfall ist offen.
incident-closed = Vorfall { $incident } ist geschlossen.
incident-acknowledged = Vorfall { $incident } ist zur Kenntnis genommen.
no-such-incident = Einen offenen Vorfall { $incident } gibt es nicht. /incidents listet auf, welche es gibt.
nothing-changed = Nichts wurde geändert: { $why }.
not-shown = Nichts wird gezeigt: { $why }.
audit-busy = zu viel wartet darauf, ins Prüfprotokoll geschrieben zu werden
audit-unavailable = das Prüfprotokoll nimmt keine Einträge an
sentence = { $text }.
no-older-records = Ältere Einträge sind nicht zur Hand. `guildhall audit list` zeigt alle.
not-agent-taken = Es gibt schon einen Agenten namens { $agent }. /edit ändert seine Anweisungen.
not-no-such-agent = Es gibt keinen Agenten namens { $agent }. /agents zeigt, wer da ist.
not-no-such-model = Es gibt kein Modell namens { $model }. Bekannte Modelle: { $known }.
not-too-many-agents = Es gibt schon { $most } Agenten, mehr geht nicht. Lass mit /retire erst einen gehen.
not-bad-instructions = Anweisungen müssen 1 bis { $most } Zeichen haben.
not-is-admin = Das ist ein Admin. Admins stehen in der Konfiguration und können hier nicht entfernt oder gesperrt werden.
not-allowed = Das darfst du nicht mehr.
not-role-is-fixed = Diese Rolle steht in der Konfiguration und kann hier nicht geändert werden.
not-no-role = Diese Person hat keine Rolle. /role listet auf, wer eine hat.
not-no-person = Nur Personen können eine Rolle haben: Ihre ID ist eine positive Zahl.
not-too-many-roles = Schon { $most } Personen haben eine Rolle, mehr geht nicht. /role take nimmt eine.
not-rule-taken = Es gibt schon eine Regel namens { $rule }. /rule remove { $rule } nimmt sie weg.
not-no-such-rule = Kein Admin hat eine Regel namens { $rule } gegeben. /rule listet auf, welche es gibt.
not-too-many-rules = Es gibt schon { $most } Regeln, mehr geht nicht. Nimm mit /rule remove erst eine weg.
not-bad-rule = Diese Regel ist nicht brauchbar, also wurde nichts geändert: { $why }
not-alarm-known = { $reference } ist schon als Fehlalarm markiert.
not-no-such-alarm = { $reference } ist nicht markiert. /rule alarms listet die Markierungen auf.
not-too-many-alarms = Es gibt schon { $most } Markierungen, mehr geht nicht. /rule unmark nimmt eine weg.
not-too-many-quotas = Schon für { $most } ist etwas festgelegt, mehr geht nicht. Setz erst eines mit `usual` zurück.
not-settled = Das ist schon erledigt: /playbooks zeigt, was gilt.
not-officers-spared = Das betrifft Verantwortliche, und die werden verschont.
not-so-already = Das ist schon so.
not-nothing-held-back = Diesen Text gibt es nicht mehr, also wurde nichts markiert.
not-stored = Die Änderung konnte nicht gespeichert werden, also wurde nichts geändert. Bitte versuch es noch einmal.

## Die Übersicht

panel-refresh = 🔄 Aktualisieren
panel-mute = 🔕 1 Stunde still
panel-unmute = 🔔 Wieder melden
panel-agents = ⏸ Agent ruhen lassen
panel-actors = ♻️ Teil neu starten
panel-drain = 🚪 Keine neuen Fragen
panel-fill = 🚪 Fragen wieder annehmen
panel-yes = ⚠️ Ja, tu es
panel-back = ↩️ Zurück
state-muted = 🔕 Bis { $time } UTC erfährt niemand von Warnungen
state-drained = 🚪 Neue Fragen werden abgewiesen.
state-as-of = Stand { $time } UTC
ask-pause = Soll { $agent } ruhen? Wer mit ihm spricht, erfährt es, bis ihn jemand weckt.
ask-restart = Soll { $part } neu gestartet werden? Was darauf wartet, bleibt; woran es arbeitet, beginnt von vorn, und manche warten einen Moment länger.
ask-drain = Sollen neue Fragen abgewiesen werden, mit der Bitte, später wieder zu fragen? Was in Arbeit ist, wird beantwortet. Es endet mit demselben Knopf und wenn die Halle neu startet.
restarting = ♻️ { $part } wird neu gestartet. Aktualisieren zeigt, ob es wieder da ist.
drained = 🚪 Neue Fragen werden abgewiesen; was in Arbeit ist, wird beantwortet.
filled = 🚪 Fragen werden wieder angenommen.
paused = ⏸ { $agent } ruht.
resumed = ▶️ { $agent } ist wach.
offer-too-old =
    { $minutes ->
        [one] Dieser Knopf gilt 1 Minute, und die ist vorbei: Nichts wurde getan. Wähl noch einmal.
       *[other] Dieser Knopf gilt { $minutes } Minuten, und die sind vorbei: Nichts wurde getan. Wähl noch einmal.
    }
role-needed = Das darf nur { $role }: Ein Playbook hat es bewirkt. Nichts wurde getan.
not-there = { $part } gibt es hier nicht: Nichts wurde getan.
nothing-done = ⚠️ Nichts wurde getan: { $why }
alerter-away = Die Warnungen sind gerade nicht erreichbar; bitte versuch es gleich noch einmal.
muted = 🔕 Eine Stunde lang erfährt niemand von Warnungen.
unmuted = 🔔 Verantwortliche erfahren wieder von Warnungen.

## Listen für Verantwortliche

quotas-head = Was von Modellen benutzt werden darf:
quota-each-person = jede Person
quota-each-group = jede Gruppe
quota-each-agent = jeder Agent
quota-hall = die Halle
quota-person = Person { $id }
quota-group = Gruppe { $id }
quota-agent = Agent { $agent }
quota-set-here = { $quota } (hier festgelegt)
quota-of = { $who } darf benutzen: { $allowed }
quota-any = so viel wie gewünscht
quota-a-day = { $amount } am Tag
quota-a-month = { $amount } im Monat
quota-tokens = Token
quota-money = Geld
quota-set-usual = Für { $who } gilt bei { $what }, was in der Konfiguration steht.
quota-set-any = { $who } darf beliebig viel benutzen: { $what }.
quota-set-most = { $who } darf { $amount } benutzen.
rules-head = Regeln von Admins:
rules-none = Hier gibt es noch keine Regel. /rule add <Name> <Aktion> <Muster> notiert eine.
rules-foot = Regeln in Dateien: guildhall rules check.
rule-left-out = • { $rule } (ausgelassen, { $why })
list-more = • … und mehr
held-back-head = Der Wächter hat diese Frage an { $agent } aufgehalten:
alarms-head = Fehlalarme:
alarms-none = Nichts ist markiert. Das tut der Knopf unter einer Ablehnung.
alarms-foot = /rule unmark <ref> nimmt eine Markierung weg.
alarm-answer = • { $reference }: Antwort von { $agent } ({ $rules })
alarm-question = • { $reference }: Frage an { $agent } ({ $rules })
incidents-head = Was angesehen werden sollte:
incidents-foot = /incidents ack <Nummer>, /incidents close <Nummer>
incident-times =
    { $count ->
       *[other] { $count }-mal
    }
incident-since = seit { $time }, { $stage }
audit-head = Was getan wurde, das Neueste zuerst:
audit-foot = `guildhall audit verify` sagt, ob alles so ist, wie es geschrieben wurde.
audit-older = Älteres

## Für Verantwortliche: Rollen, Warnungen, Playbooks, Proben von Regeln, der Zustand im Ganzen

role-auditor = Prüfer (auditor)
role-operator = Betreuer (operator)
role-admin = Admin (admin)
role-owner = Inhaber (owner)
severity-low = gering
severity-medium = mittel
severity-high = hoch
incident-guard = aufgehaltene Texte
incident-access = Versuche ohne das Recht dazu
incident-crash = Ausfälle eines Teils
incident-leak = verhinderte Preisgaben
incident-budget = aufgebraucht
incident-usage = ungewöhnlicher Verbrauch
stage-open = offen
stage-acknowledged = gesehen
stage-closed = geschlossen
alert-lapsed = ☑️ Seit 10 Minuten nicht mehr: { $text }
alert-over = ✅ Vorbei: { $text }
alert-in-hand = 🙋 In Arbeit: { $text }
alert-what-to-do = Was zu tun ist: { $place }
alert-foot = 2 Stunden nichts davon hören: /silence { $kind } 2h
button-in-hand = 🙋 Ich kümmere mich
alert-times = { $text } ({ $count }-mal)
alert-and-more = { $text } (und { $count } weitere)
silence-ended = 🔔 Von { $kind } erfährst du wieder.
silence-begun =
    { $minutes ->
        [one] 🔕 Von { $kind } erfährt 1 Minute lang niemand. /silence { $kind } off beendet das.
       *[other] 🔕 Von { $kind } erfährt { $minutes } Minuten lang niemand. /silence { $kind } off beendet das.
    }
alert-taken = ✅ { $kind } ist in deiner Hand: Sonst erfährt niemand mehr davon. /alerts zeigt, was offen ist.
alerts-more = … und mehr: `guildhall alerts list`
alerts-none = ✅ Soweit ich weiß, ist alles in Ordnung.
alert-silenced = 🔕 { $kind } ist still bis { $time }
alert-since =
    { $count ->
        [one] einmal, seit { $time }
       *[other] { $count }-mal seit { $time }
    }
alert-is-in-hand = in Arbeit
alert-not-told = noch nicht erfahren haben es: { $places }
alert-line = { $kind }: { $headline } ({ $details })
alert-not-open = Es gibt keine offene Warnung namens { $kind }.
alert-no-poll = Telegram war { $value } lang nicht erreichbar: Neue Nachrichten warten dort.
alert-llm-errors = { $value } der Anfragen an Modelle sind in 5 Minuten gescheitert.
alert-slow-replies = Eine von zwanzig Antworten der letzten 10 Minuten hat länger als { $value } gedauert.
alert-restarts = Teile der Halle wurden in 10 Minuten { $count }-mal neu gestartet.
alert-quarantine = In der letzten Stunde beiseitegelegte Nachrichten: { $count }.
alert-disk-full = Nur { $value } des Speichers sind frei.
alert-backup-old = Die letzte gute Sicherung ist { $value } alt.
alert-guard-blocks = Der Wächter hat in einer Stunde { $count } Texte aufgehalten: mehr als das Fünffache des Üblichen.
alert-cost = Die Antworten der letzten Stunde haben { $value } gekostet: mehr als das Fünffache des Üblichen.
alert-poll = Von Telegram lassen sich keine Nachrichten holen: { $why }.
alert-store = Nachrichten lassen sich nicht speichern, deshalb werden keine angenommen: { $why }.
alert-set-aside = Eine Nachricht wurde beiseitegelegt, weil sie immer wieder scheiterte (Ref. { $reference }).
alert-session = Ein Gespräch ist zu oft gescheitert und ruht eine Weile: { $why }.
alert-backup-overdue = Seit { $value } keine gute Sicherung.
alert-backup-failed = Eine Sicherung ist gescheitert: { $why }
alert-budget-over = { $who }: Was für diesen { $span } erlaubt ist, ist verbraucht. Fragen werden abgelehnt.
alert-budget-near = { $who }: { $value } von dem, was für diesen { $span } erlaubt ist, sind verbraucht.
alert-bot = Ein Bot lässt sich nicht verbinden, die anderen laufen weiter: { $why }.
alert-tool-servers = Werkzeug-Server, die weg sind, immer wieder enden oder sich geändert haben: { $count }. `/status` sagt, welche.
alert-log = Zeilen des Protokolls, die verloren sind: { $count }. Der Speicher ist voll oder zu langsam, oder niemand liest die Standardausgabe.
alert-trial = Das ist eine Probe des Weges, den Warnungen nehmen. Alles ist in Ordnung.
part-hall = Die Halle
part-agent = Agent { $agent }
part-day = Tag
part-month = Monat
span-seconds = { $count } s
span-minutes = { $count } min
span-hours = { $count } h
run-about = Playbook { $playbook } handelt zu Vorfall { $incident }: { $rest }
run-about-asks = Playbook { $playbook } fragt, ob es zu Vorfall { $incident } handeln darf: { $rest }
run-about-stopped = Playbook { $playbook } wurde bei Vorfall { $incident } angehalten: { $rest }
run-in-short = Playbook { $playbook }, zu Vorfall { $incident }: /playbooks sagt mehr.
run-what = { $signs } von { $who }. { $steps }.
run-the-hall = der Halle
run-with = { $who } mit { $agent }
run-signs =
    { $count ->
        [one] 1 Anzeichen
       *[other] { $count } Anzeichen
    }
step-block = sperren
step-pause = { $agent } ruhen lassen
step-pause-agent = den Agenten ruhen lassen
step-slow =
    { $count ->
        [one] 1 Nachricht pro Minute annehmen
       *[other] { $count } Nachrichten pro Minute annehmen
    }
step-tighten = { $count } Token am Tag lassen
step-gather = zusammenstellen, was gefragt wurde
step-list = auflisten, was berührt wurde
step-rule = eine Regel vorschlagen
step-compare = mit dem Üblichen vergleichen
step-left-out = { $what }: nicht getan, { $why }
step-over = { $what }: vorbei
step-done = { $what }: getan
step-done-kept = { $what }: getan, bis es jemand zurücknimmt
step-done-until = { $what }: getan, bis { $time }
spared-officers = Verantwortliche werden geschont
spared-so-already = es war schon so
spared-gone = es ist nicht mehr da
spared-nothing = es gab nichts, woraus es sich machen ließe
spared-refused = es ging nicht
found-questions =
    { $count ->
        [one] 1 Frage, als Referenz
       *[other] { $count } Fragen, als Referenzen
    }
found-touched = Fragen an { $agents }: { $questions }, Gespräche: { $chats }, Gemerktes: { $facts }
found-too-little = die abgelehnten Fragen haben zu wenig gemeinsam
found-rule =
    { $count ->
        [one] Regel { $rule } aus 1 abgelehnten Frage, zur Probe
       *[other] Regel { $rule } aus { $count } abgelehnten Fragen, zur Probe
    }
found-used = { $used } Token in dieser Stunde, üblich { $usual }
playbooks-head = Playbooks:
playbooks-none = keine
playbooks-done = Was sie getan haben und noch gilt:
playbooks-nothing = nichts
playbooks-more = … und mehr: `guildhall playbooks list`
playbook-acts = { $playbook } (handelt): { $about }
playbook-asks = { $playbook } (fragt vorher): { $about }
button-run-yes = ▶️ Tun
button-run-no = ✋ Nicht tun
button-run-undo = ↩️ Zurücknehmen
button-run-keep = 📌 Behalten
button-run-close = ✅ Vorfall schließen
refusal-question = 🛡 Der Wächter hat eine Frage an { $agent } aufgehalten (Ref. { $reference }).
refusal-answer = 🛡 Der Wächter hat eine Antwort von { $agent } aufgehalten (Ref. { $reference }).
refusal-newest = Das ist die neueste von { $count }, seit ich dir zuletzt davon erzählt habe.
button-show-text = 👁 Text zeigen
button-false-alarm = ✅ Fehlalarm
step-wants = { $agent } möchte benutzen:
step-asks = { $agent } fragt { $asked }: { $what }
step-uses = { $agent } benutzt { $tool }: { $what }
step-failed = Das ging schief: { $what }
step-gave = Das kam zurück: { $what }
step-gave-much = Länge dessen, was zurückkam: { $count } Zeichen
step-held-back = zurückgehalten
step-judged = Der Wächter sagt: { $verdict }
step-may-it = Gefragt wird, ob es benutzt werden darf, für: { $what }
step-allowed = Es darf benutzt werden, einmal.
step-denied = Es darf nicht benutzt werden.
step-hands-over = { $from } übergibt an { $to }: { $note }
steps-more = … und mehr, siehe /export
not-tried = ⚠️ Nichts wurde ausprobiert: { $why }
tried-rules =
    { $count ->
        [one] 1 Regel
       *[other] { $count } Regeln
    }
tried-days =
    { $days ->
        [one] der letzte Tag
       *[other] die letzten { $days } Tage
    }
tried-head = { $rules }, { $past }: Von { $texts } durchgelassenen Texten wären { $stopped } aufgehalten worden.
tried-questions = Fragen an { $agent }
tried-answers = Antworten von { $agent }
tried-counts = { $stopped } von { $texts } ({ $refused } abgelehnt, { $redacted } geschwärzt, { $flagged } vermerkt)
tried-turns = Fragen und Antworten (Ref.): { $references }
tried-false-alarms = ⚠️ Sie würde aufhalten, was als Fehlalarm markiert ist (Ref.): { $references }
tried-incomplete = Es war mehr, als auf einmal angesehen wird; frag nach weniger Tagen.
tried-unreadable =
    { $count ->
        [one] 1 Eintrag konnte nicht gelesen werden.
       *[other] { $count } Einträge konnten nicht gelesen werden.
    }
status-restarts =
    { $count ->
        [one] 1 Neustart
       *[other] { $count } Neustarts
    }
status-waiting =
    { $count ->
        [one] 1 wartet
       *[other] { $count } warten
    }
status-ago = vor { $span }
status-fault = letzter Fehler: { $fault }
status-model-good = Modell { $model }: 🟢 in Betrieb
status-model-failing = Modell { $model }: 🔴 scheitert, wird kurz in Ruhe gelassen
status-model-tried = Modell { $model }: 🟡 wird wieder ausprobiert
status-server-used = Aufrufe: { $calls }, gescheitert: { $failures }
status-server-good =
    Werkzeug-Server { $server }: 🟢 { $tools ->
        [one] 1 Werkzeug
       *[other] { $tools } Werkzeuge
    } · { $used }
status-server-poor = Werkzeug-Server { $server }: 🟡 { $problem } · { $used }
status-server-away = Werkzeug-Server { $server }: 🔴 { $problem } · { $used }
status-server-ended = bisher beendet: { $count }, zuletzt: { $why }
status-ledger = Speicher: { $waiting } warten, { $aside } beiseitegelegt, { $size } belegt, letztes Schreiben { $took } ms
status-backup = Sicherung: vor { $span }
status-backup-none = Sicherung: noch keine
status-backup-off = Sicherung: ausgeschaltet
status-conversations = Gespräche im Arbeitsspeicher: { $count }
status-version = Guildhall { $version }, läuft seit { $span }
report-caption = Diese Halle an { $standard } gemessen.
export-for-programs = Alles, was über dich gespeichert ist, für Programme.
export-to-read = Dasselbe zum Lesen.
why-not-delivered = es lässt sich nicht zustellen
why-restarted = ein Teil wurde neu gestartet; bitte versuch es noch einmal
why-backups-off = Sicherungen sind ausgeschaltet (`backup.every`)
why-takes-long = es dauert lange; /backup list zeigt, wann sie da ist

## Werkzeuge und andere Agenten

may-i-does = ✋ { $agent } möchte { $does } ({ $tool }).
may-i-does-so = ✋ { $agent } möchte dies tun: „{ $does }“ ({ $tool }).
may-i-title = ✋ { $agent } möchte „{ $title }“ benutzen ({ $tool }).
may-i-tool = ✋ { $agent } möchte { $tool } benutzen.
may-i-about = Es sagt von sich selbst: { $about }
may-i-hand = ✋ { $agent } möchte dieses Gespräch an { $to } übergeben. Von da an antwortet dir { $to }, und du kannst es jederzeit zurückholen. Das würde { $to } erfahren:
may-i-fetch = ✋ { $agent } möchte diese Seite im Web lesen. Wer sie betreibt, sieht die Adresse:
may-i-again = ⚠️ Ich wurde neu gestartet, während das getan wurde. Vielleicht ist es geschehen, vielleicht nicht: Sieh erst dort nach, wenn du kannst. Soll es (noch einmal) getan werden?
may-i-changes = Das kann etwas außerhalb dieses Chats verändern.
may-i-reads = Das schlägt nur etwas nach.
may-i-strangers = ⚠️ In diese Frage sind Worte von anderen gekommen. Erlaube es nur, wenn du genau das willst.
may-i-cut =
    { $left ->
        [one] { $text }… (noch { $left } Zeichen, alles steht in der Datei darüber)
       *[other] { $text }… (noch { $left } Zeichen, alles steht in der Datei darüber)
    }
may-i-file = 📄 Du wirst nach etwas Langem gefragt: Hier ist alles.
may-i-yes = ja
may-i-no = nein
may-i-empty = (leer)
tool-no-details = (ohne nähere Angaben)
tool-allow =
    { $minutes ->
        [one] Nur du kannst es erlauben, einmal, innerhalb von { $minutes } Minute.
       *[other] Nur du kannst es erlauben, einmal, innerhalb von { $minutes } Minuten.
    }
button-allow = ✅ Einmal erlauben
button-deny = ✖️ Nein
tool-settled = Das ist schon entschieden. Frag noch einmal, wenn du es weiterhin möchtest.
tool-of-another = Das kann nur entscheiden, wer gefragt wurde.
tool-too-late = Das ist zu lange her, deshalb wurde nichts getan. Frag noch einmal, wenn du es weiterhin möchtest.
handed-over = 🔁 { $to } übernimmt von { $from }. Zurück geht es mit /agent { $from }
button-back-to = ↩️ Zurück zu { $agent }
agent-asked = 🗣 { $from } hat { $to } gefragt: { $what }
agent-held-back = (zurückgehalten)
agent-no-answer = (keine Antwort)
more-in-trace = … und mehr, siehe /trace
panel-answer-held-back = { $agent }: Die Antwort wurde zurückgehalten.
nobody-to-ask = Hier ist niemand, den ich fragen könnte. /agents zeigt, wer da ist.

## Erinnerungen und feste Zeiten

times-how = Die Zeit ist etwa „werktags 8:00“, „alle 2 Stunden“, „morgen um 9“ oder, als die fünf Felder einer Cron-Regel, 0 8 * * 1-5.
remind-how =
    Sag mir, wann, und dann, woran. Zum Beispiel:
    /remind in 20 Minuten das Brot herausholen
    /remind morgen um 9 Ada anrufen
    /remind 1.12.2026 18:00 Geschenke kaufen
    /remind jeden Montag um 8 die Woche planen

    /reminders zeigt, was eingestellt ist. /remind zone Europe/Berlin legt deine Zeitzone fest.
remind-nobody = Ich kann nur einen Menschen erinnern. Bitte schreib unter deinem eigenen Namen.
reminder-of-another = Das ist eine Erinnerung von jemand anderem. /reminders zeigt deine.
timetable-away = Das ging gerade nicht, und nichts wurde geändert. Bitte versuch es noch einmal.
timetable-not-noted = Nichts wird gezeigt oder geändert: { $why }.
timetable-deleted = 🗑 Gelöscht. Es kommt nicht mehr.
timetable-gone = Das gibt es nicht mehr.
zone-set = Zeiten, die du mir nennst, gelten in { $zone }. /remind zone Europe/Berlin legt eine andere Zeitzone fest; was schon eingestellt ist, bleibt.
zone-unknown = Diese Zeitzone gibt es nicht. Sie heißt zum Beispiel Europe/Berlin oder America/Lima.
time-past = Diese Zeit ist vorbei. Bitte nenn mir eine, die noch kommt.
time-too-far = Das ist mehr als fünf Jahre hin.
time-too-often =
    { $count ->
        [one] Das kommt zu oft. Dazwischen muss mindestens { $count } Sekunde liegen.
       *[other] Das kommt zu oft. Dazwischen müssen mindestens { $count } Sekunden liegen.
    }
timetable-full = Es gibt schon { $most }, mehr hebe ich nicht auf. Lösch erst etwas: /reminders zeigt deine.
reminder-too-long = Das ist zu lang: höchstens { $most } Zeichen werden aufgehoben.
reminder-set = ⏰ Ich erinnere dich am { $when }: { $text }
schedule-set = ⏰ { $agent } wird am { $when } gefragt.
comes-again = Das ist das erste Mal; es kommt wieder.
reminders-foot = /reminders zeigt und löscht, was eingestellt ist.
schedules-foot = /schedules zeigt und löscht, was eingestellt ist.
reminders-none = Hier ist nichts eingestellt. /remind in 20 Minuten das Brot herausholen stellt etwas ein.
schedules-none = Kein Agent wird zu festen Zeiten gefragt. /schedule sage werktags 8:00 hier Guten Morgen! stellt etwas ein.
reminders-head = ⏰ Woran ich dich erinnere:
schedules-head = ⏰ Was Agenten zu festen Zeiten gefragt werden:
asked-in = { $agent } in { $chat }:
button-delete = 🗑 { $number } löschen
reminder-late = ⏰ Das war am { $when } fällig, während ich weg war: { $text }
prompt-missed = ⏰ { $agent } sollte am { $when } gefragt werden, während ich weg war. Das wurde ausgelassen; mit dem nächsten Mal geht es weiter.
when-and-after =
    { $count ->
        [one] { $when } und danach noch einmal
       *[other] { $when } und danach noch { $count }-mal
    }
moment = { $weekday }, { $date }. { $month_name } { $year }, { $time } Uhr ({ $zone })
weekday =
    { $day ->
        [1] Mo.
        [2] Di.
        [3] Mi.
        [4] Do.
        [5] Fr.
        [6] Sa.
       *[7] So.
    }
month =
    { $month ->
        [1] Jan.
        [2] Feb.
        [3] März
        [4] Apr.
        [5] Mai
        [6] Juni
        [7] Juli
        [8] Aug.
        [9] Sept.
        [10] Okt.
        [11] Nov.
       *[12] Dez.
    }
schedule-agent = Das erste Wort ist der Name eines Agenten.
schedule-chat = Nach der Zeit steht „here“ oder die ID eines Chats.
schedule-prompt = Am Ende steht, was der Agent gefragt wird.

## Bilder, Aufnahmen und Dateien

cannot-use = Damit kann ich nichts anfangen. { $works } Nichts davon wurde geholt oder aufgehoben.
works-text-alone = Ich kann nur Text lesen: Bitte schreib, was du wissen möchtest.
works-one = Was geht: Text und { $one }.
works-many = Was geht: Text, { $others } und { $last }.
works-voice = Sprachnachrichten oder Aufnahmen bis { $span }
works-pictures = Bilder bis { $size }
works-files = reine Textdateien (TXT, Markdown, CSV) bis { $size }
works-documents = Dokumente (PDF, Word, Excel, PowerPoint, OpenDocument) bis { $size }
up-to-seconds =
    { $count ->
        [one] { $count } Sekunde
       *[other] { $count } Sekunden
    }
up-to-minutes =
    { $minutes ->
        [one] { $minutes } Minute
       *[other] { $minutes } Minuten
    }
cannot-see = { $agent } kann keine Bilder ansehen: Keines der Modelle, die er fragen darf, kann sehen. Bitte beschreib es mit Worten oder frag einen anderen Agenten (/agents).
picture-alone = Was ist auf diesem Bild zu sehen?
file-alone = Was steht in dieser Datei, kurz gesagt?
recording-too-long = Diese Aufnahme ist mir zu lang: bitte bis { $span }. Nichts davon wurde geholt.
file-too-large = Diese Datei ist mir zu groß: bitte bis { $size }. Sie wurde nicht aufgehoben.
file-unreadable = Mit dieser Datei konnte ich nichts anfangen: Sie ist beschädigt oder von einer Art, die ich nicht kenne. Sie wurde nicht aufgehoben. Bitte schick sie in anderer Form oder schreib.
file-locked = Dieses Dokument ist mit einem Passwort gesperrt. Bitte schick es ohne. Es wurde nicht aufgehoben.
file-too-much = Dieses Dokument entfaltet sich zu mehr, als ich lesen darf, oder braucht zu lange. Es wurde nicht aufgehoben. Bitte schick einen Teil davon oder den Text.
file-wordless = In diesem Dokument habe ich keine Worte gefunden: Vielleicht sind seine Seiten Bilder. Es wurde nicht aufgehoben. Bitte schick es als Text oder schreib.
paper-kept = 📎 Ich hebe den Text von „{ $name }“ auf, damit du später danach fragen kannst. /files zeigt, was ich aufhebe, und löscht es.
paper-kept-in-part = 📎 Ich hebe den Anfang des Textes von „{ $name }“ auf, damit du später danach fragen kannst: Es steht mehr darin, als ich aufhebe. /files zeigt, was ich aufhebe, und löscht es.
papers-full = 📎 Ich habe diese Datei gelesen und nicht aufgehoben: Höchstens { $count } Dateien von dir mit { $size } Text haben hier Platz. /files zeigt sie und löscht, was du nicht mehr brauchst.
papers-none = Ich hebe in diesem Chat keine Datei von dir auf. Schick mir ein PDF, ein Office-Dokument oder eine Textdatei, und ich hebe auf, was darin steht, damit du später danach fragen kannst.
papers-head = Deine Dateien in diesem Chat, die neueste zuerst. Ich hebe verschlüsselt auf, was darin steht, und durchsuche es, wenn du fragst:
paper-in-part = der Anfang
paper-deleted = 🗑 „{ $name }“ ist gelöscht: Darin findet niemand mehr etwas.
paper-gone = Diese Datei ist nicht mehr aufgehoben.
papers-of-another = Das sind die Dateien von jemand anderem. /files zeigt deine.
papers-of-nobody = Dateien gehören zu einer Person, und ich sehe nicht, wer hier schreibt. Bitte schreib als du selbst.
papers-away = Gerade kann ich deine Dateien nicht ansehen. Nichts ist verloren: Bitte versuch es gleich noch einmal.
privacy-papers = ; was in Dateien steht, die du schickst, wird verschlüsselt aufgehoben, damit Agenten es für dich allein durchsuchen können (/files zeigt und löscht es)
nothing-heard = Ich habe hingehört und keine Worte gehört. Bitte nimm es noch einmal auf oder schreib.
not-taken-in = Entschuldige, ich konnte gerade nicht aufnehmen, was du geschickt hast. Bitte schick es nach einer Weile noch einmal oder schreib. (Ref. { $reference })
privacy-hears = ; was du aufnimmst, geht vorher an { $who } und wird dort zu Text
privacy-speaks = ; { $who } spricht die Antwort darauf
heard = 🎙 Ich habe gehört: { $text }

## Geänderte Fragen, lange Antworten, Bots eines Agenten

supersedes = ✏️ Du hast deine Frage geändert. Diese Antwort tritt an die Stelle der vorigen.
edited-piece = ✏️ Ich sehe, dass du einen Teil deiner Frage geändert hast. Bitte schick mir die ganze Frage noch einmal, dann beantworte ich sie.
long-answer = 📄 Die Antwort ist lang: Hier ist sie ganz.
bot-description =
    KI-Agenten, die hier antworten, jeder mit einer eigenen Aufgabe.

    Drück auf Start und schreib einfach los: Du kannst mehrere Nachrichten hintereinander schicken, deine Frage ändern und eine Antwort anhalten. /agents zeigt, wer hier ist, /privacy, was davon aufgehoben wird, und /forget löscht es.
bot-short-description = KI-Agenten, die hier antworten. Was du schreibst, wird verschlüsselt gespeichert; /forget löscht es.
bot-of-alone = Dieser Bot gehört { $agent } allein: Niemand sonst antwortet hier. Schreib einfach los.
bots-cut-hops = Hier antworten sich seit einer Weile nur Bots. Ich antworte anderen Bots erst wieder, wenn ein Mensch mir schreibt.
bots-cut-pace = Hier schreiben Bots sehr viel. Ich antworte anderen Bots erst wieder, wenn ein Mensch mir schreibt.
chosen-of-another = Dieser Knopf wurde jemand anderem gezeigt. /agents und /start zeigen dir deine eigenen.
own-bot-make =
    { $agent } soll einen eigenen Bot haben. Öffne bitte { $link } und bestätige es in Telegram: Der Bot gehört dir, und ich verbinde ihn, sobald Telegram es mir sagt.
own-bot-cannot =
    { $bot } darf keine Bots anlegen lassen: Schalte das Verwalten von Bots bei @BotFather ein, oder der Bot-API-Server ist älter als 9.6. Geändert wurde nichts. Du kannst auch selbst bei @BotFather einen Bot anlegen und in der Konfiguration nennen.
own-bot-of-nobody = { $bot } ist da, aber kein Agent wartet auf einen Bot. /spawn <name> as bot sagt, für wen er ist.
own-bot-no-token = Telegram gibt mir das Token von { $bot } gerade nicht, darum ist er nicht verbunden. Erzeuge bitte bei @BotFather ein neues Token: Dann erfahre ich es und versuche es wieder.
own-bot-given = { $agent } hat jetzt einen eigenen Bot: { $link }. Sein Token liegt versiegelt, und ich verbinde ihn gerade.
done-retired-with-bot = { $agent } ist gegangen, und { $bot } ist nicht mehr verbunden. Der Bot selbst bleibt deiner: @BotFather löscht ihn.
invite-made =
    Wer diesen Link zuerst öffnet, darf hier schreiben:
    { $link }
    
    Er gilt bis { $time } (UTC), für eine Person. Er hat die Nummer { $number }; /invites zeigt die offenen.
invite-hours = Für wie viele Stunden? Eine ganze Zahl bis { $most }.
invites-none = Kein Link ist offen. /invite macht einen.
invites-head = Diese Links sind offen, jeder für eine Person:
invite-line = Nummer { $number }, bis { $time } (UTC)
invite-withdrawn = Der Link mit der Nummer { $number } lässt niemanden mehr ein.
button-withdraw = { $number } zurückziehen
invite-welcome = Du bist eingeladen und darfst jetzt hier schreiben. /start fängt an.
invite-used = Dieser Link ist schon benutzt: Jeder lässt eine Person ein.
invite-over = Dieser Link ist nicht mehr offen.
invite-unknown = Diesen Link kenne ich nicht.
invite-ask-anew = Bitte die Person, die ihn dir geschickt hat, um einen neuen. Deine Nummer ist { $person }.
not-invite-gone = Dieser Link ist schon benutzt oder zurückgezogen. /invites zeigt die offenen.
not-too-many-invites = { $most } Links sind schon offen: Mehr geht nicht. /invites zieht einen zurück.
not-has-bot = { $agent } hat schon einen eigenen Bot.
not-too-many-bots = { $most } Agenten haben schon eigene Bots: Mehr geht nicht. Lass erst einen mit /retire gehen.
bot-of = Dieser Bot gehört { $agent } allein
bot-rests = Gerade ruht er.
bot-awake = Schreib einfach los.

## Für Verantwortliche: Vorfälle, Beiseitegelegtes, Sicherungen, Berichte

incident-head = Vorfall { $incident }: { $kind }, { $severity }
incident-weight = { $count }-mal, Gewicht { $weight }
incident-span = Von { $since } bis { $last }
incident-stage = Stand: { $stage }.
incident-noted = Was dazu notiert ist, das Neueste zuerst:
incident-export = { $command } schreibt alles davon auf, signiert.
button-acknowledge = Zur Kenntnis nehmen
button-close = Schließen
incident-not-at-hand = Einen Vorfall { $incident } habe ich nicht zur Hand. /incidents listet die offenen auf.
incident-number = Die Nummer ist eine, die /incidents zeigt.
nothing-done-because = Nichts wurde getan: { $why }.
failed-because = { $what }: { $why }.
backups-not-shown = Die Sicherungen lassen sich nicht ansehen
aside-not-shown = Was beiseitegelegt wurde, lässt sich nicht ansehen
nothing-was-done = Nichts wurde getan
backup-not-made = Es wurde keine Sicherung gemacht
report-not-made = Es gibt keinen Bericht
aside-none = Nichts ist beiseitegelegt.
aside-head = Was beiseitegelegt wurde, das Neueste zuerst:
aside-foot = /quarantine retry <Ref> gibt eines für einen weiteren Versuch zurück, /quarantine drop <Ref> nimmt es von dieser Liste.
some-time-ago = vor einiger Zeit
chat-unknown = ein unbekannter Chat
chat-of = der Chat von { $person }
chat-group = Gruppe { $group }
aside-unread = ließ sich nicht lesen
aside-failed = schlug zu oft fehl
aside-put-back = { $why }, zurückgegeben, wartet auf seinen Versuch
and-more = … und { $count } weitere
not-no-such-aside = Mit der Ref. { $reference } ist nichts beiseitegelegt. /quarantine listet auf, was es gibt.
aside-unreadable = diese Version von mir kann es nicht lesen
aside-not-kept = was empfangen wurde, ist nicht mehr aufgehoben
aside-stays = { $reference } kann nicht zurückgegeben werden: { $why }. /quarantine drop { $reference } beendet es.
aside-retried = { $reference } ist zurückgegeben und hat einen weiteren Versuch.
aside-had-its-turn = { $reference } wurde schon zurückgegeben: Es hatte seinen Versuch.
aside-dropped = { $reference } ist von der Liste.
aside-verbs = Das erste Wort ist retry oder drop.
aside-reference = Die Ref. hat acht Stellen, wie /quarantine sie zeigt.
backup-nothing-new = Seit der Sicherung { $name } wurde nichts geschrieben.
backup-made = ✅ Sicherung { $name } ist gemacht und wurde zurückgelesen: { $size } in { $took } ms; ältere entfernt: { $removed }. Es ist kein Schlüssel darin: Bewahre Kopien des Schlüssels und des Schlüsselbunds anderswo auf.
backup-line = { $name } · { $time } (vor { $hours } h) · { $size }
backup-words = Schreib nichts dahinter oder list.
backups-none = Es gibt noch keine Sicherung. /backup macht eine.
backups-head = Sicherungen, die neueste zuerst:
backups-foot = `guildhall backup drill` probiert eine aus.
report-sent = Das ist diese Halle, gemessen an { $standard }, Punkt für Punkt, mit dem, was fehlt.
report-standards = Der Standard ist einer von { $standards }.
trace-heard-by = Gehört von: { $model }
trace-tools = Werkzeuge und andere Agenten:

# Todos los textos fijos en español. Las órdenes (/help), los nombres entre llaves y las palabras en `comillas` quedan como están.

## Inicio

hello = ¡Hola, { $name }!
hello-nameless = ¡Hola!
greeting-host =
    Estás hablando con { $agent }.{ $about }
    Solo tienes que escribir. /agents muestra quién más está aquí.
greeting-can = ✅ Lo que puedo hacer: explicar, escribir, planear y pensar las cosas contigo.
greeting-cannot = ⚠️ Lo que no puedo: acertar siempre. Comprueba, por favor, lo que sea importante para ti.
greeting-remembers = 🧠 Lo que recuerdo: nuestra conversación y lo que me pidas recordar. /memory lo muestra, /new empieza de nuevo, /forget borra todo.
greeting-try = Prueba algo de esto:
example-explain = 💡 Explicar algo
    .prompt = Explica en tres frases por qué el cielo es azul.
example-write = ✍️ Escribir algo
    .prompt = Escribe una nota amable de agradecimiento para una colega, en dos líneas.
example-plan = 🧭 Planear algo
    .prompt = Dame un plan breve para una mañana tranquila y útil.
nobody-here = Aquí no hay ningún agente todavía. Un administrador puede traer uno con /spawn.

## Privacidad

agree-button = ✅ Estoy de acuerdo
accept-first-kept = Antes de responder necesito que digas que estás de acuerdo. Tu pregunta queda guardada: pulsa el botón y la responderé.
accept-first-again = Antes de responder necesito que digas que estás de acuerdo. Pulsa el botón y envía tu pregunta otra vez.
accept-as-yourself = Aquí solo respondo a quienes han aceptado el aviso de privacidad. Escribe con tu propio nombre, por favor.
accepted = Gracias. Escribe cuando quieras y te responderé.
privacy-notice = 🔒 Lo que escribes se guarda cifrado en este servidor para que las conversaciones sobrevivan a los reinicios, hasta que lo borres con /forget. Para responder, se envía a { $providers }. Más en /privacy{ $contact }.
privacy =
    🔒 Tu privacidad

    Qué se guarda: tus mensajes, las respuestas, tu identificador de Telegram y con qué agente hablas.
    Cómo: cifrado, con una clave que se guarda aparte de los datos. Los registros no contienen textos ni identificadores.
    Quién lo ve: para responderte, tu mensaje, la conversación reciente, un resumen del resto y lo que pediste recordar van a { $providers }.
    Para qué: para responderte. Aquí nunca se usa para entrenar un modelo.
    Cuánto tiempo: hasta que lo borres, o mientras lo conserve quien administra este bot{ $contact }.
    Con /new un agente olvida al responder la conversación anterior; /memory muestra y borra lo que recuerda aparte. /export te envía todo lo que se guarda sobre ti. /forget lo borra.
provider-local = un modelo que funciona en este servidor
provider-none = ningún modelo todavía
either = { $one } o { $other }
only-in-private = Eso queda entre tú y yo: usa esta orden en nuestro chat privado, por favor.
told-in-private = Te he respondido en nuestro chat privado.
open-private = Eso queda entre tú y yo, y todavía no puedo escribirte. Abre { $link }, pulsa Iniciar y pregúntame allí, por favor.
forget-offer =
    ¿Borrar todo sobre ti?

    Qué desaparece: tus mensajes, las respuestas que recibiste, lo que los agentes recuerdan de ti, en este chat y en grupos, y todo lo que espera respuesta. La clave de tus datos se destruye, así que tampoco las copias se podrán leer.
    Qué queda: si puedes usar este bot, registros sin textos ni nombres, y lo que el propio Telegram guarda en este chat.

    No se puede deshacer. /export te envía antes una copia. Recibirás un recibo firmado.
forget-button = Borrar todo
forgotten = Todo sobre ti está borrado. Guarda este recibo si quieres; quien administra este bot puede comprobarlo con `guildhall person receipt`.
exported = Esto es todo lo que se guarda sobre ti: un archivo para programas y otro para leer. /forget lo borra.
too-much-to-export = Hay más de lo que cabe aquí en un archivo. Pide ayuda a quien administra este bot: puede hacer la misma copia con `guildhall person export`.

## Ayuda e idioma

help-head = Solo tienes que escribir y un agente responde. También puedes usar:
help-foot = En un grupo, mencióname, respóndeme o usa una orden.
help-more = El botón de menú muestra todas las órdenes.
language-ask = ¿Qué idioma quieres que hable en este chat? Los agentes responden en el idioma en que escribes.
language-auto = Como en Telegram
language-set = A partir de ahora hablo español aquí.
language-automatic = A partir de ahora hablo el idioma de tu Telegram, si lo conozco.
language-unknown = Todavía no hablo ese idioma. /language muestra los que conozco.
language-officers = En un grupo, solo quienes cuidan de este bot pueden cambiar su idioma. En nuestro chat privado lo eliges tú.

## Agentes

agents-head = Quién está aquí:
agent-here = ← estás hablando con este
agent-rests = (descansando)
talk-to = Hablar con { $agent }
switched = Ahora estás hablando con { $agent }.{ $about }
no-such-agent = Aquí no hay ningún agente llamado «{ $name }». /agents muestra quién está.
agent-paused = { $agent } está descansando en este momento. /agents muestra quién más está aquí.
fresh = Una conversación nueva con { $agent }. Lo dicho antes ya no cuenta.

## Preguntar

stopped = Detenido. /retry pregunta lo mismo otra vez.
nothing-to-stop = En este momento no se está escribiendo nada.
nothing-to-retry = No hay ninguna pregunta anterior que repetir. Escribe una.
unknown-command = No conozco esa orden. /help muestra lo que entiendo.
usage = Se usa así: { $command }
refused-prompt = Prefiero no responder a esto. Dilo con otras palabras, por favor.
refused-draft = La respuesta se retuvo porque contenía algo que no debe mostrarse. Pregunta de otra manera o pulsa /retry. (ref. { $reference })
apology = Lo siento, ahora mismo no he podido obtener una respuesta. Tu mensaje no se ha perdido: /retry pregunta otra vez. (ref. { $reference })
too-slow = Lo siento, esto tardó demasiado y dejé de esperar. Tu mensaje no se ha perdido: /retry pregunta otra vez. (ref. { $reference })
busy = Muchísima gente pregunta a la vez. Tu mensaje no se ha perdido: pulsa /retry dentro de un minuto, por favor. (ref. { $reference })
quarantined = Lo siento, algo de este mensaje me hace tropezar, así que lo he apartado y he avisado a quienes me administran. Puedes seguir escribiendo. (ref. { $reference })
one-at-a-time = De uno en uno, por favor: todavía estoy con tus mensajes anteriores.
turned-away = De momento no acepto preguntas nuevas: se está haciendo mantenimiento. Pregunta de nuevo en unos minutos, por favor. Las órdenes funcionan como siempre.
stranger = Este bot es privado. Si deberías tener acceso, envía este número a quien lo administra: { $person }. No se ha guardado nada de lo que escribiste.
slow-down = Eso fue mucho de una vez. No he aceptado el último mensaje: espera un momento y envíalo de nuevo, por favor.
ignored-for =
    { $minutes ->
        [one] Durante el próximo minuto no reaccionaré a tus mensajes, para ser justo con todos.
       *[other] Durante los próximos { $minutes } minutos no reaccionaré a tus mensajes, para ser justo con todos.
    }
must-wait =
    { $minutes ->
        [one] Algunos de tus últimos mensajes parecían un intento de saltarse mis reglas, así que hago una pausa en nuestra conversación: cerca de 1 minuto. No he guardado el mensaje que acabas de enviar; no se ha perdido nada más. Escribe de nuevo entonces, por favor. Si es un error, quienes administran este bot lo saben y pueden terminar la pausa antes.
       *[other] Algunos de tus últimos mensajes parecían un intento de saltarse mis reglas, así que hago una pausa en nuestra conversación: unos { $minutes } minutos. No he guardado el mensaje que acabas de enviar; no se ha perdido nada más. Escribe de nuevo entonces, por favor. Si es un error, quienes administran este bot lo saben y pueden terminar la pausa antes.
    }
held-back-pace =
    { $count ->
        [one] Has usado mucho más de lo habitual, así que por ahora acepto 1 mensaje tuyo por minuto. No he aceptado el último: espera un momento y envíalo de nuevo, por favor.
       *[other] Has usado mucho más de lo habitual, así que por ahora acepto { $count } mensajes tuyos por minuto. No he aceptado el último: espera un momento y envíalo de nuevo, por favor.
    }

## Lo que se recuerda

fact-remembered = 📝 Lo recordaré: «{ $fact }». /memory muestra y borra lo que recuerdo.
facts-noted =
    { $count ->
        [one] 📝 { $agent } ha anotado algo sobre ti. /memory lo muestra y lo borra.
       *[other] 📝 { $agent } ha anotado { $count } cosas sobre ti. /memory las muestra y las borra.
    }
fact-known = Eso ya lo recuerdo. /memory muestra todo.
facts-full =
    { $most ->
        [one] Ya recuerdo 1 cosa, que es el máximo. /memory la borra.
       *[other] Ya recuerdo { $most } cosas, que es el máximo. /memory borra algunas.
    }
fact-too-long = Es demasiado largo para recordarlo: { $most } caracteres como máximo, por favor.
nobody-to-remember = Solo puedo recordar cosas de quien escribe con su propio nombre.
memory-none = Aquí no recuerdo nada sobre ti. Escribe «recuerda que …» o usa /remember <texto>.
memory-others =
    { $count ->
        [one] Otra persona también ha pedido recordar algo aquí.
       *[other] Otras personas también han pedido recordar { $count } cosas aquí.
    }
memory-head = Lo que recuerdo aquí:
memory-noted-by = anotado por { $agent }
memory-more = … y más: borra algo para ver el resto.
fact-forgotten = 🗑 Olvidado: «{ $fact }». Ya no se usa.
fact-forgotten-unseen = 🗑 Olvidado. Ya no se usa.
fact-gone = Eso ya está olvidado.
fact-of-another = Solo quien lo dijo puede hacer que se olvide. /memory muestra tus propios botones.

## Uso y límites

over-cap-person-day = Has agotado lo que puedes preguntar hoy. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada. /usage muestra lo usado.
over-cap-person-month = Has agotado lo que puedes preguntar este mes. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada. /usage muestra lo usado.
over-cap-chat-day = Este grupo ha agotado lo que puede preguntar hoy. Sigo { $resumes }; preguntad de nuevo entonces o pulsad /retry. No se envió nada a un modelo ni se contó nada. /usage muestra lo usado.
over-cap-chat-month = Este grupo ha agotado lo que puede preguntar este mes. Sigo { $resumes }; preguntad de nuevo entonces o pulsad /retry. No se envió nada a un modelo ni se contó nada. /usage muestra lo usado.
over-cap-agent-day = Este agente ya ha respondido hoy todo lo que puede. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada. /agents muestra quién más está aquí.
over-cap-agent-month = Este agente ya ha respondido este mes todo lo que puede. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada. /agents muestra quién más está aquí.
over-cap-hall-day = Ya he respondido hoy todo lo que puedo. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada.
over-cap-hall-month = Ya he respondido este mes todo lo que puedo. Sigo { $resumes }; pregunta de nuevo entonces o pulsa /retry. No se envió nada a un modelo ni se contó nada.
cap-near-person-day = ℹ️ Has usado el { $percent } % de lo que se puede preguntar hoy. Empieza de nuevo { $resumes }. /usage dice más.
cap-near-person-month = ℹ️ Has usado el { $percent } % de lo que se puede preguntar este mes. Empieza de nuevo { $resumes }. /usage dice más.
cap-near-chat-day = ℹ️ Este grupo ha usado el { $percent } % de lo que se puede preguntar hoy. Empieza de nuevo { $resumes }. /usage dice más.
cap-near-chat-month = ℹ️ Este grupo ha usado el { $percent } % de lo que se puede preguntar este mes. Empieza de nuevo { $resumes }. /usage dice más.
cap-near-us-day = ℹ️ Hemos usado el { $percent } % de lo que se puede preguntar hoy. Empieza de nuevo { $resumes }. /usage dice más.
cap-near-us-month = ℹ️ Hemos usado el { $percent } % de lo que se puede preguntar este mes. Empieza de nuevo { $resumes }. /usage dice más.
cap-reached-person-day = ℹ️ Ya has usado todo lo que se puede preguntar hoy. Sigo { $resumes }.
cap-reached-person-month = ℹ️ Ya has usado todo lo que se puede preguntar este mes. Sigo { $resumes }.
cap-reached-chat-day = ℹ️ Este grupo ya ha usado todo lo que se puede preguntar hoy. Sigo { $resumes }.
cap-reached-chat-month = ℹ️ Este grupo ya ha usado todo lo que se puede preguntar este mes. Sigo { $resumes }.
cap-reached-us-day = ℹ️ Ya hemos usado todo lo que se puede preguntar hoy. Sigo { $resumes }.
cap-reached-us-month = ℹ️ Ya hemos usado todo lo que se puede preguntar este mes. Sigo { $resumes }.
at-time = a las { $time }
on-date = el { $date }
time = { $time } ({ $zone })
date =
    { $day } de { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    }, { $time } ({ $zone })
usage-head = Lo que se ha usado de los modelos:
usage-you = tú
usage-today = hoy: { $used }
usage-month = este mes: { $used }
usage-by-agent = Este mes, por agente:
usage-ends = El día termina a las { $day }, el mes el { $month }.
usage-more = … y más: `guildhall usage` muestra todo.
used-answers =
    { $count ->
        [one] 1 respuesta
       *[other] { $count } respuestas
    }
used-tokens =
    { $count ->
        [one] 1 token
       *[other] { $count } tokens
    }
used-heard =
    { $count ->
        [one] 1 minuto escuchado
       *[other] { $count } minutos escuchados
    }
used-spoken =
    { $count ->
        [one] 1 carácter hablado
       *[other] { $count } caracteres hablados
    }
used-lost =
    { $count ->
        [one] 1 token más sin respuesta
       *[other] { $count } tokens más sin respuesta
    }
used-tokens-left = quedan { $left } de { $most } tokens
used-money-left = quedan { $left } de { $most }
number = { $number }
money = { $amount } { $currency }
used-today = Usado hoy: { $used }

## Cómo surgió una respuesta

trace-head = 🔎 Cómo surgió esta respuesta
trace-head-ref = 🔎 Cómo surgió esta respuesta (ref. { $reference })
trace-notice = Es un texto fijo mío: no se preguntó a ningún agente ni modelo.
trace-agent = Agente: { $agent }
trace-model = Modelo: { $model }
trace-question = Pregunta: { $words }
trace-answer = Respuesta: { $words }
trace-work = Trabajo: { $attempts }, { $calls }
trace-attempts =
    { $count ->
        [one] 1 intento
       *[other] { $count } intentos
    }
trace-calls =
    { $count ->
        [one] 1 llamada al modelo
       *[other] { $count } llamadas al modelo
    }
trace-time = Tiempo: { $stages }; { $total } s en total
trace-time-question = { $seconds } s hasta revisar la pregunta
trace-time-past = { $seconds } s para mirar el pasado
trace-time-model = { $seconds } s para el modelo
trace-time-answer = { $seconds } s hasta fijar la respuesta
trace-messages = Mensajes: { $sent } de { $all } enviados, ninguno dos veces que yo sepa.
trace-messages-perhaps-twice = Mensajes: { $sent } de { $all } enviados. Hubo un reinicio mientras uno estaba en camino: puede que llegara dos veces.
trace-model-used = { $model }, { $read } tokens leídos, { $written } escritos
trace-model-cost = { $model }, { $read } tokens leídos, { $written } escritos, coste { $cost }
trace-model-none-asked = no se preguntó a ninguno
trace-model-none-answered = no respondió ninguno
trace-question-refused = revisada y no transmitida
trace-question-redacted = revisada; oculto para el modelo: { $what }
trace-question-redacted-parts = partes de ella
trace-question-passed = revisada y transmitida
trace-answer-refused = revisada y retenida
trace-answer-redacted = revisada; se ocultaron partes
trace-answer-shown = revisada y mostrada
trace-score = puntuación { $score }, { $likely }
trace-rules = reglas { $names }
trace-shadow = a prueba { $names }
likely-none = sin señal de ataque
likely-little = se parece poco a un ataque
likely-somewhat = se parece algo a un ataque
likely-much = se parece mucho a un ataque
likely-surely = casi seguro un ataque
nothing-to-trace = Ahí no conozco ninguna respuesta a ti. Responde con /trace a una respuesta mía y te digo cómo surgió.
cannot-trace = ⚠️ Ahora mismo no puedo consultarlo. Inténtalo de nuevo en un momento, por favor.

## Si todo va bien

status-well = ✅ Todo va bien.
status-one-ill = ⚠️ Una parte de la casa no va bien. Los mensajes se guardan y se responden más tarde.
status-many-ill = ⚠️ Partes de la casa no van bien. Los mensajes se guardan y se responden más tarde.

## Órdenes

cmd-start = empezar aquí
cmd-agents = ver quién está aquí y elegir
cmd-agent = hablar con otro agente
    .usage = <nombre>
cmd-ask = preguntar una vez a un agente, sin cambiar
    .usage = <nombre> <texto>
cmd-new = empezar una conversación nueva
cmd-cancel = detener la respuesta que se está escribiendo
cmd-retry = hacer de nuevo la última pregunta
cmd-trace = respondiendo a una respuesta: cómo surgió
cmd-remember = recordar algo sobre ti
    .usage = <texto>
cmd-memory = ver lo que se recuerda y borrarlo
cmd-usage = ver lo que has usado y lo que queda
cmd-status = ver si todo va bien
cmd-language = elegir el idioma que hablo
    .usage = [<idioma>]
cmd-privacy = qué se guarda y para qué
cmd-export = recibir todo lo que se guarda sobre ti
cmd-forget = hacer que se borre todo sobre ti
cmd-help = mostrar esta lista
cmd-spawn = traer un agente
    .usage = <nombre> <instrucciones>
cmd-edit = dar otras instrucciones a un agente
    .usage = <nombre> <instrucciones>
cmd-model = hacer que un agente use otro modelo
    .usage = <nombre> <modelo>
cmd-pause = dejar descansar a un agente
    .usage = <nombre>
cmd-resume = despertar a un agente
    .usage = <nombre>
cmd-retire = despedir a un agente
    .usage = <nombre>
cmd-allow = dejar hablar a una persona o un grupo
    .usage = <id>
cmd-deny = quitar de la lista a una persona o un grupo
    .usage = <id>
cmd-block = no atender a una persona o un grupo
    .usage = <id> [minutos]
cmd-unblock = terminar un bloqueo
    .usage = <id>
cmd-quota = ver y fijar cuánto se puede usar de los modelos
    .usage = [<id> | <agente> | hall] [<cantidad> | none | usual] [tokens | money] [day | month]
cmd-rule = ver y cambiar las reglas del guardián
    .usage = add <nombre> <acción> <patrón> | test <nombre> [días] | shadow <nombre> | enforce <nombre> | remove <nombre> | alarms | unmark <ref>
cmd-remind = recibir un recordatorio, una vez o muchas
    .usage = <cuándo> <qué>
cmd-reminders = ver qué se te recordará
cmd-schedule = preguntar algo a un agente a horas fijas
    .usage = <nombre> <cuándo> here|<chat> <texto>
cmd-schedules = ver qué se pregunta a los agentes a horas fijas
cmd-panel = preguntar a varios agentes a la vez y ver en qué difieren
    .usage = <pregunta>
cmd-incident = ver un incidente con todo lo anotado
    .usage = <número>
cmd-quarantine = ver lo que se apartó y devolverlo
    .usage = [retry <ref> | drop <ref>]
cmd-backup = hacer una copia de seguridad ahora
    .usage = [list]
cmd-report = medir la sala con una norma
    .usage = <norma>
cmd-alerts = ver qué va mal y a quién se avisó
cmd-silence = no recibir por un tiempo avisos de un tipo
    .usage = <tipo> <tiempo>
cmd-playbooks = ver lo que la casa hizo por sí misma y deshacerlo
    .usage = [undo <número> | keep <número> | yes <número> | no <número> | close <número>]
cmd-incidents = lo que conviene mirar
    .usage = [ack <número> | close <número>]
cmd-audit = lo que hicieron los responsables, lo más nuevo primero
    .usage = [número]
cmd-role = ver, dar y quitar papeles
    .usage = give <id> <papel> | take <id>

## Para responsables: qué se hizo y por qué no

agent-name-rule = El nombre de un agente tiene de 2 a 32 caracteres: minúsculas, cifras y guiones bajos, y empieza por una letra.
id-is-number = El identificador es un número.
id-is-number-of-whom = El identificador es un número. Cada persona ve el suyo cuando escribe a este bot.
instructions-missing = Faltan las instrucciones.
words-missing = Faltan las palabras después del nombre.
minutes-range = Los minutos son un número de 1 a 525600.
incident-verbs = La primera palabra es ack o close, la segunda un número.
playbook-verbs = La primera palabra es undo, keep, yes, no o close, la segunda un número.
role-verbs = La primera palabra es give o take.
role-words = El papel es auditor, operator, admin u owner.
silence-kind = El tipo es uno de los que muestra /alerts, o all.
silence-time = El tiempo es como 30m, 2h o 1d, 30d como máximo; off termina el silencio.
quota-whom = Para quién es: un identificador, el nombre de un agente o `hall`.
quota-words = Después de la cantidad va `tokens` o `money`, y `day` o `month`.
quota-amount = La cantidad es un número, `none` para no poner límite, o `usual`.
rule-verbs = La primera palabra es add, test, shadow, enforce, remove, alarms o unmark.
rule-action = La acción es flag, redact o refuse.
rule-pattern = Falta el patrón: una expresión regular.
rule-days = Los días son un número de 1 a { $most }.
rule-reference = La referencia son ocho cifras hexadecimales; /rule alarms las muestra.
rule-too-many-words = Sobran palabras: basta el nombre de la regla.
rule-name = El nombre de una regla tiene de 1 a 64 de a-z, 0-9 y _.
rule-noted = { $rule } está anotada y aún no se aplica. /rule test { $rule } dice qué habría detenido, /rule shadow { $rule } la deja mirar sin actuar.
rule-enforced = { $rule } se aplica desde el próximo mensaje.
rule-shadowed = { $rule } está a prueba: juzga y cuenta, y no detiene nada.
rule-switched-off = { $rule } ya no se aplica.
rule-removed = { $rule } ya no está.
rule-unmarked = { $reference } ya no está marcada.
marked-question = Marcada como falsa alarma. Esa misma pregunta pasa desde ahora. /rule alarms muestra las marcas, y las reglas nuevas se comprueban con ellas.
marked-answer = Marcada como falsa alarma. Las respuestas así se retienen de todos modos. /rule alarms muestra las marcas, y las reglas nuevas se comprueban con ellas.
held-back-gone = ⚠️ Ese texto ya no está.
done-spawned = { $agent } está aquí. /agent { $agent } habla con él.
done-edited = { $agent } tiene instrucciones nuevas, desde el próximo mensaje.
done-model-set = { $agent } pregunta ahora primero a { $model }.
done-paused = { $agent } descansa. /resume { $agent } lo despierta.
done-resumed = { $agent } está despierto.
done-retired = { $agent } se ha ido. Sus conversaciones quedan guardadas.
done-allowed = { $id } ya puede hablar.
done-denied = { $id } ya no está en la lista.
done-blocked = { $id } está bloqueado.
done-blocked-for =
    { $minutes ->
        [one] { $id } está bloqueado durante 1 minuto.
       *[other] { $id } está bloqueado durante { $minutes } minutos.
    }
done-unblocked = { $id } ya no está bloqueado.
done-role-given = { $person } es ahora { $role }.
done-role-taken = { $person } ya no tiene ningún papel.
run-acts = La ejecución { $run } actúa ahora. /playbooks muestra lo que hace.
run-does-nothing = La ejecución { $run } no hace nada.
run-undone = Lo que hizo la ejecución { $run } está deshecho.
run-kept = Lo que hizo la ejecución { $run } queda hasta que alguien lo deshaga: /playbooks.
run-closed = El incidente de la ejecución { $run } está cerrado.
run-needs = ⚠️ Lo que hizo este playbook solo lo puede cambiar: { $role } o superior.
run-over = Esa ejecución terminó y ya no está a mano. /playbooks muestra lo que está en vigor.
roles-head = Quién tiene un papel:
role-by-configuration = { $role }, por la configuración
roles-foot = /role give <id> <role> da uno, /role take <id> lo quita.
no-incident = No hay ningún incidente abierto.
incident-closed = El incidente { $incident } está cerrado.
incident-acknowledged = El incidente { $incident } está atendido.
no-such-incident = No hay ningún incidente abierto { $incident }. /incidents muestra los que hay.
nothing-changed = No se cambió nada: { $why }.
not-shown = No se muestra nada: { $why }.
audit-busy = hay demasiado esperando para el registro de auditoría
audit-unavailable = el registro de auditoría no acepta entradas
sentence = { $text }.
no-older-records = No hay entradas más antiguas a mano. `guildhall audit list` las muestra todas.
not-agent-taken = Ya hay un agente llamado { $agent }. /edit cambia sus instrucciones.
not-no-such-agent = No hay ningún agente llamado { $agent }. /agents muestra quién está.
not-no-such-model = No hay ningún modelo llamado { $model }. Modelos conocidos: { $known }.
not-too-many-agents = Ya hay { $most } agentes, que es el máximo. Despide antes a uno con /retire.
not-bad-instructions = Las instrucciones deben tener de 1 a { $most } caracteres.
not-is-admin = Es un administrador. Los administradores están en la configuración y aquí no se pueden quitar ni bloquear.
not-allowed = Eso ya no puedes hacerlo.
not-role-is-fixed = Ese papel está en la configuración y aquí no se puede cambiar.
not-no-role = Esa persona no tiene papel. /role muestra quién tiene uno.
not-no-person = Solo una persona puede tener un papel: su identificador es un número positivo.
not-too-many-roles = Ya hay { $most } personas con un papel, que es el máximo. /role take quita uno.
not-rule-taken = Ya hay una regla llamada { $rule }. /rule remove { $rule } la quita.
not-no-such-rule = Ningún administrador dio una regla llamada { $rule }. /rule muestra las que hay.
not-too-many-rules = Ya hay { $most } reglas, que es el máximo. Quita antes una con /rule remove.
not-bad-rule = Esa regla no sirve, así que no se cambió nada: { $why }
not-alarm-known = { $reference } ya está marcada como falsa alarma.
not-no-such-alarm = { $reference } no está marcada. /rule alarms muestra las marcas.
not-too-many-alarms = Ya hay { $most } marcas, que es el máximo. /rule unmark quita una.
not-too-many-quotas = Ya hay cuotas para { $most }, que es el máximo. Devuelve antes una con `usual`.
not-settled = Eso ya está resuelto: /playbooks muestra lo que está en vigor.
not-officers-spared = Eso afecta a responsables, y a ellos se los respeta.
not-so-already = Ya es así.
not-nothing-held-back = Ese texto ya no está, así que no se marcó nada.
not-stored = El cambio no se pudo guardar, así que no se cambió nada. Inténtalo de nuevo, por favor.

## El panel

panel-refresh = 🔄 Actualizar
panel-mute = 🔕 Silencio 1 hora
panel-unmute = 🔔 Avisar de nuevo
panel-agents = ⏸ Cuarentena
panel-actors = ♻️ Reiniciar
panel-drain = 🚪 Rechazar
panel-fill = 🚪 Aceptar preguntas de nuevo
panel-yes = ⚠️ Sí, hazlo
panel-back = ↩️ Volver
state-muted = 🔕 Nadie recibe avisos hasta las { $time } UTC
state-drained = 🚪 Las preguntas nuevas se rechazan.
state-as-of = A fecha de { $time } UTC
ask-pause = ¿Debe descansar { $agent }? Quien hable con él lo sabrá hasta que alguien lo despierte.
ask-restart = ¿Reiniciar { $part }? Lo que espera se guarda; lo que está haciendo empieza de nuevo, y puede que alguien espere un poco más.
ask-drain = ¿Rechazar las preguntas nuevas, pidiendo que se pregunte más tarde? Lo que está en curso se responde. Termina con el mismo botón y cuando la casa arranca de nuevo.
restarting = ♻️ Se está reiniciando { $part }. Actualizar muestra si ya está de vuelta.
drained = 🚪 Las preguntas nuevas se rechazan; lo que está en curso se responde.
filled = 🚪 Se aceptan preguntas de nuevo.
paused = ⏸ { $agent } descansa.
resumed = ▶️ { $agent } está despierto.
offer-too-old =
    { $minutes ->
        [one] Ese botón vale 1 minuto, y ya pasó: no se hizo nada. Elige de nuevo.
       *[other] Ese botón vale { $minutes } minutos, y ya pasaron: no se hizo nada. Elige de nuevo.
    }
role-needed = Eso solo lo puede hacer { $role }: lo causó un playbook. No se hizo nada.
not-there = Aquí no hay { $part }: no se hizo nada.
nothing-done = ⚠️ No se hizo nada: { $why }
alerter-away = El avisador no está; inténtalo de nuevo, por favor.
muted = 🔕 Durante una hora nadie recibe avisos.
unmuted = 🔔 Los responsables reciben avisos de nuevo.

## Listas para responsables

quotas-head = Lo que se puede usar de los modelos:
quota-each-person = cada persona
quota-each-group = cada grupo
quota-each-agent = cada agente
quota-hall = la casa
quota-person = persona { $id }
quota-group = grupo { $id }
quota-agent = agente { $agent }
quota-set-here = { $quota } (fijado aquí)
quota-of = { $who } puede usar: { $allowed }
quota-any = tanto como quiera
quota-a-day = { $amount } al día
quota-a-month = { $amount } al mes
quota-tokens = tokens
quota-money = dinero
quota-set-usual = Para { $who }, { $what }: vale lo que dice la configuración.
quota-set-any = { $who } puede usar sin límite: { $what }.
quota-set-most = { $who } puede usar { $amount }.
rules-head = Reglas de los administradores:
rules-none = Aquí no hay ninguna regla todavía. /rule add <nombre> <acción> <patrón> anota una.
rules-foot = Reglas en archivos: guildhall rules check.
rule-left-out = • { $rule } (omitida, { $why })
list-more = • … y más
held-back-head = El guardián detuvo esta pregunta a { $agent }:
alarms-head = Falsas alarmas:
alarms-none = No hay nada marcado. Lo hace el botón debajo de un rechazo.
alarms-foot = /rule unmark <ref> quita una marca.
alarm-answer = • { $reference }: respuesta de { $agent } ({ $rules })
alarm-question = • { $reference }: pregunta a { $agent } ({ $rules })
incidents-head = Lo que conviene mirar:
incidents-foot = /incidents ack <número>, /incidents close <número>
incident-times =
    { $count ->
        [one] 1 vez
       *[other] { $count } veces
    }
incident-since = desde { $time }, { $stage }
audit-head = Lo que se hizo, lo más nuevo primero:
audit-foot = `guildhall audit verify` dice si todo está como se escribió.
audit-older = Anteriores

## Herramientas y otros agentes

tool-wanted = 🔧 { $agent } quiere usar { $tool }, y eso puede cambiar algo:
tool-wanted-again = 🔧 Me reiniciaron mientras { $agent } usaba { $tool }. Puede que se hiciera o puede que no. ¿Se hace (otra vez)?
tool-no-details = (sin más detalles)
tool-cut = { $text }… ({ $left } caracteres más)
tool-allow =
    { $minutes ->
        [one] Solo tú puedes permitirlo, una vez, en { $minutes } minuto.
       *[other] Solo tú puedes permitirlo, una vez, en { $minutes } minutos.
    }
button-allow = ✅ Permitir una vez
button-deny = ✖️ No
tool-settled = Eso ya está decidido. Pregunta otra vez si aún lo quieres.
tool-of-another = Eso solo lo puede decidir la persona a quien se preguntó.
tool-too-late = Hace ya demasiado tiempo, así que no se hizo nada. Pregunta otra vez si aún lo quieres.
handed-over = 🔁 { $to } toma el relevo de { $from }. Para volver: /agent { $from }
button-back-to = ↩️ Volver a { $agent }
agent-asked = 🗣 { $from } preguntó a { $to }: { $what }
agent-held-back = (retenida)
agent-no-answer = (sin respuesta)
more-in-trace = … y más, mira /trace
panel-answer-held-back = { $agent }: la respuesta se retuvo.
nobody-to-ask = Aquí no hay nadie a quien pueda preguntar. /agents muestra quién está.

## Recordatorios y horas fijas

times-how = La hora se escribe en inglés, como «every weekday 8:00», «every 2 hours» o «tomorrow 9:00», o con los cinco campos de una regla cron, como 0 8 * * 1-5.
remind-how =
    Dime cuándo (en inglés) y después qué. Por ejemplo:
    /remind in 20 minutes sacar el pan
    /remind tomorrow 9:00 llamar a Ada
    /remind 2026-12-01 18:00 comprar los regalos
    /remind every monday 8:00 planear la semana

    /reminders muestra lo que hay. /remind zone Europe/Berlin fija tu zona horaria.
remind-nobody = Solo puedo recordar cosas a una persona. Escribe con tu propio nombre, por favor.
reminder-of-another = Ese recordatorio es de otra persona. /reminders muestra los tuyos.
timetable-away = Ahora mismo no se pudo hacer y no cambió nada. Inténtalo otra vez, por favor.
timetable-not-noted = No se muestra ni cambia nada: { $why }.
timetable-deleted = 🗑 Borrado. Ya no llegará.
timetable-gone = Eso ya no está.
zone-set = Las horas que me dices son las de { $zone }. /remind zone Europe/Berlin fija otra zona; lo que ya hay queda como está.
zone-unknown = No existe esa zona horaria. Es un nombre como Europe/Berlin o America/Lima.
time-past = Esa hora ya pasó. Dime una que esté por venir, por favor.
time-too-far = Faltan más de cinco años para eso.
time-too-often =
    { $count ->
        [one] Eso es demasiado frecuente. Entre dos veces tiene que pasar al menos { $count } segundo.
       *[other] Eso es demasiado frecuente. Entre dos veces tienen que pasar al menos { $count } segundos.
    }
timetable-full = Ya hay { $most } y no se guardan más. Borra antes algo: /reminders muestra los tuyos.
reminder-too-long = Es demasiado largo: se guardan como mucho { $most } caracteres.
reminder-set = ⏰ Te lo recordaré el { $when }: { $text }
schedule-set = ⏰ Se preguntará a { $agent } el { $when }.
comes-again = Esa es la primera vez; después se repite.
reminders-foot = /reminders muestra y borra lo que hay.
schedules-foot = /schedules muestra y borra lo que hay.
reminders-none = Aquí no hay ningún recordatorio. /remind in 20 minutes sacar el pan crea uno.
schedules-none = A ningún agente se le pregunta nada a horas fijas. /schedule sage every weekday 8:00 here ¡Buenos días! lo hace.
reminders-head = ⏰ Lo que te recordaré:
schedules-head = ⏰ Lo que se pregunta a los agentes a horas fijas:
asked-in = { $agent } en { $chat }:
button-delete = 🗑 Borrar { $number }
reminder-late = ⏰ Esto tocaba el { $when }, mientras yo no estaba: { $text }
prompt-missed = ⏰ Había que preguntar a { $agent } el { $when }, mientras yo no estaba. Esa vez se dejó; sigue con la próxima.
when-and-after =
    { $count ->
        [one] { $when } y después una vez más
       *[other] { $when } y después { $count } veces más
    }
moment = { $weekday } { $date } de { $month_name } de { $year }, { $time } ({ $zone })
weekday =
    { $day ->
        [1] lunes
        [2] martes
        [3] miércoles
        [4] jueves
        [5] viernes
        [6] sábado
       *[7] domingo
    }
month =
    { $month ->
        [1] enero
        [2] febrero
        [3] marzo
        [4] abril
        [5] mayo
        [6] junio
        [7] julio
        [8] agosto
        [9] septiembre
        [10] octubre
        [11] noviembre
       *[12] diciembre
    }
schedule-agent = La primera palabra es el nombre de un agente.
schedule-chat = Después de la hora va «here» o el id de un chat.
schedule-prompt = Al final va lo que se pregunta al agente.

## Imágenes, grabaciones y archivos

cannot-use = Con eso no puedo hacer nada. { $works } No se descargó ni se guardó nada de ello.
works-text-alone = Solo sé leer texto: escribe lo que quieres saber, por favor.
works-one = Lo que funciona: texto y { $one }.
works-many = Lo que funciona: texto, { $others } y { $last }.
works-voice = mensajes de voz o grabaciones de hasta { $span }
works-pictures = imágenes de hasta { $size }
works-files = archivos de texto simple (TXT, Markdown, CSV) de hasta { $size }
up-to-seconds =
    { $count ->
        [one] { $count } segundo
       *[other] { $count } segundos
    }
up-to-minutes =
    { $minutes ->
        [one] { $minutes } minuto
       *[other] { $minutes } minutos
    }
cannot-see = { $agent } no puede mirar imágenes: ninguno de los modelos a los que puede preguntar ve. Descríbela con palabras o pregunta a otro agente (/agents).
picture-alone = ¿Qué se ve en esta imagen?
file-alone = ¿Qué dice este archivo, en pocas palabras?
recording-too-long = Esa grabación es demasiado larga para mí: hasta { $span }, por favor. No se descargó nada de ella.
file-too-large = Ese archivo es demasiado grande para mí: hasta { $size }, por favor. No se guardó.
file-unreadable = No pude hacer nada con ese archivo: está dañado o tiene una forma que no conozco. No se guardó. Envíalo en otra forma o escribe, por favor.
nothing-heard = Escuché y no oí palabras. Grábalo otra vez o escribe, por favor.
not-taken-in = Lo siento, ahora mismo no pude recibir lo que enviaste. Envíalo otra vez dentro de un rato o escribe, por favor. (ref. { $reference })
privacy-hears = ; lo que grabas va antes a { $who }, que lo convierte en texto
privacy-speaks = ; { $who } lee en voz alta la respuesta
heard = 🎙 He oído: { $text }

## Preguntas editadas, respuestas largas, bots de un agente

supersedes = ✏️ Editaste tu pregunta. Esta respuesta ocupa el lugar de la anterior.
edited-piece = ✏️ Veo que editaste una parte de tu pregunta. Envíame otra vez la pregunta entera, por favor, y la responderé.
long-answer = 📄 La respuesta es larga: aquí está entera.
bot-description =
    Agentes de IA que responden aquí, cada uno con su tarea.

    Pulsa Iniciar y escribe sin más: puedes enviar varios mensajes seguidos, editar lo que preguntaste y detener una respuesta. /agents muestra quién está aquí, /privacy qué se guarda de lo que escribes, y /forget lo borra.
bot-short-description = Agentes de IA que responden aquí. Lo que escribes se guarda cifrado; /forget lo borra.
bot-of-alone = Este bot es solo de { $agent }: aquí no responde nadie más. Escribe sin más.
bot-of = Este bot es solo de { $agent }
bot-rests = Ahora está descansando.
bot-awake = Escribe sin más.

## Para responsables: incidentes, lo apartado, copias de seguridad, informes

incident-head = Incidente { $incident }: { $kind }, { $severity }
incident-weight =
    { $count ->
        [one] { $count } vez, peso { $weight }
       *[other] { $count } veces, peso { $weight }
    }
incident-span = De { $since } a { $last }
incident-stage = Estado: { $stage }.
incident-noted = Lo anotado, lo más reciente primero:
incident-export = { $command } lo escribe todo, firmado.
button-acknowledge = Tomar nota
button-close = Cerrar
incident-not-at-hand = No tengo a mano ningún incidente { $incident }. /incidents muestra los abiertos.
incident-number = El número es uno de los que muestra /incidents.
nothing-done-because = No se hizo nada: { $why }.
failed-because = { $what }: { $why }.
backups-not-shown = No se pueden ver las copias de seguridad
aside-not-shown = No se puede ver lo que se apartó
nothing-was-done = No se hizo nada
backup-not-made = No se hizo ninguna copia de seguridad
report-not-made = No hay informe
aside-none = No hay nada apartado.
aside-head = Lo que se apartó, lo más reciente primero:
aside-foot = /quarantine retry <ref> lo devuelve para un intento más, /quarantine drop <ref> lo quita de esta lista.
some-time-ago = hace algún tiempo
chat-unknown = un chat desconocido
chat-of = el chat de { $person }
chat-group = grupo { $group }
aside-unread = no se pudo leer
aside-failed = falló demasiadas veces
aside-put-back = { $why }, devuelto, y espera su turno
and-more = … y { $count } más
not-no-such-aside = No hay nada apartado con la ref. { $reference }. /quarantine muestra lo que hay.
aside-unreadable = esta versión mía no puede leerlo
aside-not-kept = lo recibido ya no se guarda
aside-stays = { $reference } no se puede devolver: { $why }. /quarantine drop { $reference } le pone fin.
aside-retried = { $reference } está devuelto y tiene un intento más.
aside-had-its-turn = { $reference } ya se devolvió: tuvo su intento.
aside-dropped = { $reference } está fuera de la lista.
aside-verbs = La primera palabra es retry o drop.
aside-reference = La ref. tiene ocho cifras, como la muestra /quarantine.
backup-nothing-new = No se ha escrito nada desde la copia { $name }.
backup-made = La copia { $name } está hecha y se leyó de nuevo: { $bytes } bytes en { $took } ms; antiguas eliminadas: { $removed }. No contiene ninguna clave: guarda copias de la clave y del llavero en otro lugar.
backup-line = { $name } · { $time } (hace { $hours } h) · { $bytes } bytes
backup-words = No escribas nada detrás, o list.
backups-none = Aún no hay ninguna copia de seguridad. /backup hace una.
backups-head = Copias de seguridad, las más recientes primero:
backups-foot = `guildhall backup drill` prueba una.
report-sent = Esta es la sala frente a { $standard }, control por control, con lo que falta.
report-standards = La norma es una de { $standards }.
trace-heard-by = Escuchado por: { $model }
trace-tools = Herramientas y otros agentes:

# Todos los textos fijos en español. Las órdenes (/help), los nombres entre llaves y las palabras en `comillas` quedan como están.

## Inicio

hello = ¡Hola, { $name }!
hello-nameless = ¡Hola!
greeting-host =
    Estás hablando con { $agent }, un asistente de IA.{ $about }
    Escribe sin más, como a una persona. /agents muestra quién más está aquí.
greeting-can = ✅ Lo que puedo hacer: explicar, escribir y planear contigo, y recordarte cosas (/remind).
greeting-cannot = ⚠️ Lo que no puedo: acertar siempre. Comprueba, por favor, lo importante, como salud, dinero o leyes.
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
help-talk = 💬 Hablar
help-remember = 🧠 Recordar
help-you = 🔒 Tú y tus datos
help-agents = 🤖 Agentes
help-people = 👥 Personas
help-watch = 🛡 Cuidar de todo
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
turned-away = Ahora mismo no acepto preguntas nuevas porque me están haciendo mantenimiento. Pregunta de nuevo en unos minutos, por favor. Las órdenes funcionan como siempre.
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
status-one-ill = ⚠️ Una parte de mí no funciona ahora mismo. Tus mensajes se guardan y se responden más tarde.
status-many-ill = ⚠️ Algunas partes de mí no funcionan ahora mismo. Tus mensajes se guardan y se responden más tarde.

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
cmd-files = ver qué archivos tuyos guardo y borrarlos
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
cmd-invite = crear un enlace que deja entrar a una persona
    .usage = [<horas>]
cmd-invites = ver y retirar los enlaces abiertos
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
cmd-report = medir la casa con una norma
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
panel-agents = ⏸ Dejar descansar a un agente
panel-actors = ♻️ Reiniciar una parte
panel-drain = 🚪 Sin preguntas nuevas
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
alerter-away = ahora mismo no se llega a los avisos; inténtalo de nuevo en un momento, por favor.
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

## Para responsables: papeles, avisos, playbooks, pruebas de reglas, el estado completo

role-auditor = auditor
role-operator = operador (operator)
role-admin = administrador (admin)
role-owner = propietario (owner)
severity-low = leve
severity-medium = media
severity-high = grave
incident-guard = textos detenidos
incident-access = intentos sin permiso
incident-crash = fallos de una parte
incident-leak = fugas evitadas
incident-budget = agotado
incident-usage = uso fuera de lo normal
stage-open = abierto
stage-acknowledged = visto
stage-closed = cerrado
alert-lapsed = ☑️ No ha vuelto a pasar en 10 minutos: { $text }
alert-over = ✅ Terminado: { $text }
alert-in-hand = 🙋 Atendido: { $text }
alert-what-to-do = Qué hacer: { $place }
alert-foot = Para no recibirlo durante 2 horas: /silence { $kind } 2h
button-in-hand = 🙋 Me encargo yo
alert-times = { $text } ({ $count } veces)
alert-and-more = { $text } (y { $count } más)
silence-ended = 🔔 Vuelves a recibir avisos de { $kind }.
silence-begun =
    { $minutes ->
        [one] 🔕 Durante 1 minuto nadie recibe avisos de { $kind }. /silence { $kind } off lo termina.
       *[other] 🔕 Durante { $minutes } minutos nadie recibe avisos de { $kind }. /silence { $kind } off lo termina.
    }
alert-taken = ✅ { $kind } está en tus manos: no se avisa a nadie más. /alerts muestra lo que sigue abierto.
alerts-more = … y más: `guildhall alerts list`
alerts-none = ✅ Que yo sepa, todo va bien.
alert-silenced = 🔕 { $kind } está en silencio hasta { $time }
alert-since =
    { $count ->
        [one] una vez, desde { $time }
       *[other] { $count } veces desde { $time }
    }
alert-is-in-hand = atendido
alert-not-told = aún sin avisar: { $places }
alert-line = { $kind }: { $headline } ({ $details })
alert-not-open = No hay ningún aviso abierto llamado { $kind }.
alert-no-poll = No se llega a Telegram desde hace { $value }: los mensajes nuevos esperan allí.
alert-llm-errors = Falló el { $value } de las consultas a los modelos en 5 minutos.
alert-slow-replies = Una de cada veinte respuestas de los últimos 10 minutos tardó más de { $value }.
alert-restarts =
    { $count ->
        [one] Partes de la casa se reiniciaron 1 vez en 10 minutos.
       *[other] Partes de la casa se reiniciaron { $count } veces en 10 minutos.
    }
alert-quarantine = Mensajes apartados en la última hora: { $count }.
alert-disk-full = Solo queda libre el { $value } del disco.
alert-backup-old = La última copia de seguridad buena tiene { $value }.
alert-guard-blocks = El guardián detuvo en una hora { $count } textos: más de 5 veces lo normal.
alert-cost = Las respuestas de la última hora costaron { $value }: más de 5 veces lo normal.
alert-poll = No se pueden recoger mensajes de Telegram: { $why }.
alert-store = Los mensajes no se pueden guardar, así que no se aceptan: { $why }.
alert-set-aside = Se apartó un mensaje que fallaba una y otra vez (ref. { $reference }).
alert-session = Una conversación falló demasiadas veces y descansa un rato: { $why }.
alert-backup-overdue = Sin copia de seguridad buena desde hace { $value }.
alert-backup-failed = Falló una copia de seguridad: { $why }
alert-budget-over = { $who }: se ha agotado lo permitido para este { $span }. Se rechazan las preguntas.
alert-budget-near = { $who }: se ha usado el { $value } de lo permitido para este { $span }.
alert-bot = Un bot no se puede conectar, los demás siguen: { $why }.
alert-tool-servers = Servidores de herramientas que no están, terminan una y otra vez o han cambiado: { $count }. `/status` dice cuáles.
alert-log = Líneas del registro perdidas: { $count }. El disco está lleno o va lento, o nadie lee la salida estándar.
alert-trial = Esto es una prueba del camino que siguen los avisos. Todo va bien.
part-hall = La casa
part-agent = El agente { $agent }
part-day = día
part-month = mes
span-seconds = { $count } s
span-minutes = { $count } min
span-hours = { $count } h
run-about = El playbook { $playbook } actúa en el incidente { $incident }: { $rest }
run-about-asks = El playbook { $playbook } pregunta si puede actuar en el incidente { $incident }: { $rest }
run-about-stopped = El playbook { $playbook } se detuvo en el incidente { $incident }: { $rest }
run-in-short = Playbook { $playbook }, en el incidente { $incident }: /playbooks dice más.
run-what = { $signs } de { $who }. { $steps }.
run-the-hall = la casa
run-with = { $who } con { $agent }
run-signs =
    { $count ->
        [one] 1 indicio
       *[other] { $count } indicios
    }
step-block = bloquear
step-pause = dejar descansar a { $agent }
step-pause-agent = dejar descansar al agente
step-slow =
    { $count ->
        [one] aceptar 1 mensaje por minuto
       *[other] aceptar { $count } mensajes por minuto
    }
step-tighten = dejar { $count } tokens al día
step-gather = reunir lo que se preguntó
step-list = hacer una lista de lo que se tocó
step-rule = proponer una regla
step-compare = comparar con lo normal
step-left-out = { $what }: no hecho, { $why }
step-over = { $what }: terminado
step-done = { $what }: hecho
step-done-kept = { $what }: hecho, hasta que alguien lo deshaga
step-done-until = { $what }: hecho, hasta { $time }
spared-officers = no se aplica a los responsables
spared-so-already = ya era así
spared-gone = ya no está
spared-nothing = no había de qué hacerlo
spared-refused = no se pudo hacer
found-questions =
    { $count ->
        [one] 1 pregunta, por referencia
       *[other] { $count } preguntas, por referencia
    }
found-touched = preguntas a { $agents }: { $questions }, conversaciones: { $chats }, cosas recordadas: { $facts }
found-too-little = las preguntas rechazadas tienen muy poco en común
found-rule =
    { $count ->
        [one] regla { $rule } de 1 pregunta rechazada, a prueba
       *[other] regla { $rule } de { $count } preguntas rechazadas, a prueba
    }
found-used = { $used } tokens en esta hora, lo normal { $usual }
playbooks-head = Playbooks:
playbooks-none = ninguno
playbooks-done = Lo que hicieron y sigue en vigor:
playbooks-nothing = nada
playbooks-more = … y más: `guildhall playbooks list`
playbook-acts = { $playbook } (actúa): { $about }
playbook-asks = { $playbook } (pregunta antes): { $about }
button-run-yes = ▶️ Hacerlo
button-run-no = ✋ No hacerlo
button-run-undo = ↩️ Deshacer
button-run-keep = 📌 Dejarlo así
button-run-close = ✅ Cerrar incidente
refusal-question = 🛡 El guardián detuvo una pregunta a { $agent } (ref. { $reference }).
refusal-answer = 🛡 El guardián detuvo una respuesta de { $agent } (ref. { $reference }).
refusal-newest = Es la más reciente de { $count } desde la última vez que te avisé.
button-show-text = 👁 Mostrar el texto
button-false-alarm = ✅ Falsa alarma
step-wants = { $agent } quiere usar:
step-asks = { $agent } pregunta a { $asked }: { $what }
step-uses = { $agent } usa { $tool }: { $what }
step-failed = Falló: { $what }
step-gave = Devolvió: { $what }
step-gave-much =
    { $count ->
        [one] devolvió 1 carácter
       *[other] devolvió { $count } caracteres
    }
step-held-back = retenido
step-judged = El guardián dice: { $verdict }
step-may-it = Se pregunta si se puede usar, para: { $what }
step-allowed = Se puede usar, una vez.
step-denied = No se puede usar.
step-hands-over = { $from } pasa el relevo a { $to }: { $note }
steps-more = … y más, ver /export
not-tried = ⚠️ No se probó nada: { $why }
tried-rules =
    { $count ->
        [one] 1 regla
       *[other] { $count } reglas
    }
tried-days =
    { $days ->
        [one] el último día
       *[other] los últimos { $days } días
    }
tried-head = { $rules }, { $past }: de { $texts } textos que pasaron, se habrían detenido { $stopped }.
tried-questions = preguntas a { $agent }
tried-answers = respuestas de { $agent }
tried-counts = { $stopped } de { $texts } ({ $refused } rechazados, { $redacted } tachados, { $flagged } anotados)
tried-turns = Preguntas y respuestas (ref.): { $references }
tried-false-alarms = ⚠️ Detendría lo que está marcado como falsa alarma (ref.): { $references }
tried-incomplete = Había más de lo que se mira de una vez; pide menos días.
tried-unreadable =
    { $count ->
        [one] No se pudo leer 1 entrada.
       *[other] No se pudieron leer { $count } entradas.
    }
status-restarts =
    { $count ->
        [one] 1 reinicio
       *[other] { $count } reinicios
    }
status-waiting = { $count } en espera
status-ago = hace { $span }
status-fault = último fallo: { $fault }
status-model-good = Modelo { $model }: 🟢 en uso
status-model-failing = Modelo { $model }: 🔴 falla, se le deja un momento
status-model-tried = Modelo { $model }: 🟡 se prueba de nuevo
status-server-used = llamadas: { $calls }, fallidas: { $failures }
status-server-good =
    Servidor de herramientas { $server }: 🟢 { $tools ->
        [one] 1 herramienta
       *[other] { $tools } herramientas
    } · { $used }
status-server-poor = Servidor de herramientas { $server }: 🟡 { $problem } · { $used }
status-server-away = Servidor de herramientas { $server }: 🔴 { $problem } · { $used }
status-server-ended = terminó hasta ahora: { $count }, la última vez: { $why }
status-ledger = Almacén: { $waiting } en espera, { $aside } apartados, { $size } en disco, última escritura { $took } ms
status-backup = Copia de seguridad: hace { $span }
status-backup-none = Copia de seguridad: ninguna todavía
status-backup-off = Copia de seguridad: desactivada
status-conversations = Conversaciones en memoria: { $count }
status-version = Guildhall { $version }, en marcha desde hace { $span }
report-caption = Esta casa frente a { $standard }.
export-for-programs = Todo lo que se guarda sobre ti, para programas.
export-to-read = Lo mismo, para leer.
why-not-delivered = no se puede entregar
why-restarted = una parte se reinició; inténtalo de nuevo, por favor
why-backups-off = las copias de seguridad están desactivadas (`backup.every`)
why-takes-long = tarda mucho; /backup list muestra cuándo está

## Herramientas y otros agentes

may-i-does = ✋ { $agent } quiere { $does } ({ $tool }).
may-i-does-so = ✋ { $agent } quiere hacer esto: «{ $does }» ({ $tool }).
may-i-title = ✋ { $agent } quiere usar «{ $title }» ({ $tool }).
may-i-tool = ✋ { $agent } quiere usar { $tool }.
may-i-about = Dice de sí mismo: { $about }
may-i-hand = ✋ { $agent } quiere pasarle esta conversación a { $to }. Desde entonces te responde { $to }, y puedes volver atrás cuando quieras. Esto es lo que sabría { $to }:
may-i-fetch = ✋ { $agent } quiere leer esta página de la web. Quien la mantiene verá la dirección:
may-i-again = ⚠️ Me reiniciaron mientras se hacía esto. Puede que se hiciera o puede que no: míralo antes allí, si puedes. ¿Se hace (otra vez)?
may-i-changes = Esto puede cambiar algo fuera de este chat.
may-i-reads = Esto solo consulta algo.
may-i-strangers = ⚠️ En esta pregunta han entrado palabras de otros. Permítelo solo si es justo lo que quieres.
may-i-cut =
    { $left ->
        [one] { $text }… ({ $left } carácter más, está todo en el archivo de arriba)
       *[other] { $text }… ({ $left } caracteres más, está todo en el archivo de arriba)
    }
may-i-file = 📄 Se te pregunta por algo largo: aquí está todo.
may-i-yes = sí
may-i-no = no
may-i-empty = (vacío)
tool-no-details = (sin más detalles)
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

times-how = La hora es como «cada lunes a las 8», «cada 2 horas», «mañana a las 9» o, con los cinco campos de una regla cron, 0 8 * * 1-5.
remind-how =
    Dime cuándo y después qué. Por ejemplo:
    /remind en 20 minutos sacar el pan
    /remind mañana a las 9 llamar a Ada
    /remind 1.12.2026 18:00 comprar los regalos
    /remind cada lunes a las 8 planear la semana

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
reminders-none = Aquí no hay ningún recordatorio. /remind en 20 minutos sacar el pan crea uno.
schedules-none = A ningún agente se le pregunta nada a horas fijas. /schedule sage cada día 8:00 aquí ¡Buenos días! lo hace.
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
works-documents = documentos (PDF, Word, Excel, PowerPoint, OpenDocument) de hasta { $size }
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
file-locked = Ese documento está protegido con una contraseña. Envíalo sin ella, por favor. No se guardó.
file-too-much = Ese documento se despliega en más de lo que puedo leer, o tarda demasiado. No se guardó. Envía una parte o su texto, por favor.
file-wordless = No encontré palabras en ese documento: quizá sus páginas son imágenes. No se guardó. Envíalo como texto o escribe, por favor.
paper-kept = 📎 Guardo el texto de «{ $name }» para que puedas preguntar por él más tarde. /files muestra lo que guardo y lo borra.
paper-kept-in-part = 📎 Guardo el comienzo del texto de «{ $name }» para que puedas preguntar por él más tarde: contiene más de lo que guardo. /files muestra lo que guardo y lo borra.
papers-full = 📎 He leído este archivo y no lo he guardado: aquí caben como máximo { $count } archivos tuyos con { $size } de texto. /files los muestra y borra lo que ya no necesitas.
papers-none = No guardo ningún archivo tuyo en este chat. Envíame un PDF, un documento de oficina o un archivo de texto y guardo lo que dice, para que puedas preguntar por él más tarde.
papers-head = Tus archivos en este chat, primero el más nuevo. Guardo cifrado lo que dicen y lo busco cuando preguntas:
paper-in-part = el comienzo
paper-deleted = 🗑 «{ $name }» está borrado: ya nadie encuentra nada en él.
paper-gone = Ese archivo ya no se guarda.
papers-of-another = Esos son los archivos de otra persona. /files muestra los tuyos.
papers-of-nobody = Los archivos son de una persona y no veo quién escribe aquí. Escribe como tú, por favor.
papers-away = Ahora no puedo mirar tus archivos. Nada se ha perdido: inténtalo de nuevo dentro de un rato, por favor.
privacy-papers = ; lo que dicen los archivos que envías se guarda cifrado para que los agentes lo busquen solo para ti (/files lo muestra y lo borra)
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
bots-cut-hops = Aquí llevan un rato respondiéndose solo bots. No responderé a otros bots hasta que me escriba una persona.
bots-cut-pace = Aquí los bots escriben muchísimo. No responderé a otros bots hasta que me escriba una persona.
chosen-of-another = Ese botón se mostró a otra persona. /agents y /start te muestran los tuyos.
own-bot-make =
    { $agent } tendrá un bot propio. Abre { $link } y confírmalo en Telegram, por favor: el bot será tuyo y lo conectaré en cuanto Telegram me avise.
own-bot-cannot =
    { $bot } no puede crear bots: activa la gestión de bots en @BotFather, o el servidor de la Bot API es anterior a 9.6. No se ha cambiado nada. También puedes crear un bot en @BotFather y nombrarlo en la configuración.
own-bot-of-nobody = { $bot } ya existe, pero ningún agente espera un bot. /spawn <name> as bot dice para quién es.
own-bot-no-token = Telegram no me da ahora el token de { $bot }, así que no está conectado. Crea un token nuevo en @BotFather, por favor: me avisarán y lo intentaré otra vez.
own-bot-given = { $agent } ya tiene un bot propio: { $link }. Su token se guarda sellado y lo estoy conectando.
done-retired-with-bot = { $agent } se ha ido y { $bot } ya no está conectado. El bot sigue siendo tuyo: @BotFather lo borra.
invite-made =
    Quien abra primero este enlace podrá hablar aquí:
    { $link }
    
    Vale hasta { $time } (UTC), para una persona. Es el número { $number }; /invites muestra los abiertos.
invite-hours = ¿Para cuántas horas? Un número entero hasta { $most }.
invites-none = No hay ningún enlace abierto. /invite crea uno.
invites-head = Estos enlaces están abiertos, cada uno para una persona:
invite-line = Número { $number }, hasta { $time } (UTC)
invite-withdrawn = El enlace número { $number } ya no deja entrar a nadie.
button-withdraw = Retirar { $number }
invite-welcome = Te han invitado y ya puedes hablar aquí. /start empieza.
invite-used = Este enlace ya se usó: cada uno deja entrar a una persona.
invite-over = Este enlace ya no está abierto.
invite-unknown = No conozco este enlace.
invite-ask-anew = Pide otro a quien te lo envió, por favor. Tu número es { $person }.
not-invite-gone = Ese enlace ya se usó o se retiró. /invites muestra los abiertos.
not-too-many-invites = Ya hay { $most } enlaces abiertos: no caben más. /invites retira uno.
not-has-bot = { $agent } ya tiene un bot propio.
not-too-many-bots = Ya hay { $most } agentes con bot propio: no caben más. Retira antes a uno con /retire.
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
backup-made = ✅ La copia { $name } está hecha y se leyó de nuevo: { $size } en { $took } ms; antiguas eliminadas: { $removed }. No contiene ninguna clave: guarda copias de la clave y del llavero en otro lugar.
backup-line = { $name } · { $time } (hace { $hours } h) · { $size }
backup-words = No escribas nada detrás, o list.
backups-none = Aún no hay ninguna copia de seguridad. /backup hace una.
backups-head = Copias de seguridad, las más recientes primero:
backups-foot = `guildhall backup drill` prueba una.
report-sent = Esta es la sala frente a { $standard }, control por control, con lo que falta.
report-standards = La norma es una de { $standards }.
trace-heard-by = Escuchado por: { $model }
trace-tools = Herramientas y otros agentes:

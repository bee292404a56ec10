# كل النصوص الثابتة بالعربية. تبقى الأوامر (/help) والأسماء بين الأقواس والكلمات بين `العلامتين` كما هي.

## البداية

hello = مرحبًا يا { $name }!
hello-nameless = مرحبًا!
greeting-host =
    أنت تتحدث الآن مع { $agent }، وهو مساعد بالذكاء الاصطناعي.{ $about }
    اكتب كما تكتب إلى إنسان. يعرض /agents من هنا أيضًا.
greeting-can = ✅ ما أستطيعه: أن أشرح وأكتب وأخطط معك، وأن أذكّرك بالأمور (/remind).
greeting-cannot = ⚠️ ما لا أستطيعه: أن أصيب دائمًا. تحقق من فضلك من الأمور المهمة، كالصحة والمال والقانون.
greeting-remembers = 🧠 ما أتذكره: محادثتنا وما تطلب مني تذكره. يعرضه /memory، ويبدأ /new من جديد، ويمحو /forget كل شيء.
greeting-try = جرّب واحدًا من هذه:
example-explain = 💡 اشرح شيئًا
    .prompt = اشرح في ثلاث جمل لماذا السماء زرقاء.
example-write = ✍️ اكتب شيئًا
    .prompt = اكتب رسالة شكر لطيفة من سطرين إلى زميل.
example-plan = 🧭 خطط لشيء
    .prompt = ضع لي خطة قصيرة لصباح هادئ ومفيد.
nobody-here = لا يوجد أي وكيل هنا بعد. يستطيع المشرف إحضار وكيل بالأمر /spawn.

## الخصوصية

agree-button = ✅ أوافق
accept-first-kept = قبل أن أجيب أحتاج إلى موافقتك. سؤالك محفوظ: اضغط الزر وستصلك الإجابة.
accept-first-again = قبل أن أجيب أحتاج إلى موافقتك. اضغط الزر ثم أرسل سؤالك مرة أخرى.
accept-as-yourself = أجيب هنا فقط من وافقوا على إشعار الخصوصية. اكتب باسمك من فضلك.
accepted = شكرًا لك. اكتب ما تشاء وستصلك الإجابة.
privacy-notice = 🔒 ما تكتبه يُحفظ مشفّرًا على هذا الخادم كي تبقى المحادثات بعد إعادة التشغيل، إلى أن تمحوه بالأمر /forget. وللإجابة يُرسل إلى { $providers }. المزيد في /privacy{ $contact }.
privacy =
    🔒 خصوصيتك

    ما يُحفظ: رسائلك والإجابات ومعرّفك في Telegram والوكيل الذي تتحدث معه.
    كيف: مشفّرًا بمفتاح يُحفظ بعيدًا عن البيانات. لا تحتوي السجلات على نصوص ولا معرّفات.
    من يراه: للإجابة تُرسل رسالتك والمحادثة الأخيرة وملخص ما سبقها وما طلبت تذكره إلى { $providers }.
    الغرض منه: الإجابة عن أسئلتك. ولا يُستخدم هنا أبدًا لتدريب نموذج.
    المدة: إلى أن تمحوه، أو ما دام القائم على هذا البوت{ $contact } يحتفظ به.
    مع /new ينسى الوكيل عند الإجابة المحادثة السابقة، ويعرض /memory ما يتذكره سواها ويحذفه. يرسل لك /export كل ما هو محفوظ عنك. ويمحوه /forget.
provider-local = نموذج يعمل على هذا الخادم
provider-none = لا نموذج بعد
either = { $one } أو { $other }
only-in-private = هذا بيني وبينك: استخدم هذا الأمر في محادثتنا الخاصة من فضلك.
told-in-private = لقد أجبتك في محادثتنا الخاصة.
open-private = هذا بيني وبينك، ولا يمكنني مراسلتك بعد. افتح { $link } واضغط على زر البدء واسألني هناك من فضلك.
forget-offer =
    هل تريد محو كل شيء عنك؟

    ما يزول: رسائلك والإجابات التي وصلتك وما يتذكره الوكلاء عنك، هنا وفي المجموعات، وكل ما ينتظر الإجابة. ويُتلف مفتاح بياناتك فلا يمكن بعد ذلك قراءة النسخ الاحتياطية أيضًا.
    ما يبقى: هل يُسمح لك باستخدام هذا البوت، وسجلات بلا نصوص ولا أسماء، وما يحتفظ به Telegram نفسه في هذه المحادثة.

    لا يمكن التراجع عن ذلك. يرسل لك /export نسخة قبل المحو. وستحصل على إيصال موقّع.
forget-button = امحُ كل شيء
forgotten = مُحي كل شيء عنك. احتفظ بهذا الإيصال إن أردت، ويستطيع القائم على هذا البوت التحقق منه بالأمر `guildhall person receipt`.
exported = هذا كل ما هو محفوظ عنك: ملف للبرامج وملف للقراءة. ويمحوه /forget.
too-much-to-export = البيانات أكثر مما يتسع له ملف هنا. اسأل القائم على هذا البوت من فضلك: يستطيع إعداد النسخة نفسها بالأمر `guildhall person export`.

## المساعدة واللغة

help-head = اكتب ما تشاء وسيجيبك وكيل. ويمكنك أيضًا استخدام:
help-foot = في المجموعة اذكرني أو ردّ عليّ أو استخدم أمرًا.
help-more = يعرض زر القائمة كل الأوامر.
help-talk = 💬 الحديث
help-remember = 🧠 التذكر والتذكير
help-you = 🔒 أنت وبياناتك
help-agents = 🤖 الوكلاء
help-people = 👥 الأشخاص
help-watch = 🛡 العناية بكل ذلك
language-ask = بأي لغة أتحدث في هذه المحادثة؟ أما الوكلاء فيجيبون باللغة التي تكتب بها.
language-auto = كما في Telegram
language-set = من الآن أتحدث هنا بالعربية.
language-automatic = من الآن أتحدث بلغة تطبيق Telegram لديك إن كنت أعرفها.
language-unknown = لا أتحدث هذه اللغة بعد. يعرض /language اللغات التي أعرفها.
language-officers = في المجموعة لا يغيّر اللغة إلا من يعتني بهذا البوت. أما في محادثتنا الخاصة فتختارها بنفسك.

## الوكلاء

agents-head = من هنا:
agent-here = ← أنت تتحدث معه
agent-rests = (في استراحة)
talk-to = تحدث مع { $agent }
switched = أنت تتحدث الآن مع { $agent }.{ $about }
no-such-agent = لا يوجد هنا وكيل اسمه «{ $name }». يعرض /agents من هنا.
agent-paused = { $agent } في استراحة الآن. يعرض /agents من هنا أيضًا.
fresh = محادثة جديدة مع { $agent }. لم يعد ما قيل من قبل مستخدمًا.

## الأسئلة

stopped = توقفت. يعيد /retry السؤال نفسه.
nothing-to-stop = لا يُكتب شيء في هذه اللحظة.
nothing-to-retry = لا يوجد سؤال سابق لإعادته. اكتب سؤالًا.
unknown-command = لا أعرف هذا الأمر. يعرض /help ما أفهمه.
usage = طريقة الاستخدام: { $command }
refused-prompt = أفضّل ألا أجيب عن هذا. قله بكلمات أخرى من فضلك.
refused-draft = حُجبت الإجابة لأن فيها ما لا يجوز عرضه. اسأل بطريقة أخرى أو اضغط /retry. (المرجع { $reference })
apology = عذرًا، لم أحصل على إجابة الآن. رسالتك لم تضع: يسأل /retry مرة أخرى. (المرجع { $reference })
too-slow = عذرًا، استغرق هذا وقتًا طويلًا فتوقفت عن الانتظار. رسالتك لم تضع: يسأل /retry مرة أخرى. (المرجع { $reference })
busy = كثيرون يسألون في الوقت نفسه. رسالتك لم تضع: اضغط /retry بعد دقيقة من فضلك. (المرجع { $reference })
quarantined = عذرًا، في هذه الرسالة ما يجعلني أتعثر، لذلك وضعتها جانبًا وأخبرت القائمين عليّ. يمكنك متابعة الكتابة. (المرجع { $reference })
one-at-a-time = واحدة تلو الأخرى من فضلك: ما زلت مشغولًا برسائلك السابقة.
turned-away = لا أقبل أسئلة جديدة الآن لأن صيانتي جارية. اسأل مرة أخرى بعد دقائق من فضلك. والأوامر تعمل كالمعتاد.
stranger = هذا البوت خاص. إن كان يحق لك استخدامه فأرسل هذا الرقم إلى القائم عليه: { $person }. لم يُحفظ شيء مما كتبته.
slow-down = كان ذلك كثيرًا دفعة واحدة. لم أقبل الرسالة الأخيرة: انتظر لحظة وأرسلها مرة أخرى من فضلك.
ignored-for =
    { $minutes ->
        [zero] حرصًا على العدل بين الجميع لن أتفاعل مع رسائلك لحظة.
        [one] حرصًا على العدل بين الجميع لن أتفاعل مع رسائلك مدة دقيقة واحدة.
        [two] حرصًا على العدل بين الجميع لن أتفاعل مع رسائلك مدة دقيقتين.
        [few] حرصًا على العدل بين الجميع لن أتفاعل مع رسائلك مدة { $minutes } دقائق.
       *[other] حرصًا على العدل بين الجميع لن أتفاعل مع رسائلك مدة { $minutes } دقيقة.
    }
must-wait =
    { $minutes ->
        [one] بدت بعض رسائلك الأخيرة محاولة لتجاوز قواعدي، لذلك آخذ استراحة من محادثتنا: نحو دقيقة واحدة. لم أحتفظ بالرسالة التي أرسلتها للتو، ولم يضع شيء غيرها. اكتب بعد ذلك من فضلك. وإن كان هذا خطأ فالقائمون على هذا البوت يعلمون به ويستطيعون إنهاء الاستراحة قبل ذلك.
        [two] بدت بعض رسائلك الأخيرة محاولة لتجاوز قواعدي، لذلك آخذ استراحة من محادثتنا: نحو دقيقتين. لم أحتفظ بالرسالة التي أرسلتها للتو، ولم يضع شيء غيرها. اكتب بعد ذلك من فضلك. وإن كان هذا خطأ فالقائمون على هذا البوت يعلمون به ويستطيعون إنهاء الاستراحة قبل ذلك.
        [few] بدت بعض رسائلك الأخيرة محاولة لتجاوز قواعدي، لذلك آخذ استراحة من محادثتنا: نحو { $minutes } دقائق. لم أحتفظ بالرسالة التي أرسلتها للتو، ولم يضع شيء غيرها. اكتب بعد ذلك من فضلك. وإن كان هذا خطأ فالقائمون على هذا البوت يعلمون به ويستطيعون إنهاء الاستراحة قبل ذلك.
       *[other] بدت بعض رسائلك الأخيرة محاولة لتجاوز قواعدي، لذلك آخذ استراحة من محادثتنا: نحو { $minutes } دقيقة. لم أحتفظ بالرسالة التي أرسلتها للتو، ولم يضع شيء غيرها. اكتب بعد ذلك من فضلك. وإن كان هذا خطأ فالقائمون على هذا البوت يعلمون به ويستطيعون إنهاء الاستراحة قبل ذلك.
    }
held-back-pace =
    { $count ->
        [one] استخدمت أكثر من المعتاد بكثير، لذلك أقبل منك الآن رسالة واحدة في الدقيقة. لم أقبل الأخيرة: انتظر لحظة وأرسلها مرة أخرى من فضلك.
        [two] استخدمت أكثر من المعتاد بكثير، لذلك أقبل منك الآن رسالتين في الدقيقة. لم أقبل الأخيرة: انتظر لحظة وأرسلها مرة أخرى من فضلك.
        [few] استخدمت أكثر من المعتاد بكثير، لذلك أقبل منك الآن { $count } رسائل في الدقيقة. لم أقبل الأخيرة: انتظر لحظة وأرسلها مرة أخرى من فضلك.
       *[other] استخدمت أكثر من المعتاد بكثير، لذلك أقبل منك الآن { $count } رسالة في الدقيقة. لم أقبل الأخيرة: انتظر لحظة وأرسلها مرة أخرى من فضلك.
    }

## ما أتذكره

fact-remembered = 📝 سأتذكر: «{ $fact }». يعرض /memory ما أتذكره ويحذفه.
facts-noted =
    { $count ->
        [one] 📝 دوّن { $agent } شيئًا عنك. يعرضه /memory ويحذفه.
        [two] 📝 دوّن { $agent } شيئين عنك. يعرضهما /memory ويحذفهما.
        [few] 📝 دوّن { $agent } { $count } أشياء عنك. يعرضها /memory ويحذفها.
       *[other] 📝 دوّن { $agent } { $count } شيئًا عنك. يعرضها /memory ويحذفها.
    }
fact-known = أتذكر هذا من قبل. يعرض /memory كل شيء.
facts-full =
    { $most ->
        [one] أتذكر شيئًا واحدًا وهو أقصى ما أستطيع. يحذفه /memory.
        [two] أتذكر شيئين وهما أقصى ما أستطيع. يحذف /memory بعض ذلك.
        [few] أتذكر { $most } أشياء وهي أقصى ما أستطيع. يحذف /memory بعضها.
       *[other] أتذكر { $most } شيئًا وهي أقصى ما أستطيع. يحذف /memory بعضها.
    }
fact-too-long =
    { $most ->
        [one] هذا أطول من أن أتذكره: حرف واحد على الأكثر من فضلك.
        [two] هذا أطول من أن أتذكره: حرفان على الأكثر من فضلك.
        [few] هذا أطول من أن أتذكره: { $most } أحرف على الأكثر من فضلك.
       *[other] هذا أطول من أن أتذكره: { $most } حرفًا على الأكثر من فضلك.
    }
nobody-to-remember = لا أستطيع أن أتذكر إلا لمن يكتب باسمه.
memory-none = لا أتذكر هنا شيئًا عنك. اكتب «تذكر أن …» أو استخدم /remember <النص>.
memory-others =
    { $count ->
        [one] طلب شخص آخر أيضًا تذكر شيء هنا.
        [two] طلب آخرون أيضًا تذكر شيئين هنا.
        [few] طلب آخرون أيضًا تذكر { $count } أشياء هنا.
       *[other] طلب آخرون أيضًا تذكر { $count } شيئًا هنا.
    }
memory-head = ما أتذكره هنا:
memory-noted-by = دوّنه { $agent }
memory-more = … والمزيد: احذف شيئًا لترى الباقي.
fact-forgotten = 🗑 نسيت: «{ $fact }». لم يعد مستخدمًا.
fact-forgotten-unseen = 🗑 نسيته. لم يعد مستخدمًا.
fact-gone = هذا منسي من قبل.
fact-of-another = لا يُنسى هذا إلا بطلب من قاله. يعرض /memory أزرارك أنت.

## الاستخدام والحدود

over-cap-person-day = استنفدت ما يمكنك سؤاله اليوم. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /usage ما استُخدم.
over-cap-person-month = استنفدت ما يمكنك سؤاله هذا الشهر. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /usage ما استُخدم.
over-cap-chat-day = استنفدت هذه المجموعة ما يمكنها سؤاله اليوم. أتابع { $resumes }؛ اسألوا حينها مرة أخرى أو اضغطوا /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /usage ما استُخدم.
over-cap-chat-month = استنفدت هذه المجموعة ما يمكنها سؤاله هذا الشهر. أتابع { $resumes }؛ اسألوا حينها مرة أخرى أو اضغطوا /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /usage ما استُخدم.
over-cap-agent-day = أجاب هذا الوكيل اليوم بقدر ما يُسمح له. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /agents من هنا أيضًا.
over-cap-agent-month = أجاب هذا الوكيل هذا الشهر بقدر ما يُسمح له. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء. يعرض /agents من هنا أيضًا.
over-cap-hall-day = أجبت اليوم بقدر ما يُسمح لي. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء.
over-cap-hall-month = أجبت هذا الشهر بقدر ما يُسمح لي. أتابع { $resumes }؛ اسأل حينها مرة أخرى أو اضغط /retry. لم يُرسل شيء إلى نموذج ولم يُحسب شيء.
cap-near-person-day = ℹ️ استخدمت { $percent }٪ مما يمكن سؤاله اليوم. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-near-person-month = ℹ️ استخدمت { $percent }٪ مما يمكن سؤاله هذا الشهر. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-near-chat-day = ℹ️ استخدمت هذه المجموعة { $percent }٪ مما يمكن سؤاله اليوم. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-near-chat-month = ℹ️ استخدمت هذه المجموعة { $percent }٪ مما يمكن سؤاله هذا الشهر. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-near-us-day = ℹ️ استخدمنا { $percent }٪ مما يمكن سؤاله اليوم. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-near-us-month = ℹ️ استخدمنا { $percent }٪ مما يمكن سؤاله هذا الشهر. يبدأ من جديد { $resumes }. المزيد في /usage.
cap-reached-person-day = ℹ️ استخدمت الآن كل ما يمكن سؤاله اليوم. أتابع { $resumes }.
cap-reached-person-month = ℹ️ استخدمت الآن كل ما يمكن سؤاله هذا الشهر. أتابع { $resumes }.
cap-reached-chat-day = ℹ️ استخدمت هذه المجموعة الآن كل ما يمكن سؤاله اليوم. أتابع { $resumes }.
cap-reached-chat-month = ℹ️ استخدمت هذه المجموعة الآن كل ما يمكن سؤاله هذا الشهر. أتابع { $resumes }.
cap-reached-us-day = ℹ️ استخدمنا الآن كل ما يمكن سؤاله اليوم. أتابع { $resumes }.
cap-reached-us-month = ℹ️ استخدمنا الآن كل ما يمكن سؤاله هذا الشهر. أتابع { $resumes }.
at-time = في الساعة { $time }
on-date = في { $date }
time = { $time } ({ $zone })
date =
    { $day } { $month ->
        [1] يناير
        [2] فبراير
        [3] مارس
        [4] أبريل
        [5] مايو
        [6] يونيو
        [7] يوليو
        [8] أغسطس
        [9] سبتمبر
        [10] أكتوبر
        [11] نوفمبر
       *[12] ديسمبر
    }، { $time } ({ $zone })
usage-head = ما استُخدم من النماذج:
usage-you = أنت
usage-today = اليوم: { $used }
usage-month = هذا الشهر: { $used }
usage-by-agent = هذا الشهر بحسب الوكيل:
usage-ends = ينتهي اليوم في الساعة { $day }، والشهر في { $month }.
usage-more = … والمزيد: يعرض `guildhall usage` كل شيء.
used-answers =
    { $count ->
        [zero] لا إجابات
        [one] إجابة واحدة
        [two] إجابتان
        [few] { $count } إجابات
       *[other] { $count } إجابة
    }
used-tokens =
    { $count ->
        [zero] لا رموز
        [one] رمز واحد
        [two] رمزان
        [few] { $count } رموز
       *[other] { $count } رمزًا
    }
used-heard =
    { $count ->
        [zero] لم يُستمع إلى شيء
        [one] دقيقة استماع واحدة
        [two] دقيقتا استماع
        [few] { $count } دقائق استماع
       *[other] { $count } دقيقة استماع
    }
used-spoken =
    { $count ->
        [zero] لم يُنطق شيء
        [one] حرف واحد منطوق
        [two] حرفان منطوقان
        [few] { $count } أحرف منطوقة
       *[other] { $count } حرفًا منطوقًا
    }
used-lost =
    { $count ->
        [one] رمز آخر بلا إجابة
        [two] رمزان آخران بلا إجابة
        [few] { $count } رموز أخرى بلا إجابة
       *[other] { $count } رمزًا آخر بلا إجابة
    }
used-tokens-left = بقي { $left } من { $most } من الرموز
used-money-left = بقي { $left } من { $most }
number = { $number }
money = { $amount } { $currency }
used-today = استُخدم اليوم: { $used }

## كيف نشأت الإجابة

trace-head = 🔎 كيف نشأت هذه الإجابة
trace-head-ref = 🔎 كيف نشأت هذه الإجابة (المرجع { $reference })
trace-notice = هذا نص ثابت مني: لم يُسأل وكيل ولا نموذج.
trace-agent = الوكيل: { $agent }
trace-model = النموذج: { $model }
trace-question = السؤال: { $words }
trace-answer = الإجابة: { $words }
trace-work = العمل: { $attempts }، { $calls }
trace-attempts =
    { $count ->
        [zero] بلا محاولات
        [one] محاولة واحدة
        [two] محاولتان
        [few] { $count } محاولات
       *[other] { $count } محاولة
    }
trace-calls =
    { $count ->
        [zero] بلا استدعاء للنموذج
        [one] استدعاء واحد للنموذج
        [two] استدعاءان للنموذج
        [few] { $count } استدعاءات للنموذج
       *[other] { $count } استدعاء للنموذج
    }
trace-time = الوقت: { $stages }؛ المجموع { $total } ث
trace-time-question = { $seconds } ث حتى فُحص السؤال
trace-time-past = { $seconds } ث للنظر في الماضي
trace-time-model = { $seconds } ث للنموذج
trace-time-answer = { $seconds } ث حتى ثبتت الإجابة
trace-messages = الرسائل: أُرسل { $sent } من { $all }، ولم تُرسل أي منها مرتين على حد علمي.
trace-messages-perhaps-twice = الرسائل: أُرسل { $sent } من { $all }. حدثت إعادة تشغيل وإحداها في الطريق، فربما وصلت مرتين.
trace-model-used = { $model }، الرموز المقروءة { $read } والمكتوبة { $written }
trace-model-cost = { $model }، الرموز المقروءة { $read } والمكتوبة { $written }، التكلفة { $cost }
trace-model-none-asked = لم يُسأل أي نموذج
trace-model-none-answered = لم يجب أي نموذج
trace-question-refused = فُحص ولم يُمرَّر
trace-question-redacted = فُحص؛ وأُخفي عن النموذج: { $what }
trace-question-redacted-parts = أجزاء منه
trace-question-passed = فُحص ومُرِّر
trace-answer-refused = فُحصت وحُجبت
trace-answer-redacted = فُحصت وأُخفيت أجزاء منها
trace-answer-shown = فُحصت وعُرضت
trace-score = الدرجة { $score }، { $likely }
trace-rules = القواعد { $names }
trace-shadow = للتجربة { $names }
likely-none = لا علامة على هجوم
likely-little = لا يشبه الهجوم إلا قليلًا
likely-somewhat = يشبه الهجوم بعض الشيء
likely-much = يشبه الهجوم كثيرًا
likely-surely = يكاد يكون هجومًا مؤكدًا
nothing-to-trace = لا أعرف هناك إجابة لك. ردّ على إجابة مني بالأمر /trace فأقول كيف نشأت.
cannot-trace = ⚠️ لا أستطيع البحث عن ذلك الآن. حاول مرة أخرى بعد لحظة من فضلك.

## هل كل شيء بخير

status-well = ✅ كل شيء على ما يرام.
status-one-ill = ⚠️ جزء مني لا يعمل الآن. رسائلك محفوظة وسيُجاب عنها لاحقًا.
status-many-ill = ⚠️ بعض أجزائي لا يعمل الآن. رسائلك محفوظة وسيُجاب عنها لاحقًا.

## الأوامر

cmd-start = ابدأ هنا
cmd-agents = انظر من هنا واختر
cmd-agent = تحدث مع وكيل آخر
    .usage = <الاسم>
cmd-ask = اسأل وكيلًا مرة واحدة دون تبديل
    .usage = <الاسم> <النص>
cmd-new = ابدأ محادثة جديدة
cmd-cancel = أوقف الإجابة التي تُكتب الآن
cmd-retry = أعد السؤال الأخير
cmd-trace = ردًّا على إجابة: كيف نشأت
cmd-remember = تذكر شيئًا عنك
    .usage = <النص>
cmd-memory = انظر ما أتذكره واحذفه
cmd-files = انظر أي ملفاتك أحتفظ بها واحذفها
cmd-usage = انظر ما استخدمته وما بقي
cmd-status = انظر هل كل شيء على ما يرام
cmd-language = اختر اللغة التي أتحدث بها
    .usage = [<اللغة>]
cmd-privacy = ما الذي يُحفظ ولماذا
cmd-export = احصل على كل ما هو محفوظ عنك
cmd-forget = امحُ كل شيء عنك
cmd-help = اعرض هذه القائمة
cmd-spawn = أحضر وكيلًا
    .usage = <الاسم> <التعليمات>
cmd-edit = أعط وكيلًا تعليمات أخرى
    .usage = <الاسم> <التعليمات>
cmd-model = اجعل وكيلًا يستخدم نموذجًا آخر
    .usage = <الاسم> <النموذج>
cmd-pause = دع وكيلًا يستريح
    .usage = <الاسم>
cmd-resume = أيقظ وكيلًا
    .usage = <الاسم>
cmd-retire = دع وكيلًا يغادر
    .usage = <الاسم>
cmd-invite = أنشئ رابطًا يُدخل شخصًا واحدًا
    .usage = [<الساعات>]
cmd-invites = اعرض الروابط المفتوحة واسحبها
cmd-allow = اسمح لشخص أو مجموعة بالحديث
    .usage = <المعرّف>
cmd-deny = أزل شخصًا أو مجموعة من القائمة
    .usage = <المعرّف>
cmd-block = تجاهل شخصًا أو مجموعة
    .usage = <المعرّف> [الدقائق]
cmd-unblock = أنهِ الحظر
    .usage = <المعرّف>
cmd-quota = انظر واضبط مقدار ما يمكن استخدامه من النماذج
    .usage = [<المعرّف> | <الوكيل> | hall] [<المقدار> | none | usual] [tokens | money] [day | month]
cmd-rule = انظر قواعد الحارس وغيّرها
    .usage = add <الاسم> <الإجراء> <النمط> | test <الاسم> [الأيام] | shadow <الاسم> | enforce <الاسم> | remove <الاسم> | alarms | unmark <المرجع>
cmd-remind = تذكير بشيء، مرة واحدة أو مرارًا
    .usage = <متى> <بماذا>
cmd-reminders = انظر بماذا سأذكّرك
cmd-schedule = سؤال وكيل في أوقات محددة
    .usage = <الاسم> <متى> here|<المحادثة> <النص>
cmd-schedules = انظر عمّ يُسأل الوكلاء في أوقات محددة
cmd-panel = اسأل عدة وكلاء معًا وانظر فيمَ يختلفون
    .usage = <السؤال>
cmd-incident = انظر حادثة واحدة مع كل ما دُوّن عنها
    .usage = <الرقم>
cmd-quarantine = انظر ما وُضع جانبًا وأعده
    .usage = [retry <المرجع> | drop <المرجع>]
cmd-backup = إنشاء نسخة احتياطية الآن
    .usage = [list]
cmd-report = قياس النظام بمعيار
    .usage = <المعيار>
cmd-alerts = انظر ما الخلل ومن أُبلغ به
cmd-silence = لا تتلقَّ تنبيهات من نوع معين مدة من الزمن
    .usage = <النوع> <المدة>
cmd-playbooks = انظر ما فعله النظام من تلقاء نفسه وتراجع عنه
    .usage = [undo <الرقم> | keep <الرقم> | yes <الرقم> | no <الرقم> | close <الرقم>]
cmd-incidents = ما يحتاج إلى نظرة
    .usage = [ack <الرقم> | close <الرقم>]
cmd-audit = ما فعله المسؤولون، الأحدث أولًا
    .usage = [الرقم]
cmd-role = انظر الأدوار وامنحها وخذها
    .usage = give <المعرّف> <الدور> | take <المعرّف>

## للمسؤولين: ما تم وما لم يتم

agent-name-rule = اسم الوكيل من 2 إلى 32 حرفًا: حروف لاتينية صغيرة وأرقام وشرطات سفلية، ويبدأ بحرف.
id-is-number = المعرّف رقم.
id-is-number-of-whom = المعرّف رقم. ويرى كل شخص معرّفه حين يكتب إلى هذا البوت.
instructions-missing = التعليمات ناقصة.
words-missing = الكلمات بعد الاسم ناقصة.
minutes-range = الدقائق رقم من 1 إلى 525600.
incident-verbs = الكلمة الأولى ack أو close، والثانية رقم.
playbook-verbs = الكلمة الأولى undo أو keep أو yes أو no أو close، والثانية رقم.
role-verbs = الكلمة الأولى give أو take.
role-words = الدور auditor أو operator أو admin أو owner.
silence-kind = النوع واحد مما يعرضه /alerts، أو all.
silence-time = المدة مثل 30m أو 2h أو 1d، وأقصاها 30d، وتُنهي off الصمت.
quota-whom = لمن هذا: معرّف أو اسم وكيل أو `hall`.
quota-words = بعد المقدار تأتي `tokens` أو `money`، ثم `day` أو `month`.
quota-amount = المقدار رقم، أو `none` بلا حد، أو `usual`.
rule-verbs = الكلمة الأولى add أو test أو shadow أو enforce أو remove أو alarms أو unmark.
rule-action = الإجراء flag أو redact أو refuse.
rule-pattern = النمط ناقص: تعبير نمطي.
rule-days = الأيام رقم من 1 إلى { $most }.
rule-reference = المرجع ثمانية أرقام ست عشرية، ويعرضها /rule alarms.
rule-too-many-words = الكلمات أكثر من اللازم: يكفي اسم القاعدة.
rule-name = اسم القاعدة من 1 إلى 64 من a-z و0-9 و_.
rule-noted = دُوّنت القاعدة { $rule } ولم تُطبق بعد. يقول /rule test { $rule } ما كانت ستوقفه، ويجعلها /rule shadow { $rule } تراقب دون أن تتدخل.
rule-enforced = تُطبق القاعدة { $rule } من الرسالة التالية.
rule-shadowed = القاعدة { $rule } تحت التجربة: تحكم وتعدّ ولا توقف شيئًا.
rule-switched-off = لم تعد القاعدة { $rule } مطبقة.
rule-removed = أُزيلت القاعدة { $rule }.
rule-unmarked = لم يعد { $reference } معلّمًا.
marked-question = عُلّم كإنذار كاذب. يمر هذا السؤال نفسه من الآن. يعرض /rule alarms العلامات، وتُفحص القواعد الجديدة بها.
marked-answer = عُلّم كإنذار كاذب. ومع ذلك تُحجب الإجابات المشابهة. يعرض /rule alarms العلامات، وتُفحص القواعد الجديدة بها.
held-back-gone = ⚠️ لم يعد ذلك النص موجودًا.
done-spawned = { $agent } هنا. يتحدث معه /agent { $agent }.
done-edited = لدى { $agent } تعليمات جديدة من الرسالة التالية.
done-model-set = يسأل { $agent } الآن { $model } أولًا.
done-paused = { $agent } في استراحة. يوقظه /resume { $agent }.
done-resumed = { $agent } مستيقظ.
done-retired = غادر { $agent }. وتبقى محادثاته محفوظة.
done-allowed = يستطيع { $id } الحديث الآن.
done-denied = أُزيل { $id } من القائمة.
done-blocked = حُظر { $id }.
done-blocked-for =
    { $minutes ->
        [one] حُظر { $id } دقيقة واحدة.
        [two] حُظر { $id } دقيقتين.
        [few] حُظر { $id } { $minutes } دقائق.
       *[other] حُظر { $id } { $minutes } دقيقة.
    }
done-unblocked = لم يعد { $id } محظورًا.
done-role-given = دور { $person } الآن { $role }.
done-role-taken = لم يعد لدى { $person } أي دور.
run-acts = التشغيل { $run } يعمل الآن. يعرض /playbooks ما يفعله.
run-does-nothing = التشغيل { $run } لا يفعل شيئًا.
run-undone = تم التراجع عما فعله التشغيل { $run }.
run-kept = يبقى ما فعله التشغيل { $run } إلى أن يتراجع عنه أحد: /playbooks.
run-closed = أُغلقت حادثة التشغيل { $run }.
run-needs = ⚠️ ما فعلته هذه الخطة لا يغيّره إلا { $role } أو أعلى.
run-over = انتهى ذلك التشغيل ولم يعد في المتناول. يعرض /playbooks ما هو ساري المفعول.
roles-head = من له دور:
role-by-configuration = { $role }، حسب الإعدادات
roles-foot = يمنح /role give <id> <role> دورًا، ويأخذه /role take <id>.
no-incident = لا توجد حادثة مفتوحة.
incident-closed = أُغلقت الحادثة { $incident }.
incident-acknowledged = أُخذ العلم بالحادثة { $incident }.
no-such-incident = لا توجد حادثة مفتوحة برقم { $incident }. يعرض /incidents الموجود منها.
nothing-changed = لم يتغير شيء: { $why }.
not-shown = لا يُعرض شيء: { $why }.
audit-busy = كثير ينتظر الكتابة في سجل التدقيق
audit-unavailable = سجل التدقيق لا يقبل التدوين
sentence = { $text }.
no-older-records = لا توجد تدوينات أقدم في المتناول. يعرضها كلها `guildhall audit list`.
not-agent-taken = يوجد وكيل اسمه { $agent }. يغيّر /edit تعليماته.
not-no-such-agent = لا يوجد وكيل اسمه { $agent }. يعرض /agents من هنا.
not-no-such-model = لا يوجد نموذج اسمه { $model }. النماذج المعروفة: { $known }.
not-too-many-agents = بلغ عدد الوكلاء { $most } وهو الأقصى. دع أحدهم يغادر أولًا: /retire.
not-bad-instructions = يجب أن تكون التعليمات من 1 إلى { $most } من الأحرف.
not-is-admin = هذا مشرف. يُسمّى المشرفون في الإعدادات، ولا يمكن إزالتهم أو حظرهم هنا.
not-allowed = لم يعد يُسمح لك بذلك.
not-role-is-fixed = هذا الدور مسمّى في الإعدادات، ولا يمكن تغييره هنا.
not-no-role = ليس لهذا الشخص دور. يعرض /role من له دور.
not-no-person = لا يكون الدور إلا لشخص: معرّفه رقم موجب.
not-too-many-roles = بلغ عدد من لهم دور { $most } وهو الأقصى. يأخذ /role take دورًا.
not-rule-taken = توجد قاعدة اسمها { $rule }. يزيلها /rule remove { $rule }.
not-no-such-rule = لم يضع أي مشرف قاعدة اسمها { $rule }. يعرض /rule الموجود منها.
not-too-many-rules = بلغ عدد القواعد { $most } وهو الأقصى. أزل واحدة أولًا: /rule remove.
not-bad-rule = لا يمكن استخدام هذه القاعدة، فلم يتغير شيء: { $why }
not-alarm-known = { $reference } معلّم من قبل كإنذار كاذب.
not-no-such-alarm = { $reference } غير معلّم. يعرض /rule alarms العلامات.
not-too-many-alarms = بلغ عدد العلامات { $most } وهو الأقصى. يزيل /rule unmark واحدة.
not-too-many-quotas = بلغ عدد الحصص { $most } وهو الأقصى. أعد واحدة أولًا بالكلمة `usual`.
not-settled = حُسم هذا من قبل: يعرض /playbooks ما هو ساري المفعول.
not-officers-spared = هذا يخص المسؤولين، وهم مستثنون.
not-so-already = الأمر كذلك من قبل.
not-nothing-held-back = لم يعد ذلك النص موجودًا، فلم يُعلّم شيء.
not-stored = تعذر حفظ التغيير، فلم يتغير شيء. حاول مرة أخرى من فضلك.

## اللوحة

panel-refresh = 🔄 تحديث
panel-mute = 🔕 صمت لساعة
panel-unmute = 🔔 التنبيه من جديد
panel-agents = ⏸ إراحة وكيل
panel-actors = ♻️ تشغيل جزء من جديد
panel-drain = 🚪 إيقاف الأسئلة الجديدة
panel-fill = 🚪 قبول الأسئلة من جديد
panel-yes = ⚠️ نعم، افعل
panel-back = ↩️ رجوع
state-muted = 🔕 لا يُبلّغ أحد بالتنبيهات حتى { $time } UTC
state-drained = 🚪 تُرفض الأسئلة الجديدة.
state-as-of = حتى { $time } UTC
ask-pause = هل يستريح { $agent }؟ من يتحدث معه يُبلّغ بذلك إلى أن يوقظه أحد.
ask-restart = هل يُعاد تشغيل { $part }؟ ما ينتظره محفوظ، وما يعمل عليه يبدأ من جديد، وقد ينتظر البعض لحظة أطول.
ask-drain = هل تُرفض الأسئلة الجديدة مع طلب إعادة السؤال لاحقًا؟ ما هو قيد العمل يُجاب عنه. وينتهي ذلك بالزر نفسه وعند بدء التشغيل من جديد.
restarting = ♻️ يُعاد الآن تشغيل { $part }. يعرض التحديث هل عاد.
drained = 🚪 تُرفض الأسئلة الجديدة، وما هو قيد العمل يُجاب عنه.
filled = 🚪 تُقبل الأسئلة من جديد.
paused = ⏸ { $agent } في استراحة.
resumed = ▶️ { $agent } مستيقظ.
offer-too-old =
    { $minutes ->
        [one] يصلح هذا الزر دقيقة واحدة وقد انقضت، فلم يحدث شيء. اختر من جديد.
        [two] يصلح هذا الزر دقيقتين وقد انقضتا، فلم يحدث شيء. اختر من جديد.
        [few] يصلح هذا الزر { $minutes } دقائق وقد انقضت، فلم يحدث شيء. اختر من جديد.
       *[other] يصلح هذا الزر { $minutes } دقيقة وقد انقضت، فلم يحدث شيء. اختر من جديد.
    }
role-needed = لا يفعل ذلك إلا { $role }: جاء من خطة تلقائية. لم يحدث شيء.
not-there = لا يوجد { $part } هنا: لم يحدث شيء.
nothing-done = ⚠️ لم يحدث شيء: { $why }
alerter-away = تعذر الوصول إلى التنبيهات الآن، حاول مرة أخرى بعد قليل من فضلك.
muted = 🔕 لا يُبلّغ أحد بالتنبيهات مدة ساعة.
unmuted = 🔔 يُبلّغ المسؤولون بالتنبيهات من جديد.

## قوائم المسؤولين

quotas-head = ما يمكن استخدامه من النماذج:
quota-each-person = كل شخص
quota-each-group = كل مجموعة
quota-each-agent = كل وكيل
quota-hall = النظام كله
quota-person = الشخص { $id }
quota-group = المجموعة { $id }
quota-agent = الوكيل { $agent }
quota-set-here = { $quota } (حُدد هنا)
quota-of = ما يمكن أن يستخدمه { $who }: { $allowed }
quota-any = بلا حد
quota-a-day = { $amount } في اليوم
quota-a-month = { $amount } في الشهر
quota-tokens = الرموز
quota-money = المال
quota-set-usual = { $who }، { $what }: يسري ما في الإعدادات.
quota-set-any = { $who }، بلا حد: { $what }.
quota-set-most = أقصى ما يستخدمه { $who }: { $amount }.
rules-head = قواعد المشرفين:
rules-none = لا توجد قاعدة هنا بعد. يدوّن /rule add <الاسم> <الإجراء> <النمط> واحدة.
rules-foot = القواعد في الملفات: guildhall rules check.
rule-left-out = • { $rule } (متروكة، { $why })
list-more = • … والمزيد
held-back-head = أوقف الحارس هذا السؤال إلى { $agent }:
alarms-head = الإنذارات الكاذبة:
alarms-none = لا شيء معلّم. يفعل ذلك الزر تحت الرفض.
alarms-foot = يزيل /rule unmark <المرجع> العلامة.
alarm-answer = • { $reference }: إجابة { $agent } ({ $rules })
alarm-question = • { $reference }: سؤال إلى { $agent } ({ $rules })
incidents-head = ما يحتاج إلى نظرة:
incidents-foot = /incidents ack <الرقم>، /incidents close <الرقم>
incident-times =
    { $count ->
        [one] مرة واحدة
        [two] مرتان
        [few] { $count } مرات
       *[other] { $count } مرة
    }
incident-since = منذ { $time }، { $stage }
audit-head = ما تم، الأحدث أولًا:
audit-foot = يقول `guildhall audit verify` هل بقي كل شيء كما كُتب.
audit-older = الأقدم

## للمسؤولين: الأدوار والتنبيهات وخطط العمل وتجربة القواعد والحالة كاملة

role-auditor = مدقق (auditor)
role-operator = مشغّل (operator)
role-admin = مشرف (admin)
role-owner = مالك (owner)
severity-low = بسيط
severity-medium = متوسط
severity-high = خطير
incident-guard = نصوص أُوقفت
incident-access = محاولات دون صلاحية
incident-crash = أعطال في جزء من النظام
incident-leak = تسريبات أُوقفت
incident-budget = نفاد المسموح به
incident-usage = استخدام غير معتاد
stage-open = مفتوح
stage-acknowledged = تم الاطلاع عليه
stage-closed = مغلق
alert-lapsed = ☑️ لم يتكرر منذ 10 دقائق: { $text }
alert-over = ✅ انتهى: { $text }
alert-in-hand = 🙋 قيد المعالجة: { $text }
alert-what-to-do = ما ينبغي فعله: { $place }
alert-foot = لإيقاف هذا التنبيه ساعتين: /silence { $kind } 2h
button-in-hand = 🙋 سأتولى الأمر
alert-times =
    { $count ->
        [zero] { $text } (ولا مرة)
        [one] { $text } (مرة واحدة)
        [two] { $text } (مرتان)
        [few] { $text } ({ $count } مرات)
       *[other] { $text } ({ $count } مرة)
    }
alert-and-more = { $text } (و{ $count } غير ذلك)
silence-ended = 🔔 ستصلك تنبيهات { $kind } من جديد.
silence-begun =
    { $minutes ->
        [zero] 🔕 لا تنبيهات عن { $kind } لأقل من دقيقة. ينهيه /silence { $kind } off
        [one] 🔕 لا تنبيهات عن { $kind } مدة دقيقة واحدة. ينهيه /silence { $kind } off
        [two] 🔕 لا تنبيهات عن { $kind } مدة دقيقتين. ينهيه /silence { $kind } off
        [few] 🔕 لا تنبيهات عن { $kind } مدة { $minutes } دقائق. ينهيه /silence { $kind } off
       *[other] 🔕 لا تنبيهات عن { $kind } مدة { $minutes } دقيقة. ينهيه /silence { $kind } off
    }
alert-taken = ✅ تولّيت الآن { $kind }: لن يُبلَّغ به أحد غيرك. يعرض /alerts ما هو مفتوح.
alerts-more = … والمزيد: `guildhall alerts list`
alerts-none = ✅ كل شيء على ما يرام حسب علمي.
alert-silenced = 🔕 { $kind } صامت حتى { $time }
alert-since =
    { $count ->
        [zero] ولا مرة منذ { $time }
        [one] مرة واحدة منذ { $time }
        [two] مرتان منذ { $time }
        [few] { $count } مرات منذ { $time }
       *[other] { $count } مرة منذ { $time }
    }
alert-is-in-hand = قيد المعالجة
alert-not-told = لم يُبلَّغ بعد: { $places }
alert-line = { $kind }: { $headline } ({ $details })
alert-not-open = لا يوجد تنبيه مفتوح باسم { $kind }.
alert-no-poll = تعذر الوصول إلى تيليجرام منذ { $value }: الرسائل الجديدة تنتظر هناك.
alert-llm-errors = فشل { $value } من الطلبات إلى النماذج خلال 5 دقائق.
alert-slow-replies = استغرقت إجابة من كل عشرين خلال آخر 10 دقائق أكثر من { $value }.
alert-restarts =
    { $count ->
        [zero] لم تُشغَّل أجزاء من النظام من جديد خلال 10 دقائق.
        [one] أُعيد تشغيل أجزاء من النظام مرة واحدة خلال 10 دقائق.
        [two] أُعيد تشغيل أجزاء من النظام مرتين خلال 10 دقائق.
        [few] أُعيد تشغيل أجزاء من النظام { $count } مرات خلال 10 دقائق.
       *[other] أُعيد تشغيل أجزاء من النظام { $count } مرة خلال 10 دقائق.
    }
alert-quarantine = الرسائل التي وُضعت جانبًا خلال الساعة: { $count }.
alert-disk-full = المساحة الخالية من القرص { $value } فقط.
alert-backup-old = عمر آخر نسخة احتياطية سليمة { $value }.
alert-guard-blocks =
    { $count ->
        [zero] لم يوقف الحارس نصوصًا خلال ساعة.
        [one] أوقف الحارس نصًّا واحدًا خلال ساعة: أكثر من المعتاد بخمس مرات.
        [two] أوقف الحارس نصين خلال ساعة: أكثر من المعتاد بخمس مرات.
        [few] أوقف الحارس { $count } نصوص خلال ساعة: أكثر من المعتاد بخمس مرات.
       *[other] أوقف الحارس { $count } نصًّا خلال ساعة: أكثر من المعتاد بخمس مرات.
    }
alert-cost = كلفت إجابات الساعة الأخيرة { $value }: أكثر من المعتاد بخمس مرات.
alert-poll = تعذر جلب الرسائل من تيليجرام: { $why }.
alert-store = تعذر حفظ الرسائل، لذلك لا تُستقبل رسائل جديدة: { $why }.
alert-set-aside = وُضعت رسالة جانبًا بعد أن فشلت مرارًا (المرجع { $reference }).
alert-session = فشلت محادثة مرات كثيرة فأُوقفت لبعض الوقت: { $why }.
alert-backup-overdue = لا نسخة احتياطية سليمة منذ { $value }.
alert-backup-failed = فشلت نسخة احتياطية: { $why }
alert-budget-over = { $who }: نفد المسموح به لهذا { $span }. تُرفض الأسئلة.
alert-budget-near = { $who }: استُخدم { $value } من المسموح به لهذا { $span }.
alert-bot = تعذر توصيل بوت، والبقية تعمل: { $why }.
alert-tool-servers = خوادم أدوات غائبة أو تتوقف مرارًا أو تغيّرت: { $count }. الأمر `/status` يقول أيها.
alert-log = عدد ما فُقد من أسطر السجل: { $count }. القرص ممتلئ أو بطيء جدًّا، أو لا أحد يقرأ المخرج القياسي.
alert-trial = هذه تجربة للطريق الذي تسلكه التنبيهات. كل شيء على ما يرام.
part-hall = النظام كله
part-agent = الوكيل { $agent }
part-day = اليوم
part-month = الشهر
span-seconds = { $count } ث
span-minutes = { $count } د
span-hours = { $count } س
run-about = تعمل خطة العمل { $playbook } في الحادثة { $incident }: { $rest }
run-about-asks = تسأل خطة العمل { $playbook } هل تعمل في الحادثة { $incident }: { $rest }
run-about-stopped = أُوقفت خطة العمل { $playbook } في الحادثة { $incident }: { $rest }
run-in-short = خطة العمل { $playbook }، في الحادثة { $incident }: التفاصيل في /playbooks
run-what = { $signs } من { $who }. { $steps }.
run-the-hall = النظام
run-with = { $who } مع { $agent }
run-signs =
    { $count ->
        [zero] لا علامات
        [one] علامة واحدة
        [two] علامتان
        [few] { $count } علامات
       *[other] { $count } علامة
    }
step-block = حظرهم
step-pause = إراحة { $agent }
step-pause-agent = إراحة الوكيل
step-slow =
    { $count ->
        [zero] عدم استقبال رسائل
        [one] استقبال رسالة واحدة في الدقيقة
        [two] استقبال رسالتين في الدقيقة
        [few] استقبال { $count } رسائل في الدقيقة
       *[other] استقبال { $count } رسالة في الدقيقة
    }
step-tighten =
    { $count ->
        [zero] عدم ترك رموز لهم
        [one] ترك رمز واحد لهم في اليوم
        [two] ترك رمزين لهم في اليوم
        [few] ترك { $count } رموز لهم في اليوم
       *[other] ترك { $count } رمزًا لهم في اليوم
    }
step-gather = جمع ما سألوا عنه
step-list = سرد ما وصلوا إليه
step-rule = اقتراح قاعدة
step-compare = المقارنة بالمعتاد
step-left-out = { $what }: لم يتم، { $why }
step-over = { $what }: انتهى
step-done = { $what }: تم
step-done-kept = { $what }: تم، إلى أن يتراجع عنه أحد
step-done-until = { $what }: تم، حتى { $time }
spared-officers = المسؤولون مستثنون
spared-so-already = كان الأمر كذلك من قبل
spared-gone = لم يعد موجودًا
spared-nothing = لم يكن هناك ما يُصنع منه
spared-refused = تعذر ذلك
found-questions =
    { $count ->
        [zero] لا أسئلة
        [one] سؤال واحد، بمرجعه
        [two] سؤالان، بمرجعيهما
        [few] { $count } أسئلة، بمراجعها
       *[other] { $count } سؤالًا، بمراجعها
    }
found-touched = أسئلة إلى { $agents }: { $questions }، محادثات: { $chats }، أشياء محفوظة: { $facts }
found-too-little = ما تشترك فيه الأسئلة المرفوضة قليل جدًّا
found-rule = القاعدة { $rule } للتجربة، من أسئلة مرفوضة عددها { $count }
found-used = رموز هذه الساعة: { $used }، والمعتاد { $usual }
playbooks-head = خطط العمل:
playbooks-none = لا شيء
playbooks-done = ما فعلته ولم ينتهِ بعد:
playbooks-nothing = لا شيء
playbooks-more = … والمزيد: `guildhall playbooks list`
playbook-acts = { $playbook } (تعمل وحدها): { $about }
playbook-asks = { $playbook } (تسأل أولًا): { $about }
button-run-yes = ▶️ نفّذ
button-run-no = ✋ لا تنفّذ
button-run-undo = ↩️ تراجع
button-run-keep = 📌 أبقِه
button-run-close = ✅ أغلق الحادثة
refusal-question = 🛡 أوقف الحارس سؤالًا إلى { $agent } (المرجع { $reference }).
refusal-answer = 🛡 أوقف الحارس إجابة من { $agent } (المرجع { $reference }).
refusal-newest = هذا أحدثها من أصل { $count } منذ أن أبلغتك آخر مرة.
button-show-text = 👁 اعرض النص
button-false-alarm = ✅ إنذار كاذب
step-wants = يريد { $agent } استخدام:
step-asks = يسأل { $agent } الوكيل { $asked }: { $what }
step-uses = يستخدم { $agent } الأداة { $tool }: { $what }
step-failed = فشل ذلك: { $what }
step-gave = النتيجة: { $what }
step-gave-much =
    { $count ->
        [zero] لم يُرجع شيئًا
        [one] أرجع حرفًا واحدًا
        [two] أرجع حرفين
        [few] أرجع { $count } أحرف
       *[other] أرجع { $count } حرفًا
    }
step-held-back = حُجبت النتيجة
step-judged = يقول الحارس: { $verdict }
step-may-it = يُسأل هل يجوز استخدامها، من أجل: { $what }
step-allowed = يجوز استخدامها مرة واحدة.
step-denied = لا يجوز استخدامها.
step-hands-over = يسلّم { $from } المحادثة إلى { $to }: { $note }
steps-more = … والمزيد في /export
not-tried = ⚠️ لم يُجرَّب شيء: { $why }
tried-rules =
    { $count ->
        [zero] لا قواعد
        [one] قاعدة واحدة
        [two] قاعدتان
        [few] { $count } قواعد
       *[other] { $count } قاعدة
    }
tried-days =
    { $days ->
        [zero] اليوم
        [one] اليوم الأخير
        [two] اليومان الأخيران
        [few] آخر { $days } أيام
       *[other] آخر { $days } يومًا
    }
tried-head = { $rules }، { $past }: من النصوص التي مرّت ({ $texts }) كان سيُوقف { $stopped }.
tried-questions = أسئلة إلى { $agent }
tried-answers = إجابات { $agent }
tried-counts = { $stopped } من { $texts } (مرفوض { $refused }، محجوب جزئيًّا { $redacted }، معلَّم { $flagged })
tried-turns = الأسئلة والإجابات (المراجع): { $references }
tried-false-alarms = ⚠️ ستوقف ما عُلِّم إنذارًا كاذبًا (المراجع): { $references }
tried-incomplete = كان هناك أكثر مما يُفحص دفعة واحدة؛ اطلب أيامًا أقل.
tried-unreadable =
    { $count ->
        [zero] قُرئت كل السجلات.
        [one] تعذرت قراءة سجل واحد.
        [two] تعذرت قراءة سجلين.
        [few] تعذرت قراءة { $count } سجلات.
       *[other] تعذرت قراءة { $count } سجلًّا.
    }
status-restarts =
    { $count ->
        [zero] دون إعادة تشغيل
        [one] إعادة تشغيل واحدة
        [two] إعادتا تشغيل
        [few] { $count } مرات إعادة تشغيل
       *[other] { $count } مرة إعادة تشغيل
    }
status-waiting = في الانتظار: { $count }
status-ago = قبل { $span }
status-fault = آخر عطل: { $fault }
status-model-good = النموذج { $model }: 🟢 يعمل
status-model-failing = النموذج { $model }: 🔴 يفشل، متروك قليلًا
status-model-tried = النموذج { $model }: 🟡 يُجرَّب من جديد
status-server-used = الاستدعاءات: { $calls }، الفاشلة: { $failures }
status-server-good =
    خادم الأدوات { $server }: 🟢 { $tools ->
        [zero] بلا أدوات
        [one] أداة واحدة
        [two] أداتان
        [few] { $tools } أدوات
        [many] { $tools } أداة
       *[other] { $tools } أداة
    } · { $used }
status-server-poor = خادم الأدوات { $server }: 🟡 { $problem } · { $used }
status-server-away = خادم الأدوات { $server }: 🔴 { $problem } · { $used }
status-server-ended = توقّف حتى الآن: { $count }، آخر مرة: { $why }
status-ledger = المخزن: في الانتظار { $waiting }، موضوع جانبًا { $aside }، على القرص { $size }، آخر كتابة استغرقت { $took } م.ث
status-backup = النسخة الاحتياطية: قبل { $span }
status-backup-none = النسخة الاحتياطية: لا شيء بعد
status-backup-off = النسخة الاحتياطية: متوقفة
status-conversations = المحادثات في الذاكرة: { $count }
status-version = Guildhall { $version }، يعمل منذ { $span }
report-caption = هذا النظام مقيسًا بمعيار { $standard }.
export-for-programs = كل ما هو محفوظ عنك، للبرامج.
export-to-read = الشيء نفسه للقراءة.
why-not-delivered = تعذر التسليم
why-restarted = أُعيد تشغيل جزء، حاول مرة أخرى من فضلك
why-backups-off = النسخ الاحتياطية متوقفة (`backup.every`)
why-takes-long = يستغرق ذلك وقتًا، ويعرض /backup list متى تكتمل

## الأدوات والوكلاء الآخرون

may-i-does = ✋ يريد { $agent } أن { $does } ({ $tool }).
may-i-does-so = ✋ يريد { $agent } أن يفعل هذا: «{ $does }» ({ $tool }).
may-i-title = ✋ يريد { $agent } استخدام «{ $title }» ({ $tool }).
may-i-tool = ✋ يريد { $agent } استخدام { $tool }.
may-i-about = تقول الأداة عن نفسها: { $about }
may-i-hand = ✋ يريد { $agent } تسليم هذه المحادثة إلى { $to }. بعدها يجيبك { $to }، ويمكنك استعادتها في أي وقت. هذا ما سيعرفه { $to }:
may-i-fetch = ✋ يريد { $agent } قراءة هذه الصفحة من الويب. سيرى صاحبها العنوان:
may-i-again = ⚠️ أُعيد تشغيلي بينما كان هذا يُنفَّذ. ربما تم وربما لم يتم: تحقق هناك أولًا إن استطعت. هل يُنفَّذ (مرة أخرى)؟
may-i-changes = قد يغيّر هذا شيئًا خارج هذه الدردشة.
may-i-reads = هذا يبحث عن معلومة فقط.
may-i-strangers = ⚠️ دخل في هذا السؤال كلام من آخرين. لا تسمح به إلا إذا كان ما تريده تمامًا.
may-i-cut =
    { $left ->
        [one] { $text }… (بقي حرف واحد، وكل شيء في الملف أعلاه)
        [two] { $text }… (بقي حرفان، وكل شيء في الملف أعلاه)
        [few] { $text }… (بقي { $left } أحرف، وكل شيء في الملف أعلاه)
        [many] { $text }… (بقي { $left } حرفًا، وكل شيء في الملف أعلاه)
       *[other] { $text }… (بقي { $left } حرف، وكل شيء في الملف أعلاه)
    }
may-i-file = 📄 تُسأل عن شيء طويل: هذا كله هنا.
may-i-yes = نعم
may-i-no = لا
may-i-empty = (فارغ)
tool-no-details = (بلا تفاصيل)
tool-allow =
    { $minutes ->
        [one] أنت وحدك من يسمح بذلك، مرة واحدة، خلال دقيقة واحدة.
        [two] أنت وحدك من يسمح بذلك، مرة واحدة، خلال دقيقتين.
        [few] أنت وحدك من يسمح بذلك، مرة واحدة، خلال { $minutes } دقائق.
       *[other] أنت وحدك من يسمح بذلك، مرة واحدة، خلال { $minutes } دقيقة.
    }
button-allow = ✅ السماح مرة واحدة
button-deny = ✖️ لا
tool-settled = حُسم هذا من قبل. اسأل مرة أخرى إن كنت ما زلت تريده.
tool-of-another = لا يقرر ذلك إلا من سُئل عنه.
tool-too-late = مضى على ذلك وقت طويل فلم يحدث شيء. اسأل مرة أخرى إن كنت ما زلت تريده.
handed-over = 🔁 يتابع { $to } بدلًا من { $from }. للعودة: /agent { $from }
button-back-to = ↩️ العودة إلى { $agent }
agent-asked = 🗣 سأل { $from } الوكيل { $to }: { $what }
agent-held-back = (محجوبة)
agent-no-answer = (لا إجابة)
more-in-trace = … والمزيد في /trace
panel-answer-held-back = { $agent }: حُجبت الإجابة.
nobody-to-ask = لا يوجد هنا من أسأله. يعرض /agents من هنا.

## التذكيرات والأوقات المحددة

times-how = الوقت مثل «كل يوم الساعة 8» أو «كل ساعتين» أو «غدا الساعة 9»، أو الحقول الخمسة لقاعدة cron مثل 0 8 * * 1-5.
remind-how =
    قل لي متى ثم بماذا. مثلًا:
    /remind بعد 20 دقيقة أخرج الخبز
    /remind غدا الساعة 9 اتصل بآدا
    /remind 1.12.2026 18:00 اشترِ الهدايا
    /remind كل يوم اثنين الساعة 8 خطّط للأسبوع

    يعرض /reminders ما هو مضبوط. يحدد /remind zone Europe/Berlin منطقتك الزمنية.
remind-nobody = لا أذكّر إلا شخصًا. اكتب باسمك من فضلك.
reminder-of-another = هذا تذكير لشخص آخر. يعرض /reminders تذكيراتك.
timetable-away = تعذّر ذلك الآن ولم يتغير شيء. حاول مرة أخرى من فضلك.
timetable-not-noted = لا يُعرض شيء ولا يُغيَّر: { $why }.
timetable-deleted = 🗑 حُذف. لن يأتي.
timetable-gone = لم يعد ذلك موجودًا.
zone-set = الأوقات التي تذكرها لي بتوقيت { $zone }. يحدد /remind zone Europe/Berlin منطقة أخرى؛ وما ضُبط من قبل يبقى كما هو.
zone-unknown = لا توجد منطقة زمنية بهذا الاسم. يكون الاسم مثل Europe/Berlin أو America/Lima.
time-past = مضى ذلك الوقت. اذكر لي وقتًا قادمًا من فضلك.
time-too-far = بيننا وبين ذلك أكثر من خمس سنوات.
time-too-often =
    { $count ->
        [one] هذا متكرر أكثر مما ينبغي. يجب أن تمر ثانية واحدة على الأقل بين مرة وأخرى.
        [two] هذا متكرر أكثر مما ينبغي. يجب أن تمر ثانيتان على الأقل بين مرة وأخرى.
        [few] هذا متكرر أكثر مما ينبغي. يجب أن تمر { $count } ثوانٍ على الأقل بين مرة وأخرى.
       *[other] هذا متكرر أكثر مما ينبغي. يجب أن تمر { $count } ثانية على الأقل بين مرة وأخرى.
    }
timetable-full = بلغ العدد { $most } وهو الأقصى. احذف واحدًا أولًا: يعرض /reminders تذكيراتك.
reminder-too-long = هذا طويل جدًا. أقصى عدد للأحرف: { $most }.
reminder-set = ⏰ سأذكّرك في { $when }: { $text }
schedule-set = ⏰ سيُسأل { $agent } في { $when }.
comes-again = هذه هي المرة الأولى، ثم يتكرر.
reminders-foot = يعرض /reminders ما هو مضبوط ويحذفه.
schedules-foot = يعرض /schedules ما هو مضبوط ويحذفه.
reminders-none = لا شيء مضبوط هنا. مثال: /remind بعد 20 دقيقة أخرج الخبز
schedules-none = لا يُسأل أي وكيل شيئًا في أوقات محددة. مثال: /schedule sage كل يوم الساعة 8 هنا صباح الخير!
reminders-head = ⏰ ما سأذكّرك به:
schedules-head = ⏰ ما يُسأل عنه الوكلاء في أوقات محددة:
asked-in = { $agent } في { $chat }:
button-delete = 🗑 احذف { $number }
reminder-late = ⏰ كان موعد هذا في { $when } وأنا غائب: { $text }
prompt-missed = ⏰ كان يجب أن يُسأل { $agent } في { $when } وأنا غائب. تُرك ذلك، ويستمر مع الموعد التالي.
when-and-after =
    { $count ->
        [one] { $when } ومرة واحدة بعد ذلك
        [two] { $when } ومرتين بعد ذلك
        [few] { $when } و{ $count } مرات بعد ذلك
       *[other] { $when } و{ $count } مرة بعد ذلك
    }
moment = { $weekday } { $date } { $month_name } { $year }، { $time } ({ $zone })
weekday =
    { $day ->
        [1] الإثنين
        [2] الثلاثاء
        [3] الأربعاء
        [4] الخميس
        [5] الجمعة
        [6] السبت
       *[7] الأحد
    }
month =
    { $month ->
        [1] يناير
        [2] فبراير
        [3] مارس
        [4] أبريل
        [5] مايو
        [6] يونيو
        [7] يوليو
        [8] أغسطس
        [9] سبتمبر
        [10] أكتوبر
        [11] نوفمبر
       *[12] ديسمبر
    }
schedule-agent = الكلمة الأولى هي اسم وكيل.
schedule-chat = بعد الوقت تأتي «here» أو رقم محادثة.
schedule-prompt = في النهاية يأتي ما يُسأل عنه الوكيل.

## الصور والتسجيلات والملفات

cannot-use = لا أستطيع استخدام هذا. { $works } لم يُجلب منه شيء ولم يُحفظ.
works-text-alone = لا أقرأ إلا النص: اكتب ما تود معرفته من فضلك.
works-one = ما يصلح: النص و{ $one }.
works-many = ما يصلح: النص، { $others }، و{ $last }.
works-voice = الرسائل الصوتية أو التسجيلات حتى { $span }
works-pictures = الصور حتى { $size }
works-files = ملفات النص البسيط (TXT وMarkdown وCSV) حتى { $size }
works-documents = المستندات (PDF وWord وExcel وPowerPoint وOpenDocument) حتى { $size }
up-to-seconds =
    { $count ->
        [one] ثانية واحدة
        [two] ثانيتين
        [few] { $count } ثوانٍ
       *[other] { $count } ثانية
    }
up-to-minutes =
    { $minutes ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    }
cannot-see = لا يستطيع { $agent } النظر إلى الصور: لا يرى أي من النماذج التي يجوز له سؤالها. صفها بالكلمات من فضلك أو اسأل وكيلًا آخر (/agents).
picture-alone = ماذا يظهر في هذه الصورة؟
file-alone = ماذا يقول هذا الملف باختصار؟
recording-too-long = هذا التسجيل طويل جدًا عليّ: حتى { $span } من فضلك. لم يُجلب منه شيء.
file-too-large = هذا الملف كبير جدًا عليّ: حتى { $size } من فضلك. لم يُحفظ.
file-unreadable = لم أستطع الاستفادة من هذا الملف: إما أنه تالف أو أنه من نوع لا أعرفه. لم يُحفظ. أرسله بشكل آخر من فضلك أو اكتب.
file-locked = هذا المستند مقفل بكلمة مرور. أرسله بدونها من فضلك. لم يُحفظ.
file-too-much = هذا المستند يتضخّم إلى أكثر مما يُسمح لي بقراءته، أو يستغرق وقتًا طويلًا. لم يُحفظ. أرسل جزءًا منه أو نصه من فضلك.
file-wordless = لم أجد كلمات في هذا المستند: ربما كانت صفحاته صورًا. لم يُحفظ. أرسله نصًّا من فضلك أو اكتب.
paper-kept = 📎 أحتفظ بنص «{ $name }» كي تسأل عنه لاحقًا. يعرض الأمر /files ما أحتفظ به ويحذفه.
paper-kept-in-part = 📎 أحتفظ ببداية نص «{ $name }» كي تسأل عنه لاحقًا: فيه أكثر مما أحتفظ به. يعرض الأمر /files ما أحتفظ به ويحذفه.
papers-full = 📎 قرأت هذا الملف ولم أحتفظ به: لا يتسع المكان هنا لأكثر من { $count } من ملفاتك وبنص حجمه { $size }. يعرضها الأمر /files ويحذف ما لم تعد تحتاج إليه.
papers-none = لا أحتفظ بأي ملف لك في هذه المحادثة. أرسل إليّ ملف PDF أو مستندًا مكتبيًا أو ملفًا نصيًا، فأحتفظ بما فيه كي تسأل عنه لاحقًا.
papers-head = ملفاتك في هذه المحادثة، الأحدث أولًا. أحتفظ بما فيها مشفّرًا وأبحث فيه عندما تسأل:
paper-in-part = البداية
paper-deleted = 🗑 حُذف «{ $name }»: لم يعد أحد يجد فيه شيئًا.
paper-gone = لم يعد هذا الملف محفوظًا.
papers-of-another = هذه ملفات شخص آخر. يعرض الأمر /files ملفاتك.
papers-of-nobody = الملفات ملك شخص، ولا أرى من يكتب هنا. اكتب باسمك من فضلك.
papers-away = لا أستطيع النظر في ملفاتك الآن. لم يضع شيء: حاول مرة أخرى بعد قليل من فضلك.
privacy-papers = ؛ وما في الملفات التي ترسلها يُحفظ مشفّرًا كي تبحث فيه الوكلاء لك وحدك (يعرضه الأمر /files ويحذفه)
nothing-heard = أصغيت ولم أسمع كلمات. سجّله مرة أخرى من فضلك أو اكتب.
not-taken-in = عذرًا، تعذّر عليّ الآن استلام ما أرسلته. أرسله مرة أخرى بعد قليل من فضلك أو اكتب. (المرجع { $reference })
privacy-hears = ؛ ويذهب ما تسجّله قبل ذلك إلى { $who } ليحوّله إلى نص
privacy-speaks = ؛ وينطق { $who } الإجابة عنه
heard = 🎙 سمعت: { $text }

## أسئلة معدّلة وإجابات طويلة وبوتات لوكيل واحد

supersedes = ✏️ عدّلت سؤالك. تحل هذه الإجابة محل السابقة.
edited-piece = ✏️ أرى أنك عدّلت جزءًا من سؤالك. أرسل لي السؤال كاملًا مرة أخرى من فضلك وسأجيب عنه.
long-answer = 📄 الإجابة طويلة: هذه هي كاملة.
bot-description =
    وكلاء ذكاء اصطناعي يجيبون هنا، ولكل منهم مهمته.

    اضغط «ابدأ» واكتب مباشرة: يمكنك إرسال عدة رسائل متتالية وتعديل سؤالك وإيقاف الإجابة. يعرض /agents من هنا، ويعرض /privacy ما يُحفظ مما تكتبه، ويمحوه /forget.
bot-short-description = وكلاء ذكاء اصطناعي يجيبون هنا. ما تكتبه يُخزَّن مشفَّرًا، ويمحوه /forget.
bot-of-alone = هذا البوت خاص بـ { $agent } وحده: لا يجيب هنا أحد غيره. اكتب مباشرة.
bots-cut-hops = منذ فترة لا يجيب هنا إلا البوتات بعضها بعضًا، لذلك لن أجيب البوتات الأخرى حتى يكتب لي إنسان.
bots-cut-pace = تكتب البوتات كثيرًا هنا، لذلك لن أجيب البوتات الأخرى حتى يكتب لي إنسان.
chosen-of-another = عُرض هذا الزر على شخص آخر. يعرض لك /agents و /start أزرارك.
own-bot-make =
    سيكون لـ { $agent } بوت خاص به. افتح { $link } من فضلك وأكّد ذلك في Telegram: سيكون البوت لك، وسأصله حالما يخبرني Telegram.
own-bot-cannot =
    لا يُسمح لـ { $bot } بإنشاء بوتات: فعّل إدارة البوتات له في @BotFather، أو أن خادم Bot API أقدم من 9.6. لم يتغير شيء. يمكنك أيضًا إنشاء بوت بنفسك في @BotFather وذكره في الإعدادات.
own-bot-of-nobody = صار { $bot } موجودًا، لكن لا وكيل ينتظر بوتًا. يقول /spawn <name> as bot لمن هو.
own-bot-no-token = لا يعطيني Telegram رمز { $bot } الآن، لذلك لم يُوصَل. أنشئ له رمزًا جديدًا في @BotFather من فضلك: سأعلم بذلك وأحاول مجددًا.
own-bot-given = صار لـ { $agent } بوت خاص به: { $link }. رمزه محفوظ مختومًا، وأنا أصله الآن.
done-retired-with-bot = غادر { $agent }، ولم يعد { $bot } موصولًا. يبقى البوت نفسه لك: يحذفه @BotFather.
invite-made =
    من يفتح هذا الرابط أولًا يستطيع الحديث هنا:
    { $link }
    
    يسري حتى { $time } (UTC)، لشخص واحد. رقمه { $number }؛ يعرض /invites الروابط المفتوحة.
invite-hours = لكم ساعة؟ عدد صحيح حتى { $most }.
invites-none = لا رابط مفتوح. ينشئ /invite رابطًا.
invites-head = هذه الروابط مفتوحة، كل منها لشخص واحد:
invite-line = الرقم { $number }، حتى { $time } (UTC)
invite-withdrawn = لم يعد الرابط رقم { $number } يُدخل أحدًا.
button-withdraw = سحب { $number }
invite-welcome = لقد دُعيت ويمكنك الحديث هنا الآن. ابدأ بـ /start.
invite-used = استُعمل هذا الرابط من قبل: كل رابط يُدخل شخصًا واحدًا.
invite-over = لم يعد هذا الرابط مفتوحًا.
invite-unknown = لا أعرف هذا الرابط.
invite-ask-anew = اطلب رابطًا جديدًا ممن أرسله إليك من فضلك. رقمك هو { $person }.
not-invite-gone = استُعمل هذا الرابط أو سُحب من قبل. يعرض /invites الروابط المفتوحة.
not-too-many-invites = هناك { $most } روابط مفتوحة: هذا هو الحد. يسحب /invites أحدها.
not-has-bot = لـ { $agent } بوت خاص به من قبل.
not-too-many-bots = لدى { $most } وكلاء بوتات خاصة: هذا هو الحد. دع أحدهم يغادر أولًا بـ /retire.
bot-of = هذا البوت خاص بـ { $agent } وحده
bot-rests = هو في استراحة الآن.
bot-awake = اكتب مباشرة.

## للمسؤولين: الحوادث وما وُضع جانبًا والنسخ الاحتياطية والتقارير

incident-head = الحادثة { $incident }: { $kind }، { $severity }
incident-weight =
    { $count ->
        [one] مرة واحدة، الوزن { $weight }
        [two] مرتان، الوزن { $weight }
        [few] { $count } مرات، الوزن { $weight }
       *[other] { $count } مرة، الوزن { $weight }
    }
incident-span = من { $since } إلى { $last }
incident-stage = الحالة: { $stage }.
incident-noted = ما دُوّن عنها، الأحدث أولًا:
incident-export = يكتب { $command } كل ذلك موقَّعًا.
button-acknowledge = أخذ العلم
button-close = إغلاق
incident-not-at-hand = لا توجد حادثة { $incident } في المتناول. يعرض /incidents المفتوح منها.
incident-number = الرقم واحد مما يعرضه /incidents.
nothing-done-because = لم يحدث شيء: { $why }.
failed-because = { $what }: { $why }.
backups-not-shown = تعذّر الاطلاع على النسخ الاحتياطية
aside-not-shown = تعذّر الاطلاع على ما وُضع جانبًا
nothing-was-done = لم يحدث شيء
backup-not-made = لم تُنشأ نسخة احتياطية
report-not-made = لا يوجد تقرير
aside-none = لا شيء موضوع جانبًا.
aside-head = ما وُضع جانبًا، الأحدث أولًا:
aside-foot = يعيد /quarantine retry <المرجع> واحدة لمحاولة أخرى، ويزيلها /quarantine drop <المرجع> من هذه القائمة.
some-time-ago = قبل مدة
chat-unknown = محادثة غير معروفة
chat-of = محادثة { $person }
chat-group = المجموعة { $group }
aside-unread = تعذّرت قراءتها
aside-failed = فشلت مرات كثيرة
aside-put-back = { $why }، أُعيدت وتنتظر دورها
and-more = … و{ $count } غيرها
not-no-such-aside = لا شيء موضوع جانبًا بالمرجع { $reference }. يعرض /quarantine الموجود.
aside-unreadable = لا يستطيع إصداري هذا قراءتها
aside-not-kept = لم يعد ما استُلم محفوظًا
aside-stays = لا يمكن إعادة { $reference }: { $why }. ينهي الأمرَ /quarantine drop { $reference }
aside-retried = أُعيدت { $reference } ولها محاولة أخرى.
aside-had-its-turn = سبق أن أُعيدت { $reference } ونالت محاولتها.
aside-dropped = أُزيلت { $reference } من القائمة.
aside-verbs = الكلمة الأولى retry أو drop.
aside-reference = المرجع ثمانية رموز كما يعرضه /quarantine.
backup-nothing-new = لم يُكتب شيء منذ النسخة { $name }.
backup-made = ✅ أُنشئت النسخة { $name } وقُرئت للتحقق: الحجم { $size } في { $took } م.ث؛ عدد القديمة المحذوفة: { $removed }. لا مفتاح فيها: احفظ نسخًا من المفتاح وحلقة المفاتيح في مكان آخر.
backup-line = { $name } · { $time } (قبل { $hours } س) · { $size }
backup-words = لا تكتب بعده شيئًا، أو اكتب list.
backups-none = لا توجد نسخة احتياطية بعد. ينشئ /backup واحدة.
backups-head = النسخ الاحتياطية، الأحدث أولًا:
backups-foot = يجرّب `guildhall backup drill` واحدة منها.
report-sent = هذا قياس القاعة بمعيار { $standard }، بندًا بندًا، مع ما ينقص.
report-standards = المعيار واحد من { $standards }.
trace-heard-by = سمعه: { $model }
trace-tools = الأدوات والوكلاء الآخرون:

/** Words that only point at what was said before. A turn of nothing else is referential (T5). */
const POINTING = new Set(
  (
    'a above absolutely affirmative again agree agreed ahead all already also an and any as both but c can carry complete ' +
    'confirm confirmed continue correct could d definitely do does done either else everything exactly fine finish first ' +
    'for from go going good got great have i in indeed is it its just keep last lets lgtm like looks love ' +
    'make me more my need nice no nope not now of oh ok okay on once one option or other over perfect please proceed ' +
    'rest resume retry right same second see so sounds start still sure that the them then there these they ' +
    'thing third this those through to too try two until up us want way we well what works would y yeah yep yes you your ' +
    'n b alright next approve approved understood understand ' +
    'oui sí si ja weiter continua continúa vale claro d’accord 继续 好的 好 是 是的 はい 続けて 계속 네 да продолжай'
  ).split(' '),
);

/** Words that end a task: a turn of these (and pointing words) is small talk, not a reference to the task. */
const CLOSING = new Set(
  'thanks thank thx ty bye goodbye cheers appreciate appreciated help welcome danke merci gracias'.split(' '),
);

/** Beside thanks, these still ask for the next step. */
const CARRY_ON = new Set(
  'yes yeah yep continue proceed confirm confirmed go resume retry next do'.split(' '),
);

/** Longest referential turn; longer ones say something even in small words. */
const MOST_WORDS = 12;

/** Whether a user turn only refers to earlier ones ("yes please", "go ahead", "👍"). Thanks alone do not. */
export function saysNothingNew(text: string): boolean {
  if (text.length > 120) return false;
  const words = text
    .toLowerCase()
    .replaceAll(/[’']/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  // Code and sums have few words, but say something: `1+1?`, `(a)=>b`.
  if (words.length === 0) return !/[+*/=<>{}^]/.test(text) || /^[+]1$/.test(text.trim());
  if (words.length > MOST_WORDS) return false;
  if (/[+*/=<>{}^%$#]/.test(text) || /^what\b/i.test(text)) return false;
  let closing = false;
  let carriesOn = false;
  for (const word of words) {
    if (CLOSING.has(word)) closing = true;
    else if (!POINTING.has(word) && !/^\d$/.test(word)) return false;
    if (CARRY_ON.has(word)) carriesOn = true;
  }
  return !closing || carriesOn;
}

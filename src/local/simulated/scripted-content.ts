import type { Call, Content, Part } from './reply.ts';
import type { ScriptedAnswer } from './script.ts';

/** Long texts, made once for each script entry: a hundred streams of one entry share it. */
const repeated = new WeakMap<ScriptedAnswer, string>();

/** What a script's answer says. */
export function scriptedContent(scripted: ScriptedAnswer): Content {
  const { refusal, refusal_category, stop, stop_sequence, extra } = scripted;
  // Parts are the whole answer: without thinking among them there is none.
  const thinking = scripted.thinking ?? (scripted.parts === undefined ? undefined : 0);
  return {
    parts: scripted.parts === undefined ? plainParts(scripted) : scripted.parts.map(partOf),
    ...(refusal === undefined ? {} : { refusal }),
    ...(refusal_category === undefined ? {} : { refusalCategory: refusal_category }),
    ...(stop === undefined ? {} : { stop }),
    ...(stop_sequence === undefined ? {} : { stopSequence: stop_sequence }),
    ...(thinking === undefined ? {} : { thinking }),
    ...(extra === undefined ? {} : { extra }),
  };
}

function plainParts(scripted: ScriptedAnswer): Part[] {
  const { text, characters, event_characters: eventCharacters } = scripted;
  const calls = scripted.calls.map((call): Part => ({ type: 'call', ...callOf(call) }));
  if (text === '') return calls;
  const long = characters === undefined ? { text } : { text: longText(scripted, characters), uncut: true };
  const pieces = eventCharacters === undefined ? {} : { eventCharacters };
  return [{ type: 'text', ...long, ...pieces }, ...calls];
}

type ScriptedPart = NonNullable<ScriptedAnswer['parts']>[number];

function partOf(part: ScriptedPart): Part {
  switch (part.type) {
    case 'thinking': {
      const { text, tokens, redacted } = part;
      return { type: 'thinking', tokens, redacted, ...(text === undefined ? {} : { text }) };
    }
    case 'text': {
      const { text, citations } = part;
      return { type: 'text', text, ...(citations === undefined ? {} : { citations }) };
    }
    case 'call':
      return { type: 'call', ...callOf(part) };
    case 'block':
      return part;
  }
}

function callOf(call: Pick<ScriptedAnswer['calls'][number], 'name' | 'arguments' | 'id'>): Call {
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments ?? {});
  return { name: call.name, arguments: text, ...(call.id === undefined ? {} : { id: call.id }) };
}

function longText(scripted: ScriptedAnswer, characters: number): string {
  const known = repeated.get(scripted);
  if (known !== undefined) return known;
  const text = scripted.text.repeat(Math.ceil(characters / scripted.text.length)).slice(0, characters);
  repeated.set(scripted, text);
  return text;
}

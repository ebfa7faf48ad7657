import type { Ask, OfferedTool } from './ask.ts';
import { lastUserText } from './ask.ts';
import type { Call, Content } from './reply.ts';
import { sampleValue } from './sample-value.ts';

/** Words that stand in asks and in descriptions of tools alike and say nothing of either. */
const COMMON = new Set(
  'about after also and any are been call can does each for from give have into its make more need only please show that the their them then there these they this tool use user using want what when where which will with would you your'.split(
    ' ',
  ),
);

/** What a simulated model answers without a script: a tool call if one fits, JSON if asked for, else plain words. */
export function improvise(ask: Ask): Content {
  const tool = chooseTool(ask);
  if (tool !== undefined) return { calls: [callOf(tool, ask)] };
  const said = lastUserText(ask).trim();
  if (ask.format.type === 'json_schema') {
    return { text: JSON.stringify(sampleValue(ask.format.schema, 'simulated')) };
  }
  if (ask.format.type === 'json_object') {
    return {
      text: JSON.stringify({ simulated: true, model: ask.model, asked: said.slice(0, 200) }),
    };
  }
  const last = ask.turns.at(-1);
  const about =
    last?.role === 'tool'
      ? `The tool returned: "${last.text.slice(0, 200)}".`
      : said === ''
        ? 'There was no question.'
        : `You asked: "${said.slice(0, 200)}".`;
  const text = `This is a simulated answer of ${ask.model}; no model was called. ${about}`;
  const { citation } = ask;
  if (citation === undefined) return { text };
  return {
    parts: [
      { type: 'text', text },
      { type: 'text', text: ` It says: "${citation.text}".`, citations: [citation.citation] },
    ],
  };
}

function chooseTool(ask: Ask): OfferedTool | undefined {
  const choice = ask.toolChoice;
  if (choice.type === 'none') return undefined;
  if (choice.type === 'tool') return ask.tools.find((tool) => tool.name === choice.name);
  const asked = wordsOf(lastUserText(ask));
  const sinceAsked = ask.turns.slice(ask.turns.findLastIndex((turn) => turn.role === 'user') + 1);
  const called = new Set(sinceAsked.flatMap((turn) => (turn.calls ?? []).map((call) => call.name)));
  const ranked = ask.tools
    .filter((tool) => !called.has(tool.name))
    .map((tool) => ({ tool, fit: fitOf(tool, asked) }))
    .sort((a, b) => b.fit - a.fit);
  const best = ranked[0];
  if (choice.type === 'any') return best?.tool ?? ask.tools[0];
  return best !== undefined && best.fit > 0 ? best.tool : undefined;
}

/** Words shared with the ask; one of the tool's name counts three times. */
function fitOf(tool: OfferedTool, asked: ReadonlySet<string>): number {
  const shared = (text: string) => [...wordsOf(text)].filter((word) => asked.has(word)).length;
  return 3 * shared(tool.name) + shared(tool.description);
}

function wordsOf(text: string): Set<string> {
  const words = text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/[a-z]{3,}/g);
  return new Set((words ?? []).filter((word) => !COMMON.has(word)).map((word) => word.replace(/s$/, '')));
}

function callOf(tool: OfferedTool, ask: Ask): Call {
  const said = lastUserText(ask).trim().slice(0, 200) || 'simulated';
  if (tool.freeText === true) return { name: tool.name, arguments: said };
  const value = sampleValue(tool.schema, said);
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
  return { name: tool.name, arguments: JSON.stringify(isObject ? value : {}) };
}

import type { Conversation, Message, Tool } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import { type FittedSchema, fitSchema, STRICT_LIMITS } from './schema.ts';

/** `response_format` and strict tools within what Anthropic's schema compiler takes. */
export function adaptSchemas(conversation: Conversation, report: Report): Conversation {
  return adaptTools(adaptFormat(conversation, report), report);
}

/**
 * The answer's schema, fitted. One that can't be said is asked for in words: the gateway checks the answer against
 * the client's own schema either way.
 */
function adaptFormat(conversation: Conversation, report: Report): Conversation {
  const { format, ...output } = conversation.output;
  if (format?.type !== 'json_schema') return conversation;
  const fitted = fitSchema(format.schema);
  if (fitted !== null && withinLimits([fitted])) {
    if (!fitted.changed) return conversation;
    report({ field: 'response_format', action: 'translated' });
    return { ...conversation, output: { ...output, format: { ...format, schema: fitted.schema } } };
  }
  report({ field: 'response_format', action: 'translated' });
  const wish: Message = {
    role: 'system',
    content: [
      {
        type: 'text',
        text: `Answer with one JSON value and nothing else (no code fence). It must be valid against this JSON Schema:\n${JSON.stringify(format.schema)}`,
      },
    ],
  };
  // Before the first turn: there it is part of the prefix that stays.
  return { ...conversation, messages: [wish, ...conversation.messages], output };
}

/** Whether Anthropic's compiler takes a schema of an answer. */
export function isCompilable(schema: Record<string, unknown>): boolean {
  const fitted = fitSchema(schema);
  return fitted !== null && withinLimits([fitted]);
}

/** Strict tools, fitted; where they exceed the limits of a request together, none is strict. */
function adaptTools(conversation: Conversation, report: Report): Conversation {
  if (!conversation.tools.some((tool) => tool.strict === true)) return conversation;
  const fits: FittedSchema[] = [];
  const { format } = conversation.output;
  const answer = format?.type === 'json_schema' ? fitSchema(format.schema) : null;
  if (answer !== null) fits.push(answer);
  let strict = 0;
  const tools = conversation.tools.map((tool) => {
    if (tool.strict !== true) return tool;
    const fitted = tool.parameters === undefined ? CLOSED : fitSchema(tool.parameters);
    if (fitted === null) {
      report({ field: 'tools.strict', action: 'dropped' });
      return lax(tool);
    }
    strict += 1;
    fits.push(fitted);
    if (fitted.changed) report({ field: 'tools.parameters', action: 'translated' });
    return { ...tool, parameters: fitted.schema };
  });
  if (strict <= STRICT_LIMITS.tools && withinLimits(fits)) return { ...conversation, tools };
  report({ field: 'tools.strict', action: 'dropped' });
  return { ...conversation, tools: conversation.tools.map(lax) };
}

const CLOSED: FittedSchema = {
  schema: { type: 'object', properties: {}, additionalProperties: false },
  changed: false,
  optional: 0,
  unions: 0,
};

function lax(tool: Tool): Tool {
  const { strict: _strict, ...rest } = tool;
  return rest;
}

function withinLimits(fits: readonly FittedSchema[]): boolean {
  const optional = fits.reduce((sum, fit) => sum + fit.optional, 0);
  const unions = fits.reduce((sum, fit) => sum + fit.unions, 0);
  return optional <= STRICT_LIMITS.optional && unions <= STRICT_LIMITS.unions;
}

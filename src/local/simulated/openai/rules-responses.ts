import type { Refusal } from '../refusal.ts';
import { bad } from './errors.ts';
import type { GptModel } from './models.ts';
import { toolsOf } from './responses-prompt.ts';
import type { InputItem, ResponsesBody } from './responses-request.ts';
import { encryptedRefused, ITEM_RULES } from './rules-items.ts';
import { isReasoning } from './rules-model.ts';
import { formatRefusal, functionRefusal } from './rules-schema.ts';
import type { StoredResponses } from './stored-responses.ts';

/** What only Responses refuses: providers.md §4. */
export interface ResponsesRequest {
  body: ResponsesBody;
  model: GptModel;
  organisation: string;
  /** The whole input, what an earlier response holds included. */
  items: readonly InputItem[];
  stored: StoredResponses;
}
/** A rule answers with a refusal, or with nothing. */
export type ResponsesRule = (request: ResponsesRequest) => Refusal | undefined;

/** Fields of Chat Completions, and where they went: the real error points there too. */
const MOVED: Record<string, string> = {
  messages: 'input',
  max_tokens: 'max_output_tokens',
  max_completion_tokens: 'max_output_tokens',
  response_format: 'text.format',
  reasoning_effort: 'reasoning.effort',
  verbosity: 'text.verbosity',
};

/** The refusal of a field that belongs to Chat Completions. */
export function movedField(field: string): Refusal | undefined {
  const now = MOVED[field];
  return now === undefined
    ? undefined
    : bad(
        `Unsupported parameter: '${field}'. In the Responses API, this parameter has moved to '${now}'. Try again with the new parameter.`,
        field,
        'unsupported_parameter',
      );
}

const needsInput: ResponsesRule = ({ items }) =>
  items.length === 0
    ? bad("Missing required parameter: 'input'.", 'input', 'missing_required_parameter')
    : undefined;

const onlyWhatIsSimulated: ResponsesRule = ({ body }) => {
  for (const field of ['context_management', 'image', 'moderation'] as const) {
    if (body[field] != null) {
      return bad(
        `'${field}': this is a simulated provider, which does not simulate this field.`,
        field,
        'unsupported_parameter',
      );
    }
  }
  return undefined;
};

// oDoc:background: what is answered later has to be kept.
const backgroundIsStored: ResponsesRule = ({ body }) =>
  body.background === true && body.store === false
    ? bad("'background' requires 'store' to be true.", 'background', 'invalid_value')
    : undefined;

// 6.2 Sol alone (providers.md §2, prices).
const ultrafast: ResponsesRule = ({ body, model }) =>
  body.service_tier === 'ultrafast' && model.id !== 'gpt-6.2-sol'
    ? bad(
        "Unsupported value: 'service_tier' does not support 'ultrafast' with this model.",
        'service_tier',
        'unsupported_value',
      )
    : undefined;

// Custom tools came with GPT-5 (Arize-ai/openinference#2083; wording `?`).
const customToolsAreKnown: ResponsesRule = ({ body, items, model }) =>
  !model.customTools && toolsOf(body, items).some((tool) => tool.type === 'custom')
    ? bad(
        "Invalid value: 'custom'. Custom tools are not supported with this model.",
        'tools',
        'invalid_value',
      )
    : undefined;

const streamOptionsNeedStream: ResponsesRule = ({ body }) =>
  body.stream_options != null && body.stream !== true
    ? bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
    : undefined;

const encryptedNeedsReasoning: ResponsesRule = ({ body, model }) =>
  body.include?.includes('reasoning.encrypted_content') === true && !isReasoning(model)
    ? encryptedRefused('include')
    : undefined;

const toolChoiceIsOffered: ResponsesRule = ({ body, items }) => {
  const choice = body.tool_choice;
  if (choice == null || choice === 'auto' || choice === 'none') return undefined;
  const tools = toolsOf(body, items);
  if (tools.length === 0) {
    return bad("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice');
  }
  if (choice === 'required') return undefined;
  const offered = tools.map(nameOf);
  const wanted = choice.type === 'allowed_tools' ? choice.tools.map(nameOf) : [nameOf(choice)];
  const missing = wanted.find((one) => !offered.includes(one));
  return missing === undefined
    ? undefined
    : bad(`Tool choice '${missing.split(' ')[1]}' not found in 'tools' parameter.`, 'tool_choice');
};

/** A tool as `tool_choice` names it: a function or custom tool by its name, a hosted one by its type. */
function nameOf(tool: { type: string; [field: string]: unknown }): string {
  return tool.type === 'function' || tool.type === 'custom'
    ? `${tool.type} ${String(tool.name)}`
    : `hosted ${tool.type}`;
}

// An omitted `strict` is normalised where possible and never an error (oDoc:function-calling).
const schemas: ResponsesRule = ({ body, items }) => {
  for (const [index, tool] of toolsOf(body, items).entries()) {
    if (tool.type !== 'function') continue;
    const refusal = functionRefusal(tool, tool.strict === true, `tools[${index}].parameters`);
    if (refusal !== undefined) return refusal;
  }
  const format = body.text?.format;
  return format?.type === 'json_schema' ? formatRefusal(format, 'text.format.schema') : undefined;
};

// Instructions don't count: the word must stand in the input.
const jsonObjectIsNamed: ResponsesRule = ({ body, items }) =>
  body.text?.format?.type === 'json_object' && !/json/i.test(JSON.stringify(items))
    ? bad(
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        'input',
      )
    : undefined;

const RESPONSES_RULES: readonly ResponsesRule[] = [
  onlyWhatIsSimulated,
  backgroundIsStored,
  needsInput,
  ultrafast,
  ...ITEM_RULES,
  streamOptionsNeedStream,
  encryptedNeedsReasoning,
  toolChoiceIsOffered,
  customToolsAreKnown,
  schemas,
  jsonObjectIsNamed,
];

/** The first thing Responses refuses. */
export function responsesRefusal(request: ResponsesRequest): Refusal | undefined {
  for (const rule of RESPONSES_RULES) {
    const refusal = rule(request);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

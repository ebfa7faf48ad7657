import type { Refusal } from '../refusal.ts';
import { bad } from './errors.ts';
import type { GptModel } from './models.ts';
import { isVerified } from './reasoning.ts';
import { isMessage, itemsOf, toolsOf } from './responses-prompt.ts';
import type { InputItem, ResponsesBody } from './responses-request.ts';
import { isReasoning } from './rules-model.ts';
import { formatRefusal, functionRefusal } from './rules-schema.ts';
import type { StoredResponses } from './stored-responses.ts';

/** What only Responses refuses: providers.md §4. */
interface ResponsesRequest {
  body: ResponsesBody;
  model: GptModel;
  organisation: string;
  /** The whole input, what an earlier response holds included. */
  items: readonly InputItem[];
  stored: StoredResponses;
}
type ResponsesRule = (request: ResponsesRequest) => Refusal | undefined;

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

// providers.md §1: "On GPT-6+ an input item `configuration_update`"; the effort must be one the model has.
const updatesAreKnown: ResponsesRule = ({ items, model }) => {
  for (const [index, item] of items.entries()) {
    if (item.type !== 'configuration_update') continue;
    if (!model.configurationUpdates) {
      return bad(
        `Invalid value: 'configuration_update'. This item is not supported with this model.`,
        `input[${index}].type`,
        'invalid_value',
      );
    }
    const effort = item.reasoning?.effort;
    if (effort == null || model.efforts.includes(effort)) continue;
    return bad(
      `Unsupported value: 'reasoning.effort' does not support '${effort}' with this model.`,
      `input[${index}].reasoning.effort`,
      'unsupported_value',
    );
  }
  return undefined;
};

/** Ids begin as the API makes them: "Expected an ID that begins with 'fc'." (openai-agents-python#1061 and others). */
const ID_PREFIXES: Record<string, string> = {
  message: 'msg',
  function_call: 'fc',
  custom_tool_call: 'ctc',
  reasoning: 'rs',
};

const idsAreOfTheirKind: ResponsesRule = ({ body }) => {
  for (const [index, item] of itemsOf(body.input).entries()) {
    const kind = isMessage(item) ? 'message' : (item.type ?? 'message');
    const prefix = ID_PREFIXES[kind];
    if (prefix === undefined || !('id' in item) || item.id == null || item.id.startsWith(prefix)) continue;
    return bad(
      `Invalid 'input[${index}].id': '${item.id}'. Expected an ID that begins with '${prefix}'.`,
      `input[${index}].id`,
      'invalid_value',
    );
  }
  return undefined;
};

// Custom tools came with GPT-5 (oDoc:function-calling; wording `?`).
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

// Wording of 2025–26 reports (providers.md §4, Pairing).
const callsHaveOutputs: ResponsesRule = ({ items }) => {
  const calls = new Set<string>();
  const outputs = new Set<string>();
  for (const item of items) {
    if (item.type === 'function_call' || item.type === 'custom_tool_call') calls.add(item.call_id);
    if (item.type !== 'function_call_output' && item.type !== 'custom_tool_call_output') continue;
    outputs.add(item.call_id);
    if (calls.has(item.call_id)) continue;
    const kind = item.type === 'function_call_output' ? 'function call output' : 'custom tool call output';
    return bad(`No tool call found for ${kind} with call_id ${item.call_id}.`, 'input');
  }
  const open = [...calls].find((id) => !outputs.has(id));
  return open === undefined ? undefined : bad(`No tool output found for function call ${open}.`, 'input');
};

const reasoningIsFollowed: ResponsesRule = ({ items }) => {
  for (const [index, item] of items.entries()) {
    if (item.type !== 'reasoning') continue;
    const next = items[index + 1];
    const isOfModel =
      next?.type === 'function_call' ||
      next?.type === 'custom_tool_call' ||
      next?.type === 'reasoning' ||
      (next !== undefined && isMessage(next) && next.role === 'assistant') ||
      // Hosted tools are called out of reasoning too.
      next?.type?.endsWith('_call') === true;
    if (!isOfModel) {
      return bad(
        `Item '${item.id}' of type 'reasoning' was provided without its required following item.`,
        'input',
      );
    }
  }
  return undefined;
};

// A stored call goes back with the reasoning it came out of.
const storedCallsBringTheirReasoning: ResponsesRule = ({ items, organisation, stored }) => {
  const present = new Set(items.flatMap((item) => (item.type === 'reasoning' ? [item.id] : [])));
  for (const item of items) {
    if (item.type !== 'function_call' && item.type !== 'custom_tool_call') continue;
    if (item.id == null) continue;
    const reason = stored.reasonOf(organisation, item.id);
    if (reason === undefined || present.has(reason)) continue;
    return bad(
      `Item '${item.id}' of type '${item.type}' was provided without its required 'reasoning' item: '${reason}'.`,
      'input',
    );
  }
  return undefined;
};

// Encrypted content is bound to the organisation; without it the item must be stored here.
const reasoningIsReadable: ResponsesRule = ({ items, model, organisation, stored }) => {
  for (const [index, item] of items.entries()) {
    if (item.type !== 'reasoning') continue;
    const content = item.encrypted_content;
    if (content == null) {
      if (stored.item(organisation, item.id) !== undefined) continue;
      return itemNotFound(item.id);
    }
    if (!isReasoning(model)) return encryptedRefused(`input[${index}].encrypted_content`);
    if (!isVerified(content, organisation)) {
      return bad(
        `The encrypted content ${content.slice(0, 8)}...${content.slice(-4)} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
        null,
        'invalid_encrypted_content',
      );
    }
  }
  return undefined;
};

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
  updatesAreKnown,
  idsAreOfTheirKind,
  streamOptionsNeedStream,
  callsHaveOutputs,
  encryptedNeedsReasoning,
  reasoningIsReadable,
  reasoningIsFollowed,
  storedCallsBringTheirReasoning,
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

/** The 404 of an item that isn't stored. */
export function itemNotFound(id: string): Refusal {
  return {
    status: 404,
    message: `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    param: 'input',
    code: null,
  };
}

function encryptedRefused(param: string): Refusal {
  return bad('Encrypted content is not supported with this model.', param, 'unsupported_parameter');
}

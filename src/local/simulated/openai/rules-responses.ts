import type { Refusal } from '../refusal.ts';
import { bad } from './errors.ts';
import type { GptModel } from './models.ts';
import { isVerified } from './reasoning.ts';
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
  for (const field of ['conversation', 'prompt', 'context_management', 'image', 'moderation'] as const) {
    if (body[field] != null) {
      return bad(
        `'${field}': this is a simulated provider, which does not simulate this field.`,
        field,
        'unsupported_parameter',
      );
    }
  }
  return body.background === true
    ? bad(
        "'background': this is a simulated provider, which does not simulate this field.",
        'background',
        'unsupported_parameter',
      )
    : undefined;
};

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
      (next !== undefined && 'role' in next && next.role === 'assistant');
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
    if (item.type !== 'function_call' || item.id == null) continue;
    const reason = stored.reasonOf(organisation, item.id);
    if (reason === undefined || present.has(reason)) continue;
    return bad(
      `Item '${item.id}' of type 'function_call' was provided without its required 'reasoning' item: '${reason}'.`,
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

const toolChoiceIsOffered: ResponsesRule = ({ body }) => {
  const choice = body.tool_choice;
  if (choice == null || choice === 'auto' || choice === 'none') return undefined;
  if (body.tools == null || body.tools.length === 0) {
    return bad("Tool choice 'required' must be specified with 'tools' parameter.", 'tool_choice');
  }
  if (choice === 'required' || choice.type === 'allowed_tools') return undefined;
  return body.tools.some((tool) => 'name' in tool && tool.name === choice.name)
    ? undefined
    : bad(`Tool choice '${choice.name}' not found in 'tools' parameter.`, 'tool_choice');
};

// An omitted `strict` is normalised where possible and never an error (oDoc:function-calling).
const schemas: ResponsesRule = ({ body }) => {
  for (const [index, tool] of (body.tools ?? []).entries()) {
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
  needsInput,
  streamOptionsNeedStream,
  callsHaveOutputs,
  encryptedNeedsReasoning,
  reasoningIsReadable,
  reasoningIsFollowed,
  storedCallsBringTheirReasoning,
  toolChoiceIsOffered,
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

import type { Refusal } from '../refusal.ts';
import { bad } from './errors.ts';
import { isVerified } from './reasoning.ts';
import { isMessage, itemsOf } from './responses-prompt.ts';
import { isReasoning } from './rules-model.ts';
import type { ResponsesRule } from './rules-responses.ts';

/** What is wrong with items and with what belongs to what: providers.md §4, Responses. */

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

/** Ids begin as the API makes them: "Expected an ID that begins with 'fc'." (jlcodes99/cockpit-tools#2090, #2543 for 'rs'; the others likewise). */
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

export const ITEM_RULES: readonly ResponsesRule[] = [
  updatesAreKnown,
  idsAreOfTheirKind,
  callsHaveOutputs,
  reasoningIsReadable,
  reasoningIsFollowed,
  storedCallsBringTheirReasoning,
];

/** The 404 of an item that isn't stored. */
export function itemNotFound(id: string): Refusal {
  return {
    status: 404,
    message: `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    param: 'input',
    code: null,
  };
}

/** The refusal of encrypted content by a model that doesn't reason. */
export function encryptedRefused(param: string): Refusal {
  return bad('Encrypted content is not supported with this model.', param, 'unsupported_parameter');
}

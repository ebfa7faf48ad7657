import type { Message, ToolResultBlock } from '../conversation.ts';

/** Tool answers looked back at, and characters read of each end of a result. */
const ANSWERS_BACK = 4;
const EDGE = 300;

/** The unfinished tool loop that a step carries on: tool results were the last to speak. */
export interface ToolLoop {
  /** Rounds of tool calls since the ask. */
  rounds: number;
  /** Rounds in a row, up to the last, in which a tool failed. */
  failures: number;
  /** The last call is one of the earlier ones again, word for word. */
  repeated: boolean;
}

/** The loop opened after message `askAt`, or null where the step answers a user's words. */
export function openLoop(messages: readonly Message[], askAt: number): ToolLoop | null {
  const results: Extract<Message, { role: 'tool' }>[] = [];
  const calls: string[] = [];
  let rounds = 0;
  for (let index = messages.length - 1; index > askAt; index -= 1) {
    const message = messages[index];
    if (message?.role === 'tool') {
      rounds += 1;
      if (results.length < ANSWERS_BACK) results.push(message);
    } else if (message?.role === 'assistant') {
      // The assistant spoke last: a prefill, no loop.
      if (rounds === 0) return null;
      if (calls.length < ANSWERS_BACK) calls.push(callsOf(message));
    }
  }
  if (rounds === 0) return null;
  const firstFine = results.findIndex((message) => !message.content.some(failed));
  const [last, ...earlier] = calls;
  return {
    rounds,
    failures: firstFine < 0 ? results.length : firstFine,
    repeated: last !== undefined && last !== '' && earlier.includes(last),
  };
}

function callsOf(message: Extract<Message, { role: 'assistant' }>): string {
  const calls: string[] = [];
  for (const block of message.content) {
    // Long arguments are told apart well enough by their head and length.
    if (block.type === 'tool_call')
      calls.push(`${block.name} ${block.arguments.length} ${block.arguments.slice(0, EDGE)}`);
  }
  return calls.join('\n');
}

const FAILED_HEAD =
  /^[\s([#*>!]{0,8}(?:\w{1,40}error|error|exception|traceback|fatal|failed|failure|panic|command not found)\b/i;
const FAILED_EXIT = /\bexit(?:ed with)? (?:code|status):? ?[1-9]/i;

/** Chat Completions has no error flag, so the result's own wording counts beside it. */
function failed(result: ToolResultBlock): boolean {
  if (result.isError) return true;
  const first = result.content[0];
  if (first?.type !== 'text') return false;
  const head = first.text.slice(0, EDGE);
  const edges = head + first.text.slice(-EDGE);
  return (
    FAILED_HEAD.test(head) || FAILED_EXIT.test(edges) || /"(?:error|is_error)": ?(?:"[^"]|true|\{)/.test(head)
  );
}

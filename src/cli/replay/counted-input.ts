import { type InputSize, tokensOn } from '../../core/accounting/estimate.ts';
import { inputTokens } from '../../core/accounting/usage.ts';
import type { LoggedStep } from '../../core/replay/logged-step.ts';
import { findModel } from '../../core/routing/catalog.ts';
import { bareModel } from './log-answer.ts';
import type { LoggedBill } from './log-entry.ts';

/** Of what we estimate, a count under this leaves cached tokens out, as some logs do; over it, it saw more than the log. */
const [LEAST, MOST] = [0.5, 20];

/**
 * The step with its input as long as its provider counted it, where the log says so: what the log does not hold (tools,
 * a harness's own text) is in it too.
 * @returns null where it does not, or the count can't be all of it
 */
export function withCountedInput(step: LoggedStep, bill: LoggedBill | null): LoggedStep | null {
  const model = bill?.usage && findModel(bill.provider, bareModel(bill.model));
  if (!bill?.usage || !model) return null;
  const { needs, compressed } = step;
  const ratio = inputTokens(bill.usage) / Math.max(1, tokensOn(model, needs.input).total);
  if (!(ratio >= LEAST && ratio <= MOST)) return null;
  return {
    ...step,
    needs: { ...needs, input: scaled(needs.input, ratio) },
    compressed: compressed && {
      ...{ input: scaled(compressed.input, ratio), head: scaled(compressed.head, ratio) },
      from: compressed.from,
    },
  };
}

function scaled({ total, beforeLastAssistant, before, ...counts }: InputSize, ratio: number): InputSize {
  const times = (size: InputSize['total']) => ({
    text: ratio * size.text,
    images: ratio * size.images,
    smallImages: ratio * size.smallImages,
  });
  const { system, messages, turn } = before;
  return {
    ...{ total: times(total), beforeLastAssistant: times(beforeLastAssistant) },
    before: { system: times(system), messages: times(messages), turn: times(turn) },
    ...counts,
  };
}

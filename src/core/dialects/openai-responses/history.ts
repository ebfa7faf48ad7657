import type { AnswerRecorder } from '../answer-recorder.ts';
import type { HistoryForm } from '../history.ts';
import { isObject } from '../provider-json.ts';
import { createAnswerKeeper } from './kept.ts';

/** Responses' history: items, reasoning with its sealed content among them. */
export const RESPONSES_HISTORY: HistoryForm = {
  list: 'input',
  settings: ['instructions', 'tools'],
  leads: true,
  rivals: ['previous_response_id', 'conversation'],
  recordAnswer,
};

function recordAnswer(): AnswerRecorder {
  const keeper = createAnswerKeeper();
  const said = () => {
    const items = keeper.kept()?.items ?? [];
    return { text: items.map((item) => JSON.stringify(item)).join(','), count: items.length };
  };
  return {
    whole(text) {
      const response: unknown = JSON.parse(text);
      if (isObject(response)) keeper.take(response);
      return said();
    },
    take(data) {
      if (isObject(data) && isObject(data.response)) keeper.take(data.response);
    },
    said,
  };
}

import type { LaneQuestion } from '../../src/core/context/lanes.ts';
import type { BegunStep, EndedStep } from '../../src/pipeline/ports.ts';
import { SessionBook } from '../../src/sessions/session-book.ts';
import { openSql } from '../stores/sql-in-node.ts';

/** The binding `SESSIONS` without workerd: an object a name, each with its book, and no alarm. */
export function sessionsInNode() {
  const objects = new Map<string, ReturnType<typeof openObject>>();
  const getByName = (name: string) => {
    const object = objects.get(name) ?? openObject();
    objects.set(name, object);
    return object;
  };
  return { getByName, names: () => [...objects.keys()] };
}

function openObject() {
  // Of its database the book calls `exec` alone.
  const book = new SessionBook(openSql() as never);
  return {
    begin: async (step: BegunStep, question: LaneQuestion) => {
      book.begin(step, question.at);
      return book.find(question, null);
    },
    peek: async (question: LaneQuestion) => book.find(question, null),
    settle: async (step: EndedStep) => book.settle(step, Date.now()),
  };
}

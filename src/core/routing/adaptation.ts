/** One thing of the request that the routed model could not take as it was. */
export interface Adaptation {
  /** The client's name of the field in Chat Completions: `temperature`, `tools.strict`. */
  field: string;
  action: 'dropped' | 'clamped' | 'translated';
  /** Numbers and enums only, never content. */
  from?: number | string;
  to?: number | string;
}

/** Takes adaptations as they are made; the first of a field counts. */
export type Report = (adaptation: Adaptation) => void;

/** A report that keeps what it is told in `list`, once a field. */
export function reportInto(list: Adaptation[]): Report {
  return (adaptation) => {
    if (!list.some((known) => known.field === adaptation.field)) list.push(adaptation);
  };
}

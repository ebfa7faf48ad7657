/** Cost so far, after so many steps. */
export interface CurvePoint {
  steps: number;
  top_cached: number;
  flux: number;
}

/** Points kept: as many as a chart can show, whatever the log's length. */
const POINTS = 400;

/** The cost of two policies over the steps of a log, in the log's order. */
export function costCurve() {
  let points: CurvePoint[] = [];
  /** Steps between two points. */
  let stride = 1;
  const now: CurvePoint = { steps: 0, top_cached: 0, flux: 0 };
  return {
    add(top: number, flux: number): void {
      now.steps += 1;
      now.top_cached += top;
      now.flux += flux;
      if (now.steps % stride !== 0) return;
      points.push({ ...now });
      if (points.length < 2 * POINTS) return;
      stride *= 2;
      points = points.filter(({ steps }) => steps % stride === 0);
    },
    points(): CurvePoint[] {
      const last = points.at(-1);
      return last === undefined || last.steps < now.steps ? [...points, { ...now }] : points;
    },
  };
}

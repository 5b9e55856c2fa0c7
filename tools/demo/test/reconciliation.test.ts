import { describe, expect, test } from "@jest/globals";
import type { LogLine } from "@millrace/local-redis/programs";
import { reconcileReports } from "../src/reconciliation.ts";

const BASE = { level: "info", msg: "", event: "report" };

function published(figures: object = {}): LogLine {
  return { ...BASE, published: 100, unheard: 0, ...figures };
}

function aggregated(figures: object = {}): LogLine {
  const usual = {
    received: 100,
    decoded: 98,
    malformed: 1,
    blank: 1,
    counted: 98,
    late: 0,
    lost: 0,
    unaccounted: 0,
  };
  return { ...BASE, ...usual, ...figures };
}

describe("reconcileReports", () => {
  test("adds up when all that was published was received", () => {
    expect(reconcileReports(published(), aggregated())).toMatchObject({
      published: 100,
      lost: 0,
      unaccounted: 0,
    });
  });

  test("events measured as lost are accounted for", () => {
    const sums = reconcileReports(published({ unheard: 3 }), aggregated({ received: 95, lost: 2 }));
    expect(sums).toMatchObject({ lost: 5, unaccounted: 0 });
  });

  test("missing events that were not measured as lost are not", () => {
    expect(reconcileReports(published(), aggregated({ received: 90 })).unaccounted).toBe(10);
    expect(reconcileReports(published(), aggregated({ received: 101 })).unaccounted).toBe(1);
    expect(reconcileReports(published(), aggregated({ unaccounted: 4 })).unaccounted).toBe(4);
  });

  test("a report without one of the counts is refused", () => {
    expect(() => reconcileReports(BASE, aggregated())).toThrow('no number "published"');
  });
});

// The rows of a long list. The API gives pages by cursor. To jump, the page asks it to skip rows behind the nearest known
// cursor, at most 100,000 at a time, so the end of a million rows is ten requests. The API skips only without filters; a
// filtered list is read up to the place, page by page. Only the pages around the visible rows stay in memory; the cursors
// of all pages do, so going back is one request.

import { call } from "./api";
import type { Filter, Page, Person } from "./types";

const PAGE = 200;
const PAGES_KEPT = 40;
const LONGEST_JUMP = 100_000 / PAGE;

export class Rows {
  private pages = new Map<number, Person[]>();
  /** The cursor with which each known page begins. */
  private cursors = new Map<number, string | undefined>([[0, undefined]]);
  /** The lowest page that turned out to be beyond the end. */
  private beyond = Infinity;
  private wanted = 0;
  private running = false;
  private closed = new AbortController();
  private longestJump: number;
  /** The number of rows, once the last page was read. */
  end: number | null = null;
  /** The number of rows up to the furthest page that was read. */
  reached = 0;
  error: unknown = null;

  constructor(private path: string, private filter: Filter, private onChange: () => void) {
    this.longestJump = Object.keys(filter).length ? 0 : LONGEST_JUMP;
  }

  get(index: number): Person | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  /** The row that the reader is on its way to, or null if it is at most one request away. */
  get goal(): number | null {
    if (!this.running || this.pages.has(this.wanted)) return null;
    return this.wanted - this.known(this.wanted) > this.longestJump ? this.wanted * PAGE : null;
  }

  /** Reads the pages of these rows, if they are not there. The newest wish replaces an older one. */
  want(from: number, to: number): void {
    const first = Math.floor(from / PAGE), last = Math.floor(Math.max(from, to - 1) / PAGE);
    const missing = [first, last].find((page) => !this.pages.has(page) && !this.isBeyondEnd(page));
    if (missing === undefined) return;
    this.wanted = missing;
    if (!this.running) void this.run(first, last);
  }

  /** Returns the ids of a range of rows, and reads those that are missing. */
  async ids(from: number, to: number): Promise<string[]> {
    const found: string[] = [];
    for (let page = Math.floor(from / PAGE); page <= Math.floor(to / PAGE); page++) {
      while (!this.pages.has(page)) {
        if (this.isBeyondEnd(page)) return found;
        await this.read(page);
      }
      this.pages.get(page)!.forEach((person, row) => { const index = page * PAGE + row; if (index >= from && index <= to) found.push(person.id); });
    }
    return found;
  }

  retry(): void {
    this.error = null;
    this.want(this.wanted * PAGE, this.wanted * PAGE + 1);
  }

  close(): void {
    this.closed.abort();
  }

  private isBeyondEnd(page: number): boolean {
    return this.end !== null && page * PAGE >= this.end;
  }

  private async run(first: number, last: number): Promise<void> {
    this.running = true;
    this.error = null;
    try {
      while (!this.pages.has(this.wanted) && !this.closed.signal.aborted && !this.isBeyondEnd(this.wanted)) {
        await this.read(this.wanted);
        this.onChange();
      }
    } catch (error) {
      if (this.closed.signal.aborted) return;
      this.error = error;
    } finally {
      this.running = false;
    }
    this.onChange();
    if (!this.error && last !== first) this.want(first * PAGE, last * PAGE + 1);
  }

  /** The nearest page at or before this one whose cursor is known. */
  private known(page: number): number {
    let nearest = 0;
    for (const each of this.cursors.keys()) if (each <= page && each > nearest) nearest = each;
    return nearest;
  }

  /** Reads the page, or the cursor of one that is nearer to it. */
  private async read(page: number): Promise<void> {
    const from = this.known(page);
    // A list that is shorter than expected is halved until its end is found.
    const to = Math.min(page, from + this.longestJump, Math.floor((from + this.beyond) / 2));
    // On the way, one row is enough: it is the last one before the page, so its cursor is the one of the page.
    const onTheWay = to > from && to < page;
    const skip = (to - from) * PAGE - (onTheWay ? 1 : 0);
    const query = { ...this.filter, limit: onTheWay ? 1 : PAGE, cursor: this.cursors.get(from), skip: skip || undefined };
    const { data } = await call<Page<Person>>("GET", this.path, { query, signal: this.closed.signal });
    if (!data.items.length && skip) {
      this.beyond = to;
      return;
    }
    const rows = from * PAGE + skip + data.items.length;
    if (data.nextCursor) this.cursors.set(Math.floor(rows / PAGE), data.nextCursor);
    else this.end = rows;
    if (Math.floor(rows / PAGE) >= this.beyond) this.beyond = Infinity;
    if (!onTheWay) this.keep(to, data.items);
    this.reached = Math.max(this.reached, rows);
  }

  private keep(page: number, people: Person[]): void {
    this.pages.delete(page);
    this.pages.set(page, people);
    // A Map keeps the order of insertion, so the first key is the page that was read longest ago.
    for (const old of this.pages.keys()) {
      if (this.pages.size <= PAGES_KEPT) break;
      if (Math.abs(old - this.wanted) > 2) this.pages.delete(old);
    }
  }
}

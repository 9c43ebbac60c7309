// What is played on a keyboard, as notes: step by step with a chosen length, or in the time in which it is played.

const TOGETHER = 0.3; // seconds between keys of one chord; who plays on before letting go is slower

/**
 * Notes of keys that are pressed and released.
 *
 * beatsASecond: the tempo; grid: beats of the shortest note, to whose multiples times are moved; changed(notes): is told
 * of all notes whenever there is another one.
 */
export class Recorder {
  constructor({ beatsASecond, grid, changed }) {
    Object.assign(this, { beatsASecond, grid, changed, notes: [], open: new Map() });
    this.length = null; // of each note, in beats; null for that in which it is played
  }

  /** Begins with some notes. */
  take(notes) {
    this.notes = notes;
    this.open.clear();
    this.began = null;
    this.changed(notes);
  }

  get end() {
    return this.notes.reduce((last, note) => Math.max(last, note.to), 0);
  }

  /** A key is struck, at a time in seconds. */
  press(key, now) {
    if (this.length === null) {
      this.began ??= { now, beat: this.end }; // the first key goes on where the notes end
      this.open.set(key, now);
      return;
    }
    const chord = this.open.size > 0 && now - this.struck < TOGETHER;
    const from = chord ? this.from : this.end;
    [this.from, this.struck] = [from, now];
    this.open.set(key, now);
    this._add({ key, from, to: from + this.length });
  }

  /** It is released. */
  release(key, now) {
    const since = this.open.get(key);
    if (!this.open.delete(key) || this.length !== null) return;
    const from = this._beat(since), to = Math.max(from + this.grid, this._beat(now));
    this._add({ key, from, to });
  }

  /** Another length of notes; null for that in which they are played. */
  use(length) {
    this.open.clear();
    Object.assign(this, { length, began: null });
  }

  _beat(now) {
    const beats = this.began.beat + (now - this.began.now) * this.beatsASecond;
    return Math.round(beats / this.grid) * this.grid;
  }

  _add(note) {
    const others = this.notes.filter((other) => other.key !== note.key || other.to <= note.from || other.from >= note.to);
    this.notes = [...others, note].sort((a, b) => a.from - b.from || a.key - b.key);
    this.changed(this.notes);
  }
}

// What a text is cut into, as the exported model cuts it: characters, words or subwords.

const SIGN = "▁", REPLACEMENT = "\ufffd", CONTINUED = "##"; // a space; an unknown character; inside a word
const SPECIAL = 4, UNKNOWN = 1, LONGEST_WORD = 100;
const LETTER = 0, MARK = 1, BLANK = 2, GAP = 3, STRANGE = 4;
const BEGINNING = "\n"; // what an empty prompt stands for

/** The tokens of a model, by its files: their texts, what is never written, and how a prompt is read. */
export function textTokens(files) {
  return files["pieces.json"] ? pieces(files["pieces.json"]) : characters(files["characters.json"].characters);
}

function characters(known) {
  const texts = [REPLACEMENT, ...known], ids = new Map(texts.map((text, id) => [text, id]));
  ids.delete(REPLACEMENT);
  return {
    noun: "characters",
    texts,
    reserved: 1,
    isKnown: (character) => ids.has(character),
    open: (prompt) => ({ ids: [...(prompt || BEGINNING)].map((character) => ids.get(character) ?? 0), allowed: null, given: 0 }),
  };
}

function pieces({ pieces, merges }) {
  const plain = pieces.map((piece) => (!merges && piece.startsWith(CONTINUED) ? piece.slice(CONTINUED.length) : piece));
  const texts = ["", REPLACEMENT, "", "", ...plain.map((text) => text.replaceAll(SIGN, " "))];
  const numbers = new Map(pieces.map((piece, place) => [piece, place + SPECIAL]));
  const known = new Set(plain.filter((text) => [...text].length === 1).map((text) => text.replace(SIGN, " ")));
  const ranks = new Map((merges ?? []).map((merge, rank) => [merge, rank]));
  const kind = (character) => (known.has(character) ? kindOf(character) : STRANGE);
  const spelled = (word) => (merges ? merged(word, ranks) : longest(word, numbers)).map((piece) => numbers.get(piece) ?? UNKNOWN);
  const encode = (text) => split(text, kind).flatMap((word) => spelled(word.map((character) => signed(character, known))));
  const mayBegin = (id) => id >= SPECIAL && (merges || !pieces[id - SPECIAL].startsWith(CONTINUED));
  return {
    noun: "tokens",
    texts,
    reserved: SPECIAL,
    encode,
    isKnown: (character) => known.has(character),
    /** The last, unfinished word is left out, where tokens begin with it: one of those is written first. */
    open(prompt) {
      const text = [...(prompt || BEGINNING)], words = split(prompt || BEGINNING, kind), last = kind(text.at(-1));
      const given = last === LETTER ? words.at(-1).length : last === GAP ? 1 : 0;
      const tail = text.slice(text.length - given).join("");
      const ids = given ? texts.flatMap((written, id) => (mayBegin(id) && written.startsWith(tail) ? [id] : [])) : [];
      const head = ids.length ? text.slice(0, text.length - given).join("") : text.join("");
      const read = encode(head);
      return { ids: read.length ? read : encode(BEGINNING), allowed: ids.length ? new Set(ids) : null, given: ids.length ? given : 0 };
    },
  };
}

function signed(character, known) {
  return known.has(character) ? character.replace(" ", SIGN) : REPLACEMENT;
}

function kindOf(character) {
  if (character === " ") return GAP;
  if (/[\p{Z}\p{Cc}]/u.test(character)) return BLANK;
  return /[\p{P}\p{S}\p{N}]/u.test(character) ? MARK : LETTER;
}

/** The words of a text, each a list of characters; see `Alphabet` of the Python package. */
function split(text, kind) {
  const all = [...text], kinds = all.map(kind), words = [];
  all.forEach((character, place) => {
    const own = kinds[place], before = place ? kinds[place - 1] : null, after = kinds[place + 1] ?? BLANK;
    const joins = own === GAP ? before === GAP && after > MARK : own === BLANK ? before === BLANK : own !== STRANGE && (before === GAP || (own === LETTER && before === LETTER));
    if (place && joins && words.at(-1).length < LONGEST_WORD) words.at(-1).push(character);
    else words.push([character]);
  });
  return words;
}

/** Byte-pair encoding: the pair that was learned first, the leftmost of several, becomes one piece, again and again. */
function merged(word, ranks) {
  const parts = [...word];
  for (;;) {
    let best = -1, least = Infinity;
    for (let place = 0; place + 1 < parts.length; place += 1) {
      const rank = ranks.get(`${parts[place]} ${parts[place + 1]}`) ?? Infinity;
      if (rank < least) [best, least] = [place, rank];
    }
    if (best < 0) return parts;
    parts.splice(best, 2, parts[best] + parts[best + 1]);
  }
}

/** The longest known pieces from the left. */
function longest(word, numbers) {
  const found = [];
  for (let start = 0; start < word.length; ) {
    let end = word.length;
    const named = () => (start ? CONTINUED : "") + word.slice(start, end).join("");
    while (end > start && !numbers.has(named())) end -= 1;
    if (end === start) return [REPLACEMENT];
    found.push(named());
    start = end;
  }
  return found;
}

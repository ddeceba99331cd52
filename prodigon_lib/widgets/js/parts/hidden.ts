// Text as it is seen: a model reads, and a clipboard carries, characters that no eye meets.
//
// The same rules as in prodigon_lib/security/hidden_text.py, which says why and where they come from. Both pass
// tests/hidden_texts.py.

const INVISIBLE =
  "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f" +
  "\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}" +
  "\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}";

const JOINING =
  "\\u0590-\\u061b\\u061d-\\u115e\\u1780-\\u17b3\\u17b6-\\u180a\\u1810-\\u18af\\ua840-\\ua87f\\ua8e0-\\uabff\\ufb1d-\\ufdff" +
  "\\ufe70-\\ufefc\\u{10a00}-\\u{11fff}\\u{1e900}-\\u{1e95f}";

const EMOJI =
  "\\u203c\\u2049\\u2122\\u2139\\u2190-\\u21ff\\u2300-\\u23ff\\u25a0-\\u27bf\\u2900-\\u297f\\u2b00-\\u2bff\\u3030\\u303d\\u3297\\u3299" +
  "\\u{1f000}-\\u{1faff}";

const BELONGS = [
  "\\u{1f3f4}(?:\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073}))\\u{e007f}",
  `(?<=[^\\x00-\\xff${INVISIBLE}])[\\ufe00-\\ufe0f]|(?<=[0-9#*©®])[\\ufe0e\\ufe0f]`,
  "(?<=[\\u3400-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}])[\\u{e0100}-\\u{e01ef}]",
  `(?<=[${EMOJI}\\ufe0f])\\u200d(?=[${EMOJI}])`,
  `(?<=[${JOINING}])[\\u200c\\u200d](?![${INVISIBLE}])|(?<![${INVISIBLE}])[\\u200c\\u200d](?=[${JOINING}])`,
  "(?<=[\\u1820-\\u18af])[\\u180b-\\u180f]|[\\u180e](?=[\\u1820-\\u18af])",
].join("|");
const MARKS = `(?<![${INVISIBLE}])[\\u200e\\u200f\\u061c](?![${INVISIBLE}])`;

const RIGHT_TO_LEFT = /[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}]/u;
const ANY = new RegExp(`[${INVISIBLE}]`, "u");
const HIDDEN = new RegExp(`(${BELONGS})|[${INVISIBLE}]`, "gu");
const HIDDEN_BESIDE_MARKS = new RegExp(`(${BELONGS}|${MARKS})|[${INVISIBLE}]`, "gu");

/** Without what nobody sees. The ends of its lines stay where they are. */
export function visible(text: string): string {
  if (!ANY.test(text)) return text;
  const pattern = RIGHT_TO_LEFT.test(text) ? HIDDEN_BESIDE_MARKS : HIDDEN;
  return text.replace(pattern, (_, belongs: string | undefined) => belongs ?? "");
}

/** How many characters nobody sees, in words; empty where there are none. */
export function hiddenWords(text: string): string {
  const count = [...text].length - [...visible(text)].length;
  return count ? `${count.toLocaleString("en")} hidden ${count === 1 ? "character" : "characters"}` : "";
}

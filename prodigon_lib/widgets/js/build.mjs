// Bundles the panels into ../static, or into the folder that is named. Same sources and lock, same bytes.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = process.argv[2] ?? join(HERE, "..", "static");
const ASSETS = ["markdown", "katex", "mermaid"];

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  write: false,
  loader: { ".css": "text", ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty" },
  logLevel: "warning",
};

// A style sheet is text in its module, with its fonts inside: nothing is left to fetch.
function insideModules(pluginBuild) {
  pluginBuild.onLoad({ filter: /\.css$/ }, async ({ path }) => {
    const { outputFiles } = await build({ ...COMMON, entryPoints: [path], loader: { ...COMMON.loader, ".css": "css" } });
    return { contents: outputFiles[0].text, loader: "text" };
  });
}
const styles = { name: "styles", setup: insideModules };

mkdirSync(OUT, { recursive: true });
const bundled = new Set();
const digests = {};

for (const name of ASSETS) {
  const bytes = await bundle(`assets/${name}.ts`, {});
  digests[`${name}.js`] = digest(bytes).slice(0, 16);
  writeFileSync(join(OUT, `${name}.js`), bytes);
}
writeFileSync(join(OUT, "panels.js"), await bundle("panels.ts", { DIGESTS: JSON.stringify(digests) }));
writeFileSync(join(OUT, "THIRD_PARTY_LICENSES"), licences());
writeFileSync(join(OUT, "SOURCES.sha256"), sources());

async function bundle(entry, define) {
  const { outputFiles, metafile } = await build({ ...COMMON, entryPoints: [entry], define, plugins: [styles] });
  for (const input of Object.keys(metafile.inputs)) {
    const found = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) bundled.add(found[1]);
  }
  return outputFiles[0].contents;
}

function digest(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What was built from what: a test without Node compares it with the sources and the bundles that are there. */
function sources() {
  const inputs = files(HERE).filter((path) => !path.includes("node_modules"));
  const outputs = [...ASSETS.map((name) => `${name}.js`), "panels.js", "THIRD_PARTY_LICENSES"];
  const lines = [
    ...inputs.map((path) => [path, `js/${relative(HERE, path).split(sep).join("/")}`]),
    ...outputs.map((name) => [join(OUT, name), `static/${name}`]),
  ];
  return lines.map(([path, name]) => `${digest(readFileSync(path))}  ${name}\n`).sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join("");
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules")
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
}

/** Its licence file, or where it has none, what its README says under that heading. */
function licenceText(folder) {
  const names = readdirSync(folder);
  const file = names.find((each) => /^(licen[sc]e|copying)/i.test(each));
  if (file) return readFileSync(join(folder, file), "utf8").trim();
  const readme = readFileSync(join(folder, names.find((each) => /^readme/i.test(each))), "utf8");
  const said = /^#+ licen[sc]e$([\s\S]*)/im.exec(readme)?.[1].trim();
  if (!said) throw new Error(`${folder} does not say its licence`);
  return said;
}

function licences() {
  const parts = [...bundled].sort().map((name) => {
    const folder = join(HERE, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return `${name} ${version} (${license ?? "see below"})\n\n${licenceText(folder)}\n`;
  });
  return `The bundles in this folder hold these packages, each under its own licence.\n\n${parts.join(`\n${"-".repeat(78)}\n\n`)}`;
}

// The scopes that VS Code's own engine gives each piece of the files named: one JSON line a file, [start, end, scopes] each, in UTF-16 units.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";

const home = path.resolve(import.meta.dirname, "../../editors/vscode");
const require = createRequire(path.join(home, "package.json"));
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => {
    const file = path.join(home, "syntaxes/mix.tmLanguage.json");
    return parseRawGrammar(readFileSync(file, "utf8"), file);
  },
});
const grammar = await registry.loadGrammar("source.mix");

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  const pieces = [];
  let [stack, at] = [INITIAL, 0];
  for (const line of text.split("\n")) {
    const bare = line.endsWith("\r") ? line.slice(0, -1) : line;
    const { tokens, ruleStack } = grammar.tokenizeLine(bare, stack);
    for (const token of tokens) {
      const end = Math.min(token.endIndex, bare.length);
      if (end > token.startIndex) pieces.push([at + token.startIndex, at + end, token.scopes.slice(1)]);
    }
    stack = ruleStack;
    at += line.length + 1;
  }
  console.log(JSON.stringify(pieces));
}

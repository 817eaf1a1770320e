// Reads an AsyncAPI document with the official parser; prints what is wrong, and fails if anything is.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((one) => one.severity === 0);
  for (const one of errors) console.log(`${one.path.join("/")}: ${one.message}`);
  if (document) console.log(document.allChannels().all().map((channel) => channel.address()).join(" "));
  process.exit(document && errors.length === 0 ? 0 : 1);
});

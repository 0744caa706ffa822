/** Bundles the page into the two files that the Python package ships: one ESM module and one style sheet. */
import { statSync } from "node:fs";
import esbuild from "esbuild";

const LIMIT = 200_000; // every widget instance carries the bundle, so its size is a budget and not a report
const OUT = new URL("../cocoa_widget/static/", import.meta.url).pathname;

const options = {
  entryPoints: [
    { in: "src/index.tsx", out: "widget" },
    { in: "src/index.css", out: "widget" },
  ],
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022", "chrome120", "firefox117", "safari17.2"], // nested CSS stays as it is, which is a tenth shorter
  legalComments: "none",
  // Hosts with require.js define an AMD loader, which UMD dependencies would pick up: anywidget issue 369.
  define: { "define.amd": "false" },
};

if (process.argv.includes("--watch")) {
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  await esbuild.build(options);
  const size = ["widget.js", "widget.css"].reduce((sum, file) => sum + statSync(OUT + file).size, 0);
  console.log(`widget.js + widget.css: ${(size / 1000).toFixed(1)} kB of ${LIMIT / 1000} kB`);
  if (size > LIMIT) process.exitCode = 1;
}

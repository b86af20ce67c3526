// Reads request heads as Node's server does: one in base64 a line, one JSON object a line.
"use strict";
const http = require("http");
const { Duplex } = require("stream");

let heard = () => {};
const server = http.createServer();
const tell = (request) => {
  const fields = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) fields.push(request.rawHeaders.slice(i, i + 2));
  heard({ error: null, method: request.method, target: request.url, fields, left: 0 });
};
for (const event of ["request", "upgrade", "checkContinue", "checkExpectation"]) server.on(event, tell);
server.on("clientError", (error) => heard({ error: error.code, method: "", target: "", fields: [], left: 0 }));

const read = (head) =>
  new Promise((done) => {
    const client = new Duplex({ read() {}, write: (chunk, encoding, taken) => taken() });
    client.on("error", () => {});
    heard = (result) => {
      heard = () => {};
      done(result);
      client.destroy();
    };
    server.emit("connection", client);
    client.push(head);
    // A head that has no end to it is an error then.
    client.push(null);
  });

(async () => {
  for (const line of require("fs").readFileSync(0, "latin1").split("\n")) {
    if (line) console.log(JSON.stringify(await read(Buffer.from(line, "base64"))));
  }
})();

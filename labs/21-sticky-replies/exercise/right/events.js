// other: node, with events; it listens on all addresses of both families
const net = require("node:net");

function answer(line) {
  const space = line.indexOf(" ");
  const number = line.subarray(0, Math.max(space, 0)).toString("latin1");
  if (!/^[0-9]+$/.test(number) || Number(number) > 1000) return Buffer.from("?\n");
  const once = Buffer.concat([line.subarray(space + 1), Buffer.from("\n")]);
  return Buffer.alloc(once.length * Number(number), once);
}

const server = net.createServer({ allowHalfOpen: true }, (conn) => {
  let came = Buffer.alloc(0);
  conn.on("error", () => {});
  conn.on("data", (piece) => {
    came = Buffer.concat([came, piece]);
    for (let end; (end = came.indexOf("\n")) >= 0; came = came.subarray(end + 1)) {
      if (end > 1024) return conn.destroy();
      const body = answer(came.subarray(0, end));
      conn.write(body.length + "\n");
      conn.write(body);
    }
    if (came.length > 1024) conn.destroy();
  });
  conn.on("end", () => conn.end());
});
server.listen(Number(process.env.PORT));

// other: node, which sets SO_REUSEADDR by itself
const net = require("node:net");
const server = net.createServer({ allowHalfOpen: true }, (conn) => {
  let came = "";
  conn.on("error", () => {});
  conn.on("end", () => conn.end());
  conn.on("data", (piece) => {
    came += piece.toString("latin1");
    if (came.includes("\n")) conn.end(came.toUpperCase(), "latin1");
  });
});
server.listen(Number(process.env.PORT), process.env.HOST);

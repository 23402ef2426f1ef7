// other: node, with events
const sock = require("node:dgram").createSocket("udp4");
sock.on("message", (data, client) => {
  const answer = data.toString("latin1").replace(/[a-z]/g, (c) => c.toUpperCase());
  sock.send(Buffer.from(answer, "latin1"), client.port, client.address);
});
sock.bind(Number(process.env.PORT));

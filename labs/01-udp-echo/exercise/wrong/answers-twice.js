// wrong: an answer is sent twice, in case one is lost
// fails: once
// shows: wrong, what "nobody asked for"
// race: the second answer, and the moment at which we look whether one comes
const sock = require("node:dgram").createSocket("udp4");
sock.on("message", (data, client) => {
  const answer = Buffer.from(data.toString("latin1").replace(/[a-z]/g, (c) => c.toUpperCase()), "latin1");
  sock.send(answer, client.port, client.address);
  setTimeout(() => sock.send(answer, client.port, client.address), 50);
});
sock.bind(Number(process.env.PORT), process.env.HOST);

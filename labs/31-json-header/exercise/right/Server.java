// other: Java, with a thread for each client, streams that buffer, and a small JSON parser of its own
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.*;

public class Server {
    static class Bad extends Exception {}

    public static void main(String[] args) throws IOException {
        try (ServerSocket listener = new ServerSocket(Integer.parseInt(System.getenv("PORT")))) {
            while (true) {
                Socket conn = listener.accept();
                new Thread(() -> serve(conn)).start();
            }
        }
    }

    static void serve(Socket conn) {
        try (conn) {
            DataInputStream in = new DataInputStream(new BufferedInputStream(conn.getInputStream()));
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(conn.getOutputStream()));
            try {
                while (true) {
                    one(in, out);
                }
            } catch (Bad bad) {
                answer(out, "{\"status\": \"error\", \"code\": \"header\"}");
            }
        } catch (Exception error) {
            System.err.println("left: " + error);
        }
    }

    static void one(DataInputStream in, DataOutputStream out) throws Exception {
        long length = in.readInt() & 0xffffffffL;
        if (length > 1024) {
            throw new Bad();
        }
        byte[] text = new byte[(int) length];
        in.readFully(text);
        Map<String, Object> header = new Json(new String(text, StandardCharsets.UTF_8)).object();
        if (!(header.get("size") instanceof Long size) || size < 0 || size > 65536) {
            throw new Bad();
        }
        byte[] body = new byte[(int) (long) size];
        in.readFully(body);
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        if (digest.equals(header.get("sha256"))) {
            String name = quoted((String) header.get("name"));
            answer(out, "{\"status\": \"ok\", \"name\": " + name + ", \"size\": " + size + "}");
        } else {
            answer(out, "{\"status\": \"error\", \"code\": \"digest\"}");
        }
    }

    static void answer(DataOutputStream out, String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        out.writeInt(text.length);
        out.write(text);
        out.flush();
    }

    static String quoted(String name) {
        return '"' + name.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** Reads JSON: objects as maps, lists as lists, whole numbers as Long. */
    static class Json {
        final String text;
        int at = 0;

        Json(String text) {
            this.text = text;
        }

        Map<String, Object> object() throws Bad {
            if (!(value() instanceof Map<?, ?> map)) {
                throw new Bad();
            }
            blanks();
            if (at < text.length()) {
                throw new Bad();
            }
            Map<String, Object> fields = new HashMap<>();
            map.forEach((name, value) -> fields.put((String) name, value));
            return fields;
        }

        void blanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        char next() throws Bad {
            if (at >= text.length()) {
                throw new Bad();
            }
            return text.charAt(at++);
        }

        boolean takes(char wanted) {
            blanks();
            boolean is = at < text.length() && text.charAt(at) == wanted;
            at += is ? 1 : 0;
            return is;
        }

        Object value() throws Bad {
            if (takes('{')) {
                Map<String, Object> map = new HashMap<>();
                if (takes('}')) {
                    return map;
                }
                do {
                    if (!takes('"')) {
                        throw new Bad();
                    }
                    String name = string();
                    if (!takes(':')) {
                        throw new Bad();
                    }
                    map.put(name, value());
                } while (takes(','));
                if (!takes('}')) {
                    throw new Bad();
                }
                return map;
            }
            if (takes('[')) {
                List<Object> list = new ArrayList<>();
                if (takes(']')) {
                    return list;
                }
                do {
                    list.add(value());
                } while (takes(','));
                if (!takes(']')) {
                    throw new Bad();
                }
                return list;
            }
            if (takes('"')) {
                return string();
            }
            int from = at;
            while (at < text.length() && "+-.".indexOf(text.charAt(at)) >= 0
                    || at < text.length() && Character.isLetterOrDigit(text.charAt(at))) {
                at++;
            }
            String word = text.substring(from, at);
            if (List.of("true", "false", "null").contains(word)) {
                return word.equals("null") ? word : (Object) word.equals("true");
            }
            if (word.matches("-?\\d{1,18}")) {
                return Long.parseLong(word);
            }
            if (word.matches("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?")) {
                return Double.parseDouble(word);
            }
            throw new Bad();
        }

        String string() throws Bad {
            StringBuilder string = new StringBuilder();
            for (char c = next(); c != '"'; c = next()) {
                if (c == '\\') {
                    c = next();
                    int which = "bfnrt".indexOf(c);
                    if (c == 'u') {
                        if (at + 4 > text.length()) {
                            throw new Bad();
                        }
                        c = (char) Integer.parseInt(text.substring(at, at += 4), 16);
                    } else if (which >= 0) {
                        c = "\b\f\n\r\t".charAt(which);
                    }
                }
                string.append(c);
            }
            return string.toString();
        }
    }
}

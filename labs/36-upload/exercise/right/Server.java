// other: Java, with a thread for each client, and files that lie under other names than their own
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.*;

public class Server {
    static class Bad extends Exception {}

    static final Path FOLDER = Path.of(System.getenv("FOLDER"));

    public static void main(String[] args) throws IOException {
        Files.createDirectories(FOLDER);
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
                refuse(out, "the header cannot be used");
            }
        } catch (Exception error) {
            System.err.println("left: " + error);
        }
    }

    static void one(DataInputStream in, DataOutputStream out) throws Exception {
        long length = in.readInt() & 0xffffffffL;
        if (length > 65536) {
            throw new Bad();
        }
        byte[] text = new byte[(int) length];
        in.readFully(text);
        Map<String, Object> header = new Json(new String(text, StandardCharsets.UTF_8)).object();
        if (!(header.get("cmd") instanceof String cmd) || !(header.get("filename") instanceof String name)) {
            throw new Bad();
        }
        if (cmd.equals("get")) {
            Path path = path(name);
            if (path == null || !Files.isRegularFile(path)) {
                refuse(out, "there is no such file");
                return;
            }
            byte[] file = Files.readAllBytes(path);
            answer(out, "{\"filesize\": " + file.length + ", \"ok\": true}");
            out.write(file);
            out.flush();
        } else if (cmd.equals("put") && header.get("filesize") instanceof Long size && size >= 0 && size <= 1048576
                && header.get("sha256") instanceof String sha256) {
            byte[] file = new byte[(int) (long) size];
            in.readFully(file);
            String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file));
            Path path = path(name);
            if (path == null) {
                refuse(out, "the name is not allowed");
            } else if (!digest.equals(sha256)) {
                refuse(out, "the digest is another one");
            } else {
                Path unfinished = Files.createTempFile(FOLDER, ".", "");
                Files.write(unfinished, file);
                try {
                    Files.createLink(path, unfinished);
                    answer(out, "{\"ok\": true}");
                } catch (FileAlreadyExistsException error) {
                    refuse(out, "the name is taken");
                } finally {
                    Files.delete(unfinished);
                }
            }
        } else {
            throw new Bad();
        }
    }

    /** Where a file lies; null if its name is not allowed. */
    static Path path(String name) {
        boolean isAllowed = !name.isEmpty() && !name.startsWith(".") && name.indexOf('/') < 0 && name.indexOf(0) < 0;
        return isAllowed && name.getBytes(StandardCharsets.UTF_8).length <= 255 ? FOLDER.resolve(inAscii(name)) : null;
    }

    static void refuse(DataOutputStream out, String why) throws IOException {
        answer(out, "{\"error\": \"" + why + "\", \"ok\": false}");
    }

    static void answer(DataOutputStream out, String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        out.writeInt(text.length);
        out.write(text);
        out.flush();
    }

    /** Java writes names in the character set of the locale, and that may be ASCII: other names become digests. */
    static String inAscii(String name) {
        if (name.chars().allMatch(c -> c > ' ' && c < 127 && c != '%')) {
            return name;
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return "%" + HexFormat.of().formatHex(digest);
        } catch (java.security.NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
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
